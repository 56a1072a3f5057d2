import { within } from "../waiting/queue.ts";

const events = ["uncaughtException", "unhandledRejection"] as const;

/** Replaces the test runner's listeners for uncaught errors by `note`, until `stop` is called. */
function listenForUncaught(note: (error: unknown) => void): () => void {
  const aside = events.map((event) => [event, process.listeners(event as "uncaughtException")] as const);
  for (const event of events) {
    process.removeAllListeners(event);
    process.on(event, note);
  }
  return () => {
    for (const [event, listeners] of aside) {
      process.removeAllListeners(event);
      for (const listener of listeners) process.on(event, listener);
    }
  };
}

/** Notes uncaught exceptions and unhandled rejections, until it is disposed of. */
export function noteUncaught(): Disposable & { readonly errors: readonly unknown[] } {
  const errors: unknown[] = [];
  const stop = listenForUncaught((error) => errors.push(error));
  return { errors, [Symbol.dispose]: stop };
}

/** The next `count` uncaught exceptions and unhandled rejections. Call it before what throws. */
export async function uncaught(count: number): Promise<unknown[]> {
  const seen: unknown[] = [];
  let stop: () => void = () => {};
  const all = new Promise<void>((resolve) => {
    stop = listenForUncaught((error) => {
      seen.push(error);
      if (seen.length === count) resolve();
    });
  });
  try {
    await within(all, `${count} uncaught exceptions`);
    return seen;
  } finally {
    stop();
  }
}
