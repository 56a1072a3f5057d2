import type { EventLoop } from "./event-loop.ts";

/** Calls code of the application. What it throws surfaces as uncaught and interrupts no work in progress. */
export function safeCall<Arguments extends unknown[]>(
  loop: EventLoop,
  call: (...args: Arguments) => void,
  ...args: Arguments
): void {
  try {
    call(...args);
  } catch (error) {
    loop.rethrow(error);
  }
}

/** Emits an event the same way: what a listener throws surfaces as uncaught. */
export function safeEmit(
  emitter: { emit(event: string, ...args: unknown[]): boolean },
  loop: EventLoop,
  event: string,
  ...args: unknown[]
): void {
  try {
    emitter.emit(event, ...args);
  } catch (error) {
    loop.rethrow(error);
  }
}
