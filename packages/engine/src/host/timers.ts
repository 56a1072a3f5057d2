import process from "node:process";
import timers from "node:timers";

type NodeTimers = Pick<typeof timers, "setTimeout" | "clearTimeout" | "setImmediate">;

/**
 * Returns Node's own timer. Fake timers of a test replace those of `globalThis` and of `node:timers`; a test environment such as
 * jsdom has others, or none. If a fake is installed while this file is loaded, the timer is looked up on each call, so that the
 * fake is only used while it is installed.
 */
function own<Name extends keyof NodeTimers>(name: Name): NodeTimers[Name] {
  const found = timers[name];
  if (found.name === name && !("clock" in found)) return found;
  const current = (...args: unknown[]): unknown => (timers[name] as (...args: unknown[]) => unknown)(...args);
  return current as unknown as NodeTimers[Name];
}

export const setTimeout: NodeTimers["setTimeout"] = own("setTimeout");
export const clearTimeout: NodeTimers["clearTimeout"] = own("clearTimeout");
export const setImmediate: NodeTimers["setImmediate"] = own("setImmediate");
export const nextTick: typeof process.nextTick = process.nextTick.bind(process);
export const queueMicrotask: typeof globalThis.queueMicrotask = globalThis.queueMicrotask;
