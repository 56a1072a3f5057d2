// The wait for something that all connections together are to bring about: so many opened, so many messages received.

const STALL_TIMEOUT = 15_000;

export class Arrivals {
  /** What is still to come. */
  #pending = 0;
  #wanted = 0;
  #failure;
  #wait;

  /**
   * Runs `start` and waits until `count` have arrived.
   *
   * @param what for the error when they do not come
   */
  async during(count, what, start) {
    if (this.#failure) throw this.#failure;
    if (this.#wait) throw new Error("a wait is under way already");
    if (count <= 0) return;
    this.#pending = count;
    this.#wanted = count;
    let before = count;
    const watch = setInterval(() => {
      if (this.#pending === before) {
        this.fail(new Error(`only ${this.#wanted - this.#pending} of ${this.#wanted} ${what}`));
      }
      before = this.#pending;
    }, STALL_TIMEOUT);
    try {
      await new Promise((resolve, reject) => {
        this.#wait = { resolve: () => resolve(undefined), reject };
        start();
      });
    } finally {
      clearInterval(watch);
      this.#wait = undefined;
    }
  }

  arrived(count) {
    this.#pending -= count;
    if (this.#pending === 0) this.#wait?.resolve();
    else if (this.#pending < 0) this.fail(new Error("more came than was to come"));
  }

  fail(error) {
    this.#failure ??= error;
    this.#wait?.reject(this.#failure);
  }

  /** Throws if anything went wrong so far. */
  check() {
    if (this.#failure) throw this.#failure;
  }
}
