import type { Adapter } from "socket.io-adapter";
import type { Untyped } from "./events/typed-events.ts";

/** A class of adapters, or a function that returns the adapter of a namespace. */
export type AdapterConstructor = typeof Adapter | ((nsp: Untyped) => Adapter);
