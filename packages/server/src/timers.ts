import { internals } from "@tidewire/engine";
import timers from "node:timers";

/*
 * Node's own timers, as the engine uses them, even where a test or an environment such as jsdom has replaced the globals. Only the
 * times that the application sets, those of acknowledgements and of connection state recovery, follow its fakes, as officially.
 */
export const setImmediate: typeof internals.timers.setImmediate = internals.timers.setImmediate;
export const queueMicrotask: typeof internals.timers.queueMicrotask = internals.timers.queueMicrotask;
export const nextTick: typeof internals.timers.nextTick = internals.timers.nextTick;

const { setTimeout: ownTimeout } = timers;

/** Whether a test has replaced Node's timers. */
export function areFaked(): boolean {
  return globalThis.setTimeout !== ownTimeout;
}

type Interval = ReturnType<typeof timers.setInterval>;

/** Starts an interval, a fake one where the application has installed fakes; it does not keep the process alive. */
export function startInterval(run: () => void, ms: number): Interval {
  const interval = (globalThis.setInterval ?? timers.setInterval)(run, ms) as Interval | number;
  // In environments such as jsdom it is a number.
  if (typeof interval === "object") interval.unref();
  return interval as Interval;
}

export function stopInterval(interval: Interval | undefined): void {
  (globalThis.clearInterval ?? timers.clearInterval)(interval);
}
