import process from "node:process";
import timers from "node:timers";

/*
 * Node's own timers, whatever fake timers of a test, or an environment such as jsdom, put into their places. Only the
 * times that the application sets, those of acknowledgements and of connection state recovery, are left to its fakes, as officially.
 */
export const setImmediate: typeof timers.setImmediate = timers.setImmediate;
export const queueMicrotask: typeof globalThis.queueMicrotask = globalThis.queueMicrotask;
export const nextTick: typeof process.nextTick = process.nextTick.bind(process);

const { setTimeout: ownTimeout } = timers;

/** Whether a test has put its own timers in the place of Node's. */
export function areFaked(): boolean {
  return globalThis.setTimeout !== ownTimeout;
}
