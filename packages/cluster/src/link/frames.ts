import { ClusterError, LinkError } from "../errors.ts";
import type { Part } from "./link.ts";

/*
 * A frame: u32 length of the payload | u8 kind | u32 stream | payload, in big-endian. Stream 0 is no stream. The highest bit of
 * the kind says that the frame opens the stream, that of the stream that it ends it.
 */

export const HEADER = 9;

/** Set in the kind of a frame that opens its stream. */
export const OPENS = 0x80;

/** Added to the stream in a frame that ends it. */
export const ENDS = 0x8000_0000;

/** The longest payload of a frame, in bytes. */
export const MAX_PAYLOAD: number = 2 ** 30;

/** The size of the buffers in which frames are collected, in bytes, at first and at most. */
const BLOCK = 64 * 1024;
const LARGEST_BLOCK = 4 * BLOCK;

/** From this many characters on, it is cheaper to count the bytes of a text than to reserve three for each. */
const COUNTED = 1024;

/** Collects the frames of one tick. */
export class FrameWriter {
  #chunks: Uint8Array[] = [];
  #block: Buffer = Buffer.allocUnsafeSlow(BLOCK);
  /** Where the bytes in `#block` that are not in `#chunks` begin, and end. */
  #start = 0;
  #end = 0;
  /** Bytes that were collected. */
  length = 0;

  /**
   * Adds a frame. Copies the payload.
   *
   * @throws ClusterError (`TOO_LARGE`) if the other node would not accept it
   * @returns the length of the payload in bytes
   */
  add(kind: number, stream: number, payload: readonly Part[]): number {
    const before = this.length;
    this.#append(kind, stream, payload);
    return this.length - before - HEADER;
  }

  #append(kind: number, stream: number, payload: readonly Part[]): void {
    let most = HEADER;
    for (const part of payload) {
      most +=
        typeof part !== "string"
          ? part.length
          : part.length < COUNTED
            ? part.length * 3
            : Buffer.byteLength(part);
    }
    if (most <= this.#block.length - this.#end) {
      const end = write(this.#block, this.#end, kind, stream, payload);
      this.length += end - this.#end;
      this.#end = end;
      return;
    }
    if (most - HEADER > MAX_PAYLOAD) throw new ClusterError("TOO_LARGE", `it has ${most - HEADER} bytes`);
    this.#cut();
    // Longer frames have a buffer of their own.
    if (most <= BLOCK / 4) {
      this.#block = Buffer.allocUnsafeSlow(Math.min(this.#block.length * 2, LARGEST_BLOCK));
      this.#start = 0;
      this.#end = write(this.#block, 0, kind, stream, payload);
      this.length += this.#end;
      return;
    }
    const own = Buffer.allocUnsafeSlow(most);
    const end = write(own, 0, kind, stream, payload);
    this.#chunks.push(own.subarray(0, end));
    this.length += end;
  }

  /** Returns the chunks with all frames, and begins anew. */
  take(): readonly Uint8Array[] {
    this.#cut();
    const chunks = this.#chunks;
    this.#chunks = [];
    this.length = 0;
    return chunks;
  }

  /** The chunks that were taken last are not needed any more. Only before another frame is added. */
  recycle(): void {
    this.#start = this.#end = 0;
  }

  #cut(): void {
    if (this.#end > this.#start) this.#chunks.push(this.#block.subarray(this.#start, this.#end));
    this.#start = this.#end;
  }
}

/** Returns where the frame ends. */
function write(into: Buffer, start: number, kind: number, stream: number, payload: readonly Part[]): number {
  let end = start + HEADER;
  for (const part of payload) {
    if (typeof part === "string") {
      end += into.write(part, end);
    } else {
      into.set(part, end);
      end += part.length;
    }
  }
  writeU32(into, end - start - HEADER, start);
  into[start + 4] = kind;
  writeU32(into, stream, start + 5);
  return end;
}

// Those of Buffer check the value and the place.

function writeU32(into: Buffer, value: number, at: number): void {
  into[at] = value >>> 24;
  into[at + 1] = value >>> 16;
  into[at + 2] = value >>> 8;
  into[at + 3] = value;
}

function readU32(from: Buffer, at: number): number {
  return ((from[at]! << 24) | (from[at + 1]! << 16) | (from[at + 2]! << 8) | from[at + 3]!) >>> 0;
}

const nothing = Buffer.alloc(0);

/** Takes frames out of the chunks of a connection. */
export class FrameReader {
  /** The chunk that is being read, and what is left of it. */
  #chunk: Buffer = nothing;
  #at = 0;
  /** A frame that has begun in an earlier chunk: its header, or all of it once its length is known. */
  #frame: Buffer | undefined = undefined;
  /** How much of it has arrived. */
  #filled = 0;

  /** The kind, the stream and the payload of the frame that `next()` has found. The payload is valid as long as the chunk. */
  kind = 0;
  stream = 0;
  payload: Buffer = nothing;

  /** The longest payload to accept, in bytes. */
  maxPayload: number = MAX_PAYLOAD;

  /** Adds a chunk, once `next()` has returned false. */
  push(chunk: Buffer): void {
    this.#chunk = chunk;
    this.#at = 0;
  }

  /**
   * Finds the next frame. If there is none, what is left of the chunk has been copied.
   *
   * @throws LinkError if a payload is too long
   */
  next(): boolean {
    if (this.#frame !== undefined) return this.#complete(this.#frame);
    const left = this.#chunk.length - this.#at;
    if (left >= HEADER) {
      const length = this.#lengthAt(this.#chunk, this.#at);
      if (left >= length) {
        const start = this.#at;
        this.#at += length;
        this.#found(this.#chunk, start, this.#at);
        return true;
      }
      this.#frame = Buffer.allocUnsafe(length);
    } else if (left > 0) {
      this.#frame = Buffer.allocUnsafe(HEADER);
    } else {
      return false;
    }
    this.#fill(this.#frame);
    return false;
  }

  #complete(frame: Buffer): boolean {
    if (!this.#fill(frame)) return false;
    if (frame.length === HEADER) {
      const length = this.#lengthAt(frame, 0);
      if (length > HEADER) {
        const whole = Buffer.allocUnsafe(length);
        frame.copy(whole);
        this.#frame = whole;
        return this.#complete(whole);
      }
    }
    this.#frame = undefined;
    this.#filled = 0;
    this.#found(frame, 0, frame.length);
    return true;
  }

  /** Returns whether the buffer is full. */
  #fill(frame: Buffer): boolean {
    const copied = this.#chunk.copy(frame, this.#filled, this.#at);
    this.#at += copied;
    this.#filled += copied;
    return this.#filled === frame.length;
  }

  #lengthAt(buffer: Buffer, at: number): number {
    const length = readU32(buffer, at);
    if (length > this.maxPayload) throw new LinkError("MALFORMED", `a payload of ${length} bytes`);
    return HEADER + length;
  }

  #found(buffer: Buffer, start: number, end: number): void {
    this.kind = buffer[start + 4]!;
    this.stream = readU32(buffer, start + 5);
    this.payload = buffer.subarray(start + HEADER, end);
  }
}
