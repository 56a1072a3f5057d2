import type { WebSocketHandlers } from "../host.ts";

/** First byte of a frame that is a whole message, and is not compressed. */
const TEXT = 0x81;
const BINARY = 0x82;

const FIN = 0x80;
const OPCODE = 0x0f;
const CLOSE = 0x8;
/** From here on opcodes are of control frames, which may come between the fragments of a message. */
const FIRST_CONTROL = 0x8;

const MASKED = 0x80;
const LENGTH = 0x7f;
/** Lengths that say that the length itself follows, in two bytes or in eight. */
const TWO_BYTES = 126;
const EIGHT_BYTES = 127;

/** What stands for bytes that are no UTF-8. It may also have been sent as such. */
const REPLACEMENT = "\ufffd";

/** Who gets what is no plain message: `ws`, which knows the whole of RFC 6455. */
export interface FrameFallback {
  /** Whether it has to see all messages. */
  readonly wantsAll: boolean;
  /** Bytes that follow those it was given before, except for plain messages between. */
  take(bytes: Buffer): void;
}

/**
 * Takes plain messages out of the chunks of a TCP connection: each a single frame, masked, that came whole. They are nearly
 * all there is, and cost less here than as writes to the stream that `ws` takes frames apart in. Everything else, from its
 * first byte to the end of its chunk, is left to `ws`, and here only followed to the next frame. RFC 6455, section 5.2.
 */
export class FrameReader {
  readonly #maxPayload: number;
  readonly #fallback: FrameFallback;
  /** Bytes to come of the frame that the fallback is given. */
  #remaining = 0;
  /** The beginning of its head, when that did not come whole. */
  #head: Buffer | undefined = undefined;
  #isInFragments = false;
  /** The frame under way says that no other follows. */
  #isLast = false;
  /** Nothing counts any more. */
  #ended = false;

  /** @param maxPayload - largest message in bytes, 0 for any */
  constructor(maxPayload: number, fallback: FrameFallback) {
    this.#maxPayload = maxPayload > 0 ? maxPayload : Infinity;
    this.#fallback = fallback;
  }

  /** @param handlers - who gets the messages that are taken here */
  read(chunk: Buffer, handlers: WebSocketHandlers): void {
    if (this.#ended) return;
    const at = this.#isAtStart() ? this.#takePlain(chunk, handlers) : 0;
    if (at === chunk.length) return;
    const rest = at === 0 ? chunk : chunk.subarray(at);
    this.#follow(rest);
    this.#fallback.take(rest);
  }

  /** The client broke the protocol, and is not listened to any more. */
  end(): void {
    this.#ended = true;
  }

  #isAtStart(): boolean {
    return (
      this.#remaining === 0 && this.#head === undefined && !this.#isInFragments && !this.#fallback.wantsAll
    );
  }

  /** @returns where the first byte stands that does not belong to a plain message */
  #takePlain(chunk: Buffer, handlers: WebSocketHandlers): number {
    let at = 0;
    while (chunk.length - at >= 6) {
      const first = chunk[at]!;
      const length = chunk[at + 1]! ^ MASKED;
      // Without the mask's bit it is too large now.
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

  /** Keeps up with what the fallback is given. */
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

/** @returns in bytes, with its head; undefined when the bytes do not tell yet */
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

/** Applies the mask that stands before `start`; a second time it takes it off again. */
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
