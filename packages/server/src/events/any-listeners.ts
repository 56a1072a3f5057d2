import type { Untyped } from "./typed-events.ts";

/** A listener of every event, called with its name and its arguments. */
export type AnyListener = (...args: Untyped[]) => void;

/** The listeners that one socket got from `onAny()`, or from `onAnyOutgoing()`. */
class AnyListenerList {
  /** in the order in which they are called */
  list: AnyListener[] = [];

  add(listener: AnyListener): void {
    this.list.push(listener);
  }

  prepend(listener: AnyListener): void {
    this.list.unshift(listener);
  }

  /** Removes the first occurrence of a listener, or all listeners if none is given. */
  remove(listener: AnyListener | undefined): void {
    if (listener === undefined) {
      this.list = [];
      return;
    }
    const index = this.list.indexOf(listener);
    if (index !== -1) this.list.splice(index, 1);
  }
}

/** Those of both kinds. */
export class AnyListeners {
  readonly incoming: AnyListenerList = new AnyListenerList();
  readonly outgoing: AnyListenerList = new AnyListenerList();
}
