/** Counts by name. */
export class Tally {
  readonly #counts: Map<string, number> = new Map();

  /** Counts one more of this name. */
  add(name: string): void {
    this.#counts.set(name, (this.#counts.get(name) ?? 0) + 1);
  }

  /** Returns the counts by name; names that were never counted are absent. */
  toRecord(): Record<string, number> {
    return Object.fromEntries(this.#counts);
  }
}
