import type { ArrivedBatch } from "./journal.ts";

/** Batches that wait for what is read before them. Of too many, the oldest are dropped: their events are read, too, then. */
export class HeldBatches {
  readonly #mostBytes: number;
  readonly #batches: ArrivedBatch[] = [];
  #bytes = 0;

  /** @param mostBytes - the approximate size of what is held at most, in bytes */
  constructor(mostBytes: number) {
    this.#mostBytes = mostBytes;
  }

  get isEmpty(): boolean {
    return this.#batches.length === 0;
  }

  add(batch: ArrivedBatch): void {
    this.#batches.push(batch);
    this.#bytes += sizeOf(batch);
    while (this.#bytes > this.#mostBytes && this.#batches.length > 1) this.take();
  }

  /** Takes the oldest one. */
  take(): ArrivedBatch | undefined {
    const batch = this.#batches.shift();
    if (batch !== undefined) this.#bytes -= sizeOf(batch);
    return batch;
  }

  /** Something before the one that was taken last is missing. */
  putBack(batch: ArrivedBatch): void {
    this.#batches.unshift(batch);
    this.#bytes += sizeOf(batch);
  }
}

/** The approximate size of the objects around a batch. */
const BYTES_PER_BATCH = 512;

function sizeOf({ items }: ArrivedBatch): number {
  return items.reduce((size, { length }) => size + length, BYTES_PER_BATCH);
}
