import { AsyncResource } from "node:async_hooks";
import { performance } from "node:perf_hooks";
import { nextTick, setImmediate, setTimeout } from "../host/timers.ts";

/**
 * What the engine asks of the event loop. It is Node's own; a test that must pass hours in microseconds hands the engine
 * another, through the second argument of its constructor.
 */
export interface EventLoop {
  /** Milliseconds since some fixed moment; never goes back. */
  now(): number;
  /** Calls back once, after at least `ms` milliseconds. Does not keep the process alive. */
  setTimeout(run: () => void, ms: number): void;
  /** Calls back once this tick's input has been handled. */
  setImmediate(run: () => void): void;
  /** Throws where nobody catches it: the error is the application's. */
  rethrow(error: unknown): void;
}

const now = performance.now.bind(performance);

/**
 * Node's event loop. Timers and passes serve many sessions, so they run in the async context in which this was made, the
 * engine's own, and not in that of the request for which one happened to be started.
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
    nextTick(() => {
      throw error;
    });
  }
}

function startTimer(run: () => void, ms: number): void {
  setTimeout(run, ms).unref();
}
