import type { Untyped } from "./events/typed-events.ts";

/** The error of a namespace middleware; `data` goes to the client with the message. */
export interface ExtendedError extends Error {
  data?: Untyped;
}
