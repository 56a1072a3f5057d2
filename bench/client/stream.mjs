// The expected bytes of a connection: a few messages of equal length, repeated. Comparing whole chunks is much cheaper than parsing
// frames, and checks every byte.
import net from "node:net";
import { serverFrame } from "./frames.mjs";

const READ_SIZE = 64 * 1024;

/** The buffer of all reads; each read is processed before the next one. */
export const readBuffer = Buffer.allocUnsafe(READ_SIZE);

/**
 * Opens a TCP connection.
 *
 * @param onRead gets the number of bytes in the read buffer
 * @param onEnd gets the reason
 */
export function connect(port, onRead, onEnd) {
  const callback = (length) => {
    onRead(length);
    return true;
  };
  const onread = { buffer: readBuffer, callback };
  const socket = net.connect({ port, host: "127.0.0.1", noDelay: true, onread });
  socket.on("error", (error) => onEnd(error.message));
  socket.on("close", () => onEnd("the server closed the connection"));
  return socket;
}

export class ExpectedStream {
  /** The length of one message in bytes, including frame headers. */
  messageLength;
  #ring;
  #cycle;

  /** @param messages the contents of the frames of each message */
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

  /** Whether `data[from..to]` follows the first `offset` bytes of the stream. */
  matches(data, from, to, offset) {
    const at = offset % this.#cycle;
    const end = at + to - from;
    return end <= this.#ring.length && data.compare(this.#ring, at, end, from, to) === 0;
  }

  /** @param to offsets less than one message apart */
  bytes(from, to) {
    const at = from % this.#cycle;
    return this.#ring.subarray(at, at + to - from);
  }
}
