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

export const nodeEventLoop: EventLoop = {
  now: () => performance.now(),
  setTimeout: (run, ms) => void setTimeout(run, ms).unref(),
  setImmediate: (run) => void setImmediate(run),
  rethrow: (error) =>
    process.nextTick(() => {
      throw error;
    }),
};
