import { AsyncResource } from "node:async_hooks";
import { performance } from "node:perf_hooks";
import { rethrow } from "../host/rethrow.ts";
import { setImmediate, setTimeout } from "../host/timers.ts";

/**
 * What the engine needs of the event loop. It uses Node's own; a test that must pass hours in microseconds gives another one to
 * the constructor of the engine.
 *
 * @example
 * // A clock that a test moves: `advance()` calls what is due.
 * class ManualLoop implements EventLoop {
 *   #time = 0;
 *   #due: { at: number; run: () => void }[] = [];
 *
 *   now() {
 *     return this.#time;
 *   }
 *   setTimeout(run: () => void, ms: number) {
 *     this.#due.push({ at: this.#time + ms, run });
 *   }
 *   setImmediate(run: () => void) {
 *     setImmediate(run);
 *   }
 *   rethrow(error: unknown) {
 *     throw error;
 *   }
 *   advance(ms: number) {
 *     this.#time += ms;
 *     const due = this.#due.filter(({ at }) => at <= this.#time);
 *     this.#due = this.#due.filter(({ at }) => at > this.#time);
 *     for (const { run } of due) run();
 *   }
 * }
 */
export interface EventLoop {
  /** Milliseconds since a fixed moment. Never goes back. */
  now(): number;
  /** Calls back once, after at least `ms` milliseconds. Does not keep the process alive. */
  setTimeout(run: () => void, ms: number): void;
  /** Calls back once this tick's input has been handled. */
  setImmediate(run: () => void): void;
  /** Throws an error of the application where nobody catches it. */
  rethrow(error: unknown): void;
}

const now = performance.now.bind(performance);

/**
 * Node's event loop. Timers and passes serve many sessions, so they run in the async context in which the loop was created, the
 * engine's own, and not in that of the request that happened to start one.
 */
export class NodeEventLoop implements EventLoop {
  readonly #context: AsyncResource = new AsyncResource("TIDEWIRE");

  now(): number {
    return now();
  }

  setTimeout(run: () => void, ms: number): void {
    this.#context.runInAsyncScope(startTimer, undefined, run, ms);
  }

  setImmediate(run: () => void): void {
    this.#context.runInAsyncScope(setImmediate, undefined, run);
  }

  rethrow(error: unknown): void {
    rethrow(error);
  }
}

function startTimer(run: () => void, ms: number): void {
  setTimeout(run, ms).unref();
}
