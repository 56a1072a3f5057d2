import { nextTick } from "./timers.ts";

/** Throws an error of the application on the next tick, where it surfaces as uncaught and interrupts no work in progress. */
export function rethrow(error: unknown): void {
  nextTick(() => {
    throw error;
  });
}
