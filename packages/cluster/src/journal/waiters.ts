import { Deadline } from "../deadline.ts";

interface Waiter {
  readonly number: number;
  settle(isReached: boolean): void;
}

/** Calls that wait until something has reached a number, each for a limited time. */
export class Waiters {
  readonly #waiting: Set<Waiter> = new Set();

  /** How many wait. */
  get size(): number {
    return this.#waiting.size;
  }

  /**
   * @param ms - how long to wait at most, in ms
   * @returns fulfilled with true once the number is reached, or with false if that takes too long
   */
  wait(number: number, ms: number): Promise<boolean> {
    return new Promise((resolve) => {
      const settle = (isReached: boolean): void => {
        deadline.end();
        this.#waiting.delete(waiter);
        resolve(isReached);
      };
      const waiter = { number, settle };
      const deadline = new Deadline(ms, () => settle(false));
      this.#waiting.add(waiter);
    });
  }

  /** Everything up to this number is reached. */
  wake(number: number): void {
    for (const waiter of this.#waiting) if (waiter.number <= number) waiter.settle(true);
  }
}
