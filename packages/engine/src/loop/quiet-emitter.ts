import { EventEmitter } from "node:events";

function construct(): void {}
// Inherited without its constructor, as `util.inherits` allows: Node's methods create the table where it is missing.
Object.setPrototypeOf(construct.prototype, EventEmitter.prototype);

/** The method of a quiet emitter, if it has one, that is called with the event before a listener is added. */
export const beforeListener: unique symbol = Symbol("beforeListener");

interface Observant extends EventEmitter {
  [beforeListener]?(event: string | symbol): void;
}

for (const method of ["on", "addListener", "prependListener"] as const) {
  const add = EventEmitter.prototype[method];
  Object.defineProperty(construct.prototype, method, {
    value(this: Observant, ...args: Parameters<EventEmitter["on"]>) {
      this[beforeListener]?.(args[0]);
      return add.apply(this, args);
    },
    writable: true,
    configurable: true,
  });
}

/**
 * An EventEmitter that allocates nothing until somebody listens. Node's constructor creates a table of listeners at once: 250
 * bytes for each session and each transport, and most tables stay empty.
 */
export const QuietEmitter: typeof EventEmitter = construct as unknown as typeof EventEmitter;

/** Whether anybody listens. */
export function hasListeners(emitter: EventEmitter, event: string): boolean {
  return emitter.listenerCount(event) > 0;
}
