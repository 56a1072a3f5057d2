import type { Part } from "../link/link.ts";
import { PayloadWriter } from "../link/writer.ts";

/**
 * Messages that are published in a row to the same channels: they leave as one publication for each channel. Whatever is published
 * to other channels between two messages comes between them at the receivers, too, so it ends the run.
 */
export class Run {
  channels: readonly number[] = [];
  readonly #writer: PayloadWriter = new PayloadWriter();
  /** How many messages there are. */
  count = 0;

  /** The bytes of the messages. */
  get size(): number {
    return this.#writer.length;
  }

  begin(channels: readonly number[]): void {
    this.channels = channels;
    this.count = 0;
    this.#writer.begin();
  }

  add(parts: readonly Part[]): void {
    this.#writer.parts(parts);
    this.count++;
  }

  /** The messages, valid until `begin()`. */
  get messages(): Buffer {
    return this.#writer.end();
  }
}

/** Returns how many bytes a message has in a run. */
export function sizeInRun(parts: readonly Part[]): number {
  let size = 4;
  for (const part of parts) size += typeof part === "string" ? Buffer.byteLength(part) : part.length;
  return size;
}

/** Returns how many bytes a message has in a run at most, without a look at its text. */
export function mostInRun(parts: readonly Part[]): number {
  let size = 4;
  for (const part of parts) size += typeof part === "string" ? part.length * 3 : part.length;
  return size;
}
