import { createError } from "../errors.ts";
import type { AckCallback } from "../events/acks.ts";

/** An event: its name, then its arguments. */
type EventArray = unknown[];

/**
 * How events carry the context of the application, such as the trace that they belong to. The server knows neither the context nor
 * how it is written.
 */
export interface Carriage {
  /** What CONNECT says to a client that has asked. */
  readonly acceptance: object;
  /** Whether events for other servers carry the context, too. */
  readonly reachesServers: boolean;
  /** Whether these credentials ask for it. Removes the question from them. */
  isWantedBy(auth: object): boolean;
  /** Adds the current context to an event. */
  put(event: EventArray): void;
  /** Returns the event without the context. */
  without(event: EventArray): EventArray;
  /** Removes the context from an event, and calls a function within it. */
  receive(event: EventArray, handle: () => void): void;
  /** Returns a callback that runs in the current context. */
  bind(ack: AckCallback): AckCallback;
}

interface CarryingObject {
  _ownCarriage: Carriage | undefined;
}

function canCarry(target: object): target is CarryingObject {
  return "_ownCarriage" in target;
}

/**
 * Makes the events of a server or a namespace carry the context, for clients that join from now on.
 *
 * @returns a function that ends it
 * @throws TypeError if it belongs to a server of another package
 */
export function carry(target: object, carriage: Carriage): () => void {
  if (!canCarry(target)) throw createError("CANNOT_CARRY");
  target._ownCarriage = carriage;
  return () => {
    if (target._ownCarriage === carriage) target._ownCarriage = undefined;
  };
}
