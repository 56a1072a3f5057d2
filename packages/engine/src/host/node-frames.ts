/** Contents up to this length are copied into one write with their neighbours; for larger ones that would not pay. */
export const MAX_GATHERED: number = 16 * 1024;

/** First byte of a frame that is the whole message. */
const TEXT = 0x81;
const BINARY = 0x82;

interface Frame {
  readonly content: string | Buffer;
  /** in bytes */
  readonly length: number;
  readonly binary: boolean;
}

/**
 * Gathers the frames that leave in one write, as a server sends them: RFC 6455, section 5.2. Of `ws` each would be two chunks,
 * with a buffer and a request of its own.
 */
export class FrameGatherer {
  #frames: Frame[] = [];
  #last: { frames: readonly Frame[]; bytes: Buffer } | undefined = undefined;

  get isEmpty(): boolean {
    return this.#frames.length === 0;
  }

  add(content: string | Buffer, binary: boolean): void {
    this.#frames.push({ content, length: Buffer.byteLength(content), binary });
  }

  /** The bytes of what was gathered: made once for all who get the same one after the other, the receivers of broadcasts. */
  take(): Buffer {
    const frames = this.#frames;
    this.#frames = [];
    const last = this.#last;
    if (last !== undefined && areSame(frames, last.frames)) return last.bytes;
    const bytes = encode(frames);
    // Text has one receiver.
    this.#last = typeof frames[0]?.content === "object" ? { frames, bytes } : undefined;
    return bytes;
  }
}

function areSame(frames: readonly Frame[], others: readonly Frame[]): boolean {
  if (frames.length !== others.length) return false;
  for (let i = 0; i < frames.length; i++) {
    if (frames[i]!.content !== others[i]!.content || frames[i]!.binary !== others[i]!.binary) return false;
  }
  return true;
}

function encode(frames: readonly Frame[]): Buffer {
  let size = 0;
  for (const { length } of frames) size += (length < 126 ? 2 : 4) + length;
  const bytes = Buffer.allocUnsafe(size);
  let at = 0;
  for (const { content, length, binary } of frames) {
    bytes[at++] = binary ? BINARY : TEXT;
    if (length < 126) {
      bytes[at++] = length;
    } else {
      bytes[at++] = 126;
      bytes[at++] = length >> 8;
      bytes[at++] = length & 0xff;
    }
    at += typeof content === "string" ? bytes.write(content, at) : content.copy(bytes, at);
  }
  return bytes;
}
