// What a connection is to receive, byte for byte: an endless repetition of a few messages of equal length.
// Comparing whole chunks with it is far cheaper than parsing frames, and leaves nothing unchecked.
import { serverFrame } from "./frames.mjs";

const READ_SIZE = 64 * 1024;

/** Bytes of all reads: a read is looked at before the next one happens, so one buffer serves every connection. */
export const readBuffer = Buffer.allocUnsafe(READ_SIZE);

export class ExpectedStream {
  /** Length of one message in bytes, frame headers included. */
  messageLength;
  /** @type {Buffer} */
  #ring;
  #cycle;

  /** @param {(string | Buffer)[][]} messages the contents of the frames of each message */
  constructor(messages) {
    const frames = messages.map((contents) => Buffer.concat(contents.map(serverFrame)));
    this.messageLength = frames[0].length;
    if (frames.some((frame) => frame.length !== this.messageLength)) {
      throw new Error("the messages of a stream must have one length");
    }
    const cycle = Buffer.concat(frames);
    this.#cycle = cycle.length;
    const repeats = 1 + Math.ceil(READ_SIZE / cycle.length);
    this.#ring = Buffer.concat(Array.from({ length: repeats }, () => cycle));
  }

  /**
   * Whether `data[from..to]` is what comes after the first `offset` bytes of the stream.
   *
   * @param {Buffer} data
   * @param {number} from
   * @param {number} to
   * @param {number} offset
   * @returns {boolean}
   */
  matches(data, from, to, offset) {
    const at = offset % this.#cycle;
    const end = at + to - from;
    return end <= this.#ring.length && data.compare(this.#ring, at, end, from, to) === 0;
  }

  /**
   * @param {number} from
   * @param {number} to offsets less than one message apart
   * @returns {Buffer}
   */
  bytes(from, to) {
    const at = from % this.#cycle;
    return this.#ring.subarray(at, at + to - from);
  }
}
