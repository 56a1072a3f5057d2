import { context, propagation } from "@opentelemetry/api";
import type { TextMapGetter, TextMapSetter } from "@opentelemetry/api";

/** The key of what an event carries, and of what both sides say when they connect. */
export const KEY = "tidewire:context";
/** What both sides say: the version of the form in which the context is written. */
export const VERSION = 1;

/** How the context is carried over events. */
export interface CarryContextOptions {
  /**
   * Whether the baggage is carried, too. Both sides need the option. It shows the baggage to the other side, and lets the other side
   * set it.
   * @default false
   */
  baggage?: boolean;
}

/** A context, as propagators write it: `traceparent`, `tracestate`. */
type Fields = Record<string, unknown>;

/** The argument of an event that carries a context: the last one, before the callback. */
export class CarriedContext {
  readonly "tidewire:context": Fields;

  constructor(fields: Fields) {
    this[KEY] = fields;
  }
}

/** Writes the current context into events, and reads it from them. An event is its name, its arguments, and possibly a callback. */
export class ContextCarrier {
  readonly #setter: TextMapSetter<Fields>;
  readonly #getter: TextMapGetter<Fields>;

  constructor({ baggage = false }: CarryContextOptions) {
    const isCarried = (field: string): boolean => baggage || field !== "baggage";
    this.#setter = {
      set(fields, field, value) {
        if (isCarried(field)) fields[field] = value;
      },
    };
    this.#getter = {
      keys: (fields) => Object.keys(fields).filter(isCarried),
      get(fields, field) {
        const value = isCarried(field) && Object.hasOwn(fields, field) ? fields[field] : undefined;
        return typeof value === "string" ? value : undefined;
      },
    };
  }

  /** Adds the current context to an event. */
  put(event: unknown[]): void {
    const fields: Fields = {};
    propagation.inject(context.active(), fields, this.#setter);
    // An argument of the application that looks like a context must not be taken for one.
    if (Object.keys(fields).length === 0 && placeIn(event) === undefined) return;
    const end = event.length - (typeof event.at(-1) === "function" ? 1 : 0);
    event.splice(end, 0, new CarriedContext(fields));
  }

  /** Removes the context from an event, and handles the event within it. */
  receive(event: unknown[], handle: () => void): void {
    const place = placeIn(event);
    if (place === undefined) return handle();
    const [carried] = event.splice(place, 1) as [CarriedContext];
    context.with(propagation.extract(context.active(), carried[KEY], this.#getter), handle);
  }
}

/** Returns an event without the context that it carries. */
export function without(event: readonly unknown[]): unknown[] {
  const place = placeIn(event);
  return place === undefined ? [...event] : event.toSpliced(place, 1);
}

/** Returns the index of the context in an event. */
function placeIn(event: readonly unknown[]): number | undefined {
  let place = event.length - 1;
  if (typeof event[place] === "function") place--;
  // The offset that a server with connection state recovery adds to events.
  if (typeof event[place] === "string") place--;
  return place > 0 && isCarried(event[place]) ? place : undefined;
}

function isCarried(value: unknown): value is CarriedContext {
  if (typeof value !== "object" || value === null || !(KEY in value)) return false;
  const fields = value[KEY];
  return Object.keys(value).length === 1 && typeof fields === "object" && fields !== null;
}
