import type { NodeId } from "../node-id.ts";

/** How many publishers are remembered after they have left, to know what was lost if they come back. */
const MOST_REMEMBERED = 1000;

/** What is known of publishers. Of too many, the one that was heard of longest ago is forgotten. */
export class Publishers<T> {
  readonly #known: Map<NodeId, T> = new Map();

  get(publisher: NodeId): T | undefined {
    return this.#known.get(publisher);
  }

  values(): Iterable<T> {
    return this.#known.values();
  }

  /** A publisher was heard of. */
  heard(publisher: NodeId, value: T): void {
    const known = this.#known;
    // Behind all others. While there are few, nobody is forgotten soon, and their order does not matter.
    if (known.size > MOST_REMEMBERED / 2) known.delete(publisher);
    known.set(publisher, value);
    if (known.size > MOST_REMEMBERED) this.#forgetOldest();
  }

  #forgetOldest(): void {
    for (const oldest of this.#known.keys()) {
      this.#known.delete(oldest);
      return;
    }
  }
}
