import { EventEmitter } from "node:events";

function construct(): void {}
// Inherited without its constructor, as `util.inherits` allows: Node's methods create the table where it is missing.
Object.setPrototypeOf(construct.prototype, EventEmitter.prototype);

/**
 * An EventEmitter that allocates nothing until somebody listens. Node's constructor creates a table of listeners at once: 250
 * bytes for each session and each transport, and most tables stay empty.
 */
export const QuietEmitter: typeof EventEmitter = construct as unknown as typeof EventEmitter;

/** Whether anybody listens. */
export function hasListeners(emitter: EventEmitter, event: string): boolean {
  return emitter.listenerCount(event) > 0;
}
