import { EventEmitter } from "node:events";

function construct(): void {}
// Inherited without its constructor, as `util.inherits` allows: Node's methods make the table where it is missing.
Object.setPrototypeOf(construct.prototype, EventEmitter.prototype);

/**
 * An EventEmitter that holds nothing until somebody listens. Node's constructor makes a table of listeners at once, 250 bytes
 * for each session and transport, which mostly stays empty.
 */
export const QuietEmitter: typeof EventEmitter = construct as unknown as typeof EventEmitter;

/**
 * Whether anybody listens. It is asked a dozen times for each message, mostly of emitters without a table: to find that there
 * is none takes a tenth of a look-up in one.
 */
export function hasListeners(emitter: EventEmitter, event: string): boolean {
  return (emitter as { _events?: object })._events !== undefined && emitter.listenerCount(event) > 0;
}
