import { EventEmitter } from "node:events";

function construct(): void {}
// Inherited without its constructor, as `util.inherits` allows: Node's methods create the table where it is missing.
Object.setPrototypeOf(construct.prototype, EventEmitter.prototype);

/**
 * An EventEmitter that allocates nothing until somebody listens. Node's constructor creates a table of listeners at once: 250
 * bytes for each session and each transport, and most tables stay empty.
 */
export const QuietEmitter: typeof EventEmitter = construct as unknown as typeof EventEmitter;

/**
 * Whether anybody listens. Each message asks a dozen times, mostly of emitters without a table: seeing that there is no table
 * takes a tenth of a look-up in one.
 */
export function hasListeners(emitter: EventEmitter, event: string): boolean {
  return (emitter as { _events?: object })._events !== undefined && emitter.listenerCount(event) > 0;
}
