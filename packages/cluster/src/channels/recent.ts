/** How long a publication is kept at least, in ms: longer than it takes to see that a broker does not answer. */
const SPAN = 4000;

/** At most so many bytes are kept. */
const MOST_BYTES = 8 * 1024 * 1024;

/** A publication, and where it was published. */
export interface Published {
  readonly channel: number;
  readonly payload: Buffer;
}

/** What was published lately, and may have been lost if the broker turns out to be away. */
export class RecentPublications {
  #older: Published[] = [];
  #newer: Published[] = [];
  /** Of the newer ones. */
  #bytes = 0;
  #since = 0;

  /** @param now - in ms */
  add(published: Published, now: number): void {
    if (now - this.#since > SPAN || this.#bytes > MOST_BYTES / 2) {
      this.#older = now - this.#since > 2 * SPAN ? [] : this.#newer;
      this.#newer = [];
      this.#bytes = 0;
      this.#since = now;
    }
    this.#newer.push(published);
    this.#bytes += published.payload.length;
  }

  /**
   * Returns them in the order in which they were published.
   * @param now - in ms
   */
  list(now: number): readonly Published[] {
    return now - this.#since > 2 * SPAN ? [] : [...this.#older, ...this.#newer];
  }
}
