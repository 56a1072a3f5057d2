import type { Untyped } from "./events/typed-events.ts";

/** An error of a namespace middleware; the client receives its message and `data`. */
export interface ExtendedError extends Error {
  data?: Untyped;
}
