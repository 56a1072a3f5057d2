import type { WebSocketHandlers } from "../host.ts";

/** The first byte of a frame that is a whole message, not compressed. */
const TEXT = 0x81;
const BINARY = 0x82;

const FIN = 0x80;
const OPCODE = 0x0f;
const CLOSE = 0x8;
/** Opcodes from here on are those of control frames, which may come between the fragments of a message. */
const FIRST_CONTROL = 0x8;

const MASKED = 0x80;
const LENGTH = 0x7f;
/** Values of the length field which say that the length follows in two or in eight bytes. */
const TWO_BYTES = 126;
const EIGHT_BYTES = 127;

/** Decoders put it in the place of bytes that are not valid UTF-8. A client may also send it. */
const REPLACEMENT = "\ufffd";

/** Reads everything but plain messages: `ws`, which implements all of RFC 6455. */
export interface FrameFallback {
  /** Whether it must see all messages. */
  readonly wantsAll: boolean;
  /** Takes the next bytes. Between them and those before there may have been plain messages. */
  take(bytes: Buffer): void;
}

/**
 * The fast path for plain messages: decodes complete, masked, unfragmented data frames straight from a chunk of TCP. From the
 * first frame of any other kind to the end of the chunk, everything goes to `ws`; here only the lengths of those frames are
 * read, to find the next one (RFC 6455, section 5.2).
 */
export class FrameReader {
  readonly #maxPayload: number;
  readonly #fallback: FrameFallback;
  /** How many bytes of the current frame the fallback has yet to get. */
  #remaining = 0;
  /** The first bytes of a frame whose length is not known yet. */
  #head: Buffer | undefined = undefined;
  #isInFragments = false;
  /** The current frame is a close frame: no other follows. */
  #isLast = false;
  /** Everything further is ignored. */
  #ended = false;

  /** @param maxPayload - largest message in bytes, 0 for any */
  constructor(maxPayload: number, fallback: FrameFallback) {
    this.#maxPayload = maxPayload > 0 ? maxPayload : Infinity;
    this.#fallback = fallback;
  }

  /** @param handlers - gets the messages that are decoded here */
  read(chunk: Buffer, handlers: WebSocketHandlers): void {
    if (this.#ended) return;
    const at = this.#isAtStart() ? this.#takePlain(chunk, handlers) : 0;
    if (at === chunk.length) return;
    const rest = at === 0 ? chunk : chunk.subarray(at);
    this.#follow(rest);
    this.#fallback.take(rest);
  }

  /** Ignores everything further: the client has broken the protocol. */
  end(): void {
    this.#ended = true;
  }

  #isAtStart(): boolean {
    return (
      this.#remaining === 0 && this.#head === undefined && !this.#isInFragments && !this.#fallback.wantsAll
    );
  }

  /** @returns the index of the first byte that does not belong to a plain message */
  #takePlain(chunk: Buffer, handlers: WebSocketHandlers): number {
    let at = 0;
    while (chunk.length - at >= 6) {
      const first = chunk[at]!;
      const length = chunk[at + 1]! ^ MASKED;
      // If the bit for the mask is not set, this is larger than any length.
      if ((first !== TEXT && first !== BINARY) || length > TWO_BYTES) break;
      const isLong = length === TWO_BYTES;
      const size = isLong ? chunk.readUInt16BE(at + 2) : length;
      const start = at + (isLong ? 8 : 6);
      const end = start + size;
      if (end > chunk.length || size > this.#maxPayload) break;
      unmask(chunk, start, end);
      if (first === BINARY) {
        handlers.onMessage(chunk.subarray(start, end));
      } else {
        const text = chunk.toString("utf8", start, end);
        if (text.includes(REPLACEMENT)) {
          unmask(chunk, start, end);
          break;
        }
        handlers.onMessage(text);
      }
      at = end;
    }
    return at;
  }

  /** Follows the frames that the fallback gets. */
  #follow(given: Buffer): void {
    const bytes = this.#head === undefined ? given : Buffer.concat([this.#head, given]);
    this.#head = undefined;
    let at = this.#remaining;
    while (at < bytes.length && !this.#isLast) {
      const size = sizeOfFrame(bytes, at);
      if (size === undefined) {
        this.#head = bytes.subarray(at);
        at = bytes.length;
      } else {
        const opcode = bytes[at]! & OPCODE;
        if (opcode < FIRST_CONTROL) this.#isInFragments = (bytes[at]! & FIN) === 0;
        this.#isLast = opcode === CLOSE;
        at += size;
      }
    }
    this.#remaining = Math.max(0, at - bytes.length);
    if (this.#isLast && this.#remaining === 0) this.#ended = true;
  }
}

/** @returns the size in bytes, with the head; undefined if more bytes are needed to know it */
function sizeOfFrame(bytes: Buffer, at: number): number | undefined {
  const available = bytes.length - at;
  if (available < 2) return undefined;
  const mask = (bytes[at + 1]! & MASKED) === 0 ? 0 : 4;
  const length = bytes[at + 1]! & LENGTH;
  if (length < TWO_BYTES) return 2 + mask + length;
  if (length === TWO_BYTES) return available < 4 ? undefined : 4 + mask + bytes.readUInt16BE(at + 2);
  if (length === EIGHT_BYTES && available < 10) return undefined;
  return 10 + mask + bytes.readUInt32BE(at + 2) * 2 ** 32 + bytes.readUInt32BE(at + 6);
}

/** Applies the mask in front of `start`. Applied a second time, it restores the bytes. */
function unmask(bytes: Buffer, start: number, end: number): void {
  const a = bytes[start - 4]!;
  const b = bytes[start - 3]!;
  const c = bytes[start - 2]!;
  const d = bytes[start - 1]!;
  const whole = end - 3;
  let i = start;
  for (; i < whole; i += 4) {
    bytes[i]! ^= a;
    bytes[i + 1]! ^= b;
    bytes[i + 2]! ^= c;
    bytes[i + 3]! ^= d;
  }
  if (i < end) bytes[i]! ^= a;
  if (i + 1 < end) bytes[i + 1]! ^= b;
  if (i + 2 < end) bytes[i + 2]! ^= c;
}
