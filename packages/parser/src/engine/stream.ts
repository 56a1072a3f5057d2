import { TextDecoder } from "node:util";
import { ParseError } from "../errors.ts";

/*
 * Engine.IO over a byte stream (WebTransport): each packet's WebSocket frame behind its length, as
 *
 *   1 byte   binary flag (0x80) and the length, if below 126
 *   + 2      126 stands for a length in the next two bytes
 *   + 8      127 stands for a length in the next eight bytes
 *
 * with lengths in network byte order. A length of 0 is malformed.
 */
const BINARY_FLAG = 0x80;
const LENGTH_16 = 126;
const LENGTH_64 = 127;
/** The longest header, with the bytes that follow the first one. */
const MAX_HEADER = 9;
/** First allocation for a frame that comes in parts, in bytes; it doubles while the frame really grows. */
const FIRST_PART = 1024;

/** Binary data of no bytes: its own frame would have the malformed length 0, the base64 form of it has 1. */
const EMPTY_BINARY = { content: "b", binary: false };

const utf8 = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

/** A WebSocket frame: text, which may be UTF-8 bytes already, or binary. */
export interface StreamFrame {
  readonly content: string | Buffer;
  readonly binary: boolean;
}

/** Frames as the bytes of a stream, in one buffer of its own memory, which the receiver may transfer. */
export function encodeStreamFrames(frames: readonly StreamFrame[]): Buffer {
  const sendable = frames.map((frame) => (frame.content.length === 0 ? EMPTY_BINARY : frame));
  const lengths = sendable.map(({ content }) => Buffer.byteLength(content));
  const size = lengths.reduce((sum, length) => sum + 1 + extraLength(length) + length, 0);
  const bytes = Buffer.allocUnsafeSlow(size);
  let at = 0;
  for (const [index, { content, binary }] of sendable.entries()) {
    const length = lengths[index]!;
    const extra = extraLength(length);
    bytes[at++] = (binary ? BINARY_FLAG : 0) | (extra === 0 ? length : extra === 2 ? LENGTH_16 : LENGTH_64);
    if (extra === 2) at = bytes.writeUInt16BE(length, at);
    else if (extra === 8) at = bytes.writeBigUInt64BE(BigInt(length), at);
    at += typeof content === "string" ? bytes.write(content, at) : content.copy(bytes, at);
  }
  return bytes;
}

function extraLength(length: number): 0 | 2 | 8 {
  return length < LENGTH_16 ? 0 : length < 65_536 ? 2 : 8;
}

/**
 * Cuts the bytes of a stream into frames, however they are chunked. One per stream; after an error it is of no use.
 *
 * @example
 * const decoder = new StreamFrameDecoder(1_000_000);
 * for await (const chunk of stream) for (const frame of decoder.add(chunk)) console.log(frame);
 */
export class StreamFrameDecoder {
  readonly #maxPayload: number;
  readonly #header: Buffer = Buffer.alloc(MAX_HEADER);
  #headerSize = 0;
  /** Content length of the frame that is being read; -1 until its header is whole. */
  #length = -1;
  /** What has come of a content that is not whole. */
  #part: Buffer | undefined = undefined;
  #partSize = 0;

  /** @param maxPayload - longest content of a frame, in bytes */
  constructor(maxPayload: number) {
    this.#maxPayload = maxPayload;
  }

  /**
   * The frames that are whole with this chunk, cut out while they are asked for; ask for all of them before the next chunk.
   * A binary frame that came in one chunk is a view of it, not a copy.
   *
   * @throws ParseError from the iterator: `PAYLOAD_TOO_LARGE`, `EMPTY_PACKET`, `ILLEGAL_UTF8`
   */
  *add(chunk: Uint8Array): Generator<string | Buffer> {
    const bytes = Buffer.from(chunk.buffer, chunk.byteOffset, chunk.byteLength);
    let at = 0;
    while (at < bytes.length) {
      if (this.#length === -1) {
        this.#header[this.#headerSize++] = bytes[at++]!;
        this.#readHeader();
        continue;
      }
      const end = Math.min(at + this.#length - this.#partSize, bytes.length);
      const content = this.#take(bytes.subarray(at, end));
      at = end;
      if (content !== undefined) yield this.#finish(content);
    }
  }

  #readHeader(): void {
    const header = this.#header;
    const short = header[0]! & ~BINARY_FLAG;
    const extra = short === LENGTH_16 ? 2 : short === LENGTH_64 ? 8 : 0;
    if (this.#headerSize <= extra) return;
    const length =
      extra === 0 ? short : extra === 2 ? header.readUInt16BE(1) : Number(header.readBigUInt64BE(1));
    if (length === 0) throw new ParseError("EMPTY_PACKET");
    if (length > this.#maxPayload) throw new ParseError("PAYLOAD_TOO_LARGE", this.#maxPayload);
    this.#length = length;
  }

  /** The whole content, once it is there. */
  #take(bytes: Buffer): Buffer | undefined {
    const length = this.#length;
    if (bytes.length === length) return bytes;
    const size = this.#partSize + bytes.length;
    let part = this.#part;
    if (part === undefined || part.length < size) {
      // The length is only a claim: memory follows what has really come.
      const grown = Buffer.allocUnsafeSlow(Math.min(length, Math.max(size * 2, FIRST_PART)));
      part?.copy(grown, 0, 0, this.#partSize);
      this.#part = part = grown;
    }
    bytes.copy(part, this.#partSize);
    this.#partSize = size;
    return size === length ? part.subarray(0, length) : undefined;
  }

  #finish(content: Buffer): string | Buffer {
    const binary = (this.#header[0]! & BINARY_FLAG) !== 0;
    this.#headerSize = this.#partSize = 0;
    this.#length = -1;
    this.#part = undefined;
    return binary ? content : decodeText(content);
  }
}

function decodeText(bytes: Buffer): string {
  try {
    return utf8.decode(bytes);
  } catch {
    throw new ParseError("ILLEGAL_UTF8");
  }
}
