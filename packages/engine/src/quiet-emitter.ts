import { EventEmitter } from "node:events";

function construct(): void {}
// Inherited without its constructor, as `util.inherits` allows: Node's methods make the table where it is missing.
Object.setPrototypeOf(construct.prototype, EventEmitter.prototype);

/**
 * An EventEmitter that holds nothing until somebody listens. Node's constructor makes a table of listeners at once, 250 bytes
 * for each session and transport, which mostly stays empty.
 */
export const QuietEmitter: typeof EventEmitter = construct as unknown as typeof EventEmitter;
