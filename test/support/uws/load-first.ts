// uWebSockets.js reads its settings when it is first loaded. The engine must load it before test files import it.
import { loadUws, UwsLoadError } from "../../../packages/engine/src/host/uws/load.ts";
import { leaveOutUws } from "./leave-out.ts";

if (loadUws() instanceof UwsLoadError) leaveOutUws();
