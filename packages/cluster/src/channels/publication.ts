import { PayloadReader } from "../link/reader.ts";
import type { PayloadWriter } from "../link/writer.ts";
import type { NodeId } from "../node-id.ts";

/** Later versions may publish in other formats, which this one ignores. */
const FORMAT = 1;

/** Bytes of a publication besides the id of its publisher and its messages. */
const HEAD = 33;

/** What one tick publishes to a channel in a row. */
export interface Publication {
  readonly from: NodeId;
  /** Chosen at random by the publisher, when it starts to count. */
  readonly epoch: number;
  /** The number of the first message: those of a publisher to one channel count up from 1. */
  readonly first: number;
  /** How many messages there are. */
  readonly count: number;
  /**
   * For messages that are published to several channels: the number of the first one, by which a node that gets it from two channels
   * tells. Otherwise 0.
   */
  readonly firstCopy: number;
  /** The messages, each with its length in front. */
  readonly messages: Buffer;
}

/** Returns the bytes of a publication. */
export function encodePublication(writer: PayloadWriter, publication: Publication): Buffer {
  const { from, epoch, first, count, firstCopy, messages } = publication;
  const head = writer.begin().u8(FORMAT).text(from).f64(epoch).f64(first).u32(count).f64(firstCopy).end();
  return Buffer.concat([head, messages]);
}

/**
 * Reads a publication. Its messages are a view of the payload.
 *
 * @returns undefined if it is of another format
 * @throws LinkError if it ends too early
 */
export function decodePublication(payload: Buffer): Publication | undefined {
  const reader = new PayloadReader(payload);
  if (reader.u8() !== FORMAT) return undefined;
  const [from, epoch, first] = [reader.text(), reader.f64(), reader.f64()];
  return { from, epoch, first, count: reader.u32(), firstCopy: reader.f64(), messages: reader.rest() };
}

/** Returns how many bytes a publication of messages has at most. */
export function publicationSize(from: NodeId, messages: number): number {
  return HEAD + from.length + messages;
}
