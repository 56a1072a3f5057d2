import type { NodeId } from "../node-id.ts";

/** How many publishers are remembered after they have left, to know what was lost if they come back. */
const MOST_REMEMBERED = 1000;

/** The number of a publication: those of one publisher count up from 1. */
export interface SequenceNumber {
  /** Chosen at random by the publisher, each time it starts to count. */
  readonly epoch: number;
  readonly seq: number;
}

/** Whether publications arrive once and in order, for each publisher. */
export class Sequences {
  /** The latest number of each publisher; who was heard of last is last. */
  readonly #latest: Map<NodeId, SequenceNumber> = new Map();

  /**
   * Takes note of a publication.
   *
   * @returns how many before it are missing; undefined if it must be dropped, because it has arrived before or later ones have
   */
  accept(from: NodeId, number: SequenceNumber): number | undefined {
    const latest = this.#latest.get(from);
    const missing = latest?.epoch === number.epoch ? number.seq - latest.seq - 1 : 0;
    if (missing < 0) return undefined;
    if (latest === undefined && this.#latest.size === MOST_REMEMBERED) this.#forgetOldest();
    this.#latest.set(from, number);
    return missing;
  }

  #forgetOldest(): void {
    for (const oldest of this.#latest.keys()) {
      this.#latest.delete(oldest);
      return;
    }
  }
}
