const FIRST = 100;
const LONGEST = 30_000;
/** A worker that has run for so long has not failed to start. */
const GOOD_WHILE = 10_000;

/** How long to wait before a worker is started again: twice as long each time it has ended soon. Times are in ms. */
export class Backoff {
  #failures = 0;

  /** @param lifetime - how long the worker was ready */
  next(lifetime: number): number {
    if (lifetime >= GOOD_WHILE) this.#failures = 0;
    // The first time it is at once.
    const delay = this.#failures === 0 ? 0 : Math.min(FIRST * 2 ** (this.#failures - 1), LONGEST);
    this.#failures++;
    return delay;
  }
}
