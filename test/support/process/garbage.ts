import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";

setFlagsFromString("--expose-gc");

/** Runs the garbage collector; the runner need not have been started with the flag. */
export const collectGarbage = runInNewContext("gc") as () => void;
