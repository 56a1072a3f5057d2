import type { Untyped } from "./typed-events.ts";

/** A listener of every event: it gets the name first, then the arguments. */
export type AnyListener = (...args: Untyped[]) => void;

/** The listeners of `onAny()`, or of `onAnyOutgoing()`, of one socket. */
export class AnyListeners {
  /** In the order in which they are called. */
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
