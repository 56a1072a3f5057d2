import { Publishers } from "../channels/publishers.ts";
import type { NodeId } from "../node-id.ts";

/** The number of a publication: those of one publisher count up from 1. */
export interface SequenceNumber {
  /** Chosen at random by the publisher, each time it starts to count. */
  readonly epoch: number;
  readonly seq: number;
}

/** Whether publications arrive once and in order, for each publisher. */
export class Sequences {
  /** The latest number of each publisher. */
  readonly #latest: Publishers<SequenceNumber> = new Publishers();

  /**
   * Takes note of a publication.
   *
   * @returns how many before it are missing; undefined if it must be dropped, because it has arrived before or later ones have
   */
  accept(from: NodeId, number: SequenceNumber): number | undefined {
    const latest = this.#latest.get(from);
    const missing = latest?.epoch === number.epoch ? number.seq - latest.seq - 1 : 0;
    if (missing < 0) return undefined;
    this.#latest.heard(from, number);
    return missing;
  }
}
