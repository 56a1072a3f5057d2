/** How long items are remembered, in ms: longer than it takes until a node knows that it does not get them. */
const LIFETIME = 4000;

/** How many characters are remembered at most. */
const MOST_CHARACTERS = 4 * 1024 * 1024;

interface RecentBatch {
  readonly first: number;
  readonly items: readonly string[];
  readonly size: number;
  readonly at: number;
}

/** What a node has given to the journal lately. */
export class RecentItems {
  readonly #batches: RecentBatch[] = [];
  #size = 0;

  /** @param first - the number of the first item */
  add(items: readonly string[], first: number): void {
    const size = items.reduce((sum, { length }) => sum + length, 0);
    this.#batches.push({ first, items, size, at: performance.now() });
    this.#size += size;
    this.drop();
  }

  /** Forgets what is too old. */
  drop(): void {
    const oldest = performance.now() - LIFETIME;
    while (this.#batches.length > 0 && (this.#batches[0]!.at < oldest || this.#size > MOST_CHARACTERS)) {
      this.#size -= this.#batches.shift()!.size;
    }
  }

  /** Returns the latest items whose numbers follow each other. */
  list(): { readonly first: number; readonly items: readonly string[] } {
    this.drop();
    let from = this.#batches.length;
    let next: number | undefined;
    while (from > 0) {
      const { first, items } = this.#batches[from - 1]!;
      if (next !== undefined && first + items.length !== next) break;
      next = first;
      from--;
    }
    return { first: next ?? 0, items: this.#batches.slice(from).flatMap(({ items }) => items) };
  }
}
