/** Contents up to this length are copied into one write with their neighbours; for larger ones that would not pay. */
export const MAX_GATHERED: number = 16 * 1024;

/** First byte of a frame. */
const TEXT = 0x81;
const BINARY = 0x82;

/** A frame that is the whole message. */
export class Frame {
  readonly content: string | Buffer;
  readonly isBinary: boolean;
  /** What it is made of: one object for all who are sent the same message. */
  readonly packet: object;
  /** in bytes */
  readonly length: number;

  constructor(content: string | Buffer, isBinary: boolean, packet: object) {
    this.content = content;
    this.isBinary = isBinary;
    this.packet = packet;
    this.length = Buffer.byteLength(content);
  }
}

/**
 * Makes one buffer of the frames that leave in one write, as a server sends them: RFC 6455, section 5.2. Of `ws` each would be
 * two chunks, with a buffer and a request of its own.
 */
export class FrameWriter {
  #last: { frames: readonly Frame[]; bytes: Buffer } | undefined = undefined;

  /** Made once for all who get the same one after the other: the receivers of broadcasts. */
  encode(frames: readonly Frame[]): Buffer {
    if (this.#last !== undefined && areSame(frames, this.#last.frames)) return this.#last.bytes;
    const bytes = encode(frames);
    // Text has one receiver.
    this.#last = typeof frames[0]?.content === "object" ? { frames, bytes } : undefined;
    return bytes;
  }
}

function areSame(frames: readonly Frame[], others: readonly Frame[]): boolean {
  if (frames.length !== others.length) return false;
  for (let i = 0; i < frames.length; i++) {
    const frame = frames[i]!;
    const other = others[i]!;
    // By the packet: the same content alone may be memory of the application, which writes into it again.
    if (frame.packet !== other.packet || frame.content !== other.content || frame.isBinary !== other.isBinary)
      return false;
  }
  return true;
}

function encode(frames: readonly Frame[]): Buffer {
  let size = 0;
  for (const { length } of frames) size += (length < 126 ? 2 : 4) + length;
  const bytes = Buffer.allocUnsafe(size);
  let at = 0;
  for (const { content, length, isBinary } of frames) {
    bytes[at++] = isBinary ? BINARY : TEXT;
    if (length < 126) {
      bytes[at++] = length;
    } else {
      bytes[at++] = 126;
      bytes[at++] = length >> 8;
      bytes[at++] = length & 0xff;
    }
    if (typeof content === "string") bytes.write(content, at);
    else bytes.set(content, at);
    at += length;
  }
  return bytes;
}
