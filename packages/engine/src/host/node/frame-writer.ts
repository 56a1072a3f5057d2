/** The longest content, in bytes, that is copied into one write with its neighbours. Copying longer ones does not pay off. */
export const MAX_GATHERED: number = 16 * 1024;

/** The first byte of a frame. */
const TEXT = 0x81;
const BINARY = 0x82;

/** A message in one frame. */
export class Frame {
  readonly content: string | Buffer;
  readonly isBinary: boolean;
  /** The packet that it was encoded from: the same object for every receiver of a broadcast. */
  readonly packet: object;
  /** In bytes. */
  readonly length: number;

  constructor(content: string | Buffer, isBinary: boolean, packet: object) {
    this.content = content;
    this.isBinary = isBinary;
    this.packet = packet;
    this.length = Buffer.byteLength(content);
  }
}

/**
 * Encodes the frames that leave in one write into one buffer, without masks, as a server sends them (RFC 6455, section 5.2).
 * `ws` writes two chunks for each frame.
 */
export class FrameWriter {
  #last: { frames: readonly Frame[]; bytes: Buffer } | undefined = undefined;

  /** Encodes once for receivers in a row that get the same frames, as those of a broadcast do. */
  encode(frames: readonly Frame[]): Buffer {
    if (this.#last !== undefined && areSame(frames, this.#last.frames)) return this.#last.bytes;
    const bytes = encode(frames);
    // Broadcasts are bytes: a string has one receiver.
    this.#last = typeof frames[0]?.content === "object" ? { frames, bytes } : undefined;
    return bytes;
  }
}

function areSame(frames: readonly Frame[], others: readonly Frame[]): boolean {
  if (frames.length !== others.length) return false;
  for (let i = 0; i < frames.length; i++) {
    const frame = frames[i]!;
    const other = others[i]!;
    // The packet counts: an application may write other bytes into the same buffer.
    if (frame.packet !== other.packet || frame.content !== other.content || frame.isBinary !== other.isBinary)
      return false;
  }
  return true;
}

function encode(frames: readonly Frame[]): Buffer {
  let size = 0;
  for (const { length } of frames) size += headOf(length) + length;
  const bytes = Buffer.allocUnsafe(size);
  let at = 0;
  for (const { content, length, isBinary } of frames) at = put(bytes, at, content, length, isBinary);
  return bytes;
}

/** How many bytes the head of a frame takes. */
function headOf(length: number): number {
  return length < 126 ? 2 : 4;
}

/** @returns where the frame ends */
function put(
  bytes: Buffer,
  start: number,
  content: string | Buffer,
  length: number,
  isBinary: boolean,
): number {
  let at = start;
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
  return at + length;
}

/** The answers of several chunks share memory of this size, in bytes. */
const POOL_SIZE = 16 * 1024;

/**
 * The frames that are sent while a chunk is handled. They have one receiver, and content that the application may change as soon as
 * `send` returns: each is encoded when it is sent, behind the one before it. One chunk is handled at a time, so a host has one.
 */
export class AnswerFrames {
  #bytes: Buffer = Buffer.allocUnsafeSlow(POOL_SIZE);
  #start = 0;
  #end = 0;
  /** Whether no chunk is being handled. */
  isFree: boolean = true;

  add(content: string | Buffer, isBinary: boolean): void {
    const length = Buffer.byteLength(content);
    this.#reserve(headOf(length) + length);
    this.#end = put(this.#bytes, this.#end, content, length, isBinary);
  }

  #reserve(size: number): void {
    if (this.#end + size <= this.#bytes.length) return;
    const added = this.#bytes.subarray(this.#start, this.#end);
    this.#bytes = Buffer.allocUnsafeSlow(Math.max(POOL_SIZE, (added.length + size) * 2));
    this.#start = 0;
    this.#end = added.copy(this.#bytes);
  }

  /** Returns the frames that were added since the last call, if there are any. */
  take(): Buffer | undefined {
    if (this.#start === this.#end) return undefined;
    const taken = this.#bytes.subarray(this.#start, this.#end);
    this.#start = this.#end;
    return taken;
  }
}
