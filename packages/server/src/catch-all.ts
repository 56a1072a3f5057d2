import type { Untyped } from "./typed-events.ts";

/** A listener of every event, whatever its name: it gets the name first, then the arguments. */
export type CatchAllListener = (...args: Untyped[]) => void;

/** The list without the first occurrence of a listener, in place; or, if none is given, an empty list. */
export function withoutListener(
  listeners: CatchAllListener[],
  listener: CatchAllListener | undefined,
): CatchAllListener[] {
  if (listener === undefined) {
    return [];
  }
  const index = listeners.indexOf(listener);
  if (index !== -1) listeners.splice(index, 1);
  return listeners;
}

/** Calls the listeners; those added or removed meanwhile do not count. */
export function notifyListeners(
  listeners: readonly CatchAllListener[] | undefined,
  self: object,
  args: readonly unknown[],
): void {
  if (listeners === undefined || listeners.length === 0) return;
  for (const listener of listeners.slice()) {
    listener.apply(self, args as unknown[]);
  }
}
