import type { Part } from "./link.ts";

/** The largest buffer that is used again, in bytes. */
const LARGEST_KEPT = 1024 * 1024;

/**
 * Writes the fields of a payload: numbers in big-endian, texts and bytes with their length in front. It is made for reuse:
 *
 *     const writer = new PayloadWriter();
 *     link.send(Kind.ASK, [writer.begin().u32(id).text(room).end(), body]);
 *
 * What `end()` returns is valid until `begin()` is called again; a link copies it.
 */
export class PayloadWriter {
  #buffer: Buffer = Buffer.allocUnsafeSlow(1024);
  #at = 0;

  /** Begins a payload. */
  begin(): this {
    this.#at = 0;
    // A large one is rare.
    if (this.#buffer.length > LARGEST_KEPT) this.#buffer = Buffer.allocUnsafeSlow(LARGEST_KEPT);
    return this;
  }

  /** A number from 0 to 255. */
  u8(value: number): this {
    this.#reserve(1);
    this.#buffer[this.#at++] = value;
    return this;
  }

  /** A whole number from 0 to 2^32 - 1. */
  u32(value: number): this {
    this.#reserve(4);
    this.#at = this.#buffer.writeUInt32BE(value, this.#at);
    return this;
  }

  /** Any number, such as a time in ms. */
  f64(value: number): this {
    this.#reserve(8);
    this.#at = this.#buffer.writeDoubleBE(value, this.#at);
    return this;
  }

  /** A text, as UTF-8. */
  text(value: string): this {
    this.#reserve(4 + (value.length < 1024 ? value.length * 3 : Buffer.byteLength(value)));
    const length = value === "" ? 0 : this.#buffer.write(value, this.#at + 4);
    this.#buffer.writeUInt32BE(length, this.#at);
    this.#at += 4 + length;
    return this;
  }

  /** A list of texts, with its length in front. */
  texts(values: Iterable<string>): this {
    this.#reserve(4);
    const at = this.#at;
    this.#at += 4;
    let length = 0;
    for (const value of values) {
      this.text(value);
      length++;
    }
    this.#buffer.writeUInt32BE(length, at);
    return this;
  }

  bytes(value: Uint8Array): this {
    this.#reserve(4 + value.length);
    this.#at = this.#buffer.writeUInt32BE(value.length, this.#at);
    this.#buffer.set(value, this.#at);
    this.#at += value.length;
    return this;
  }

  /** The parts of a payload one after the other, with their length together in front; as `bytes()` reads them. */
  parts(values: readonly Part[]): this {
    this.#reserve(4);
    const start = (this.#at += 4);
    for (const value of values) {
      if (typeof value === "string") {
        this.#reserve(value.length < 1024 ? value.length * 3 : Buffer.byteLength(value));
        this.#at += this.#buffer.write(value, this.#at);
      } else {
        this.#reserve(value.length);
        this.#buffer.set(value, this.#at);
        this.#at += value.length;
      }
    }
    this.#buffer.writeUInt32BE(this.#at - start, start - 4);
    return this;
  }

  /** How many bytes have been written since `begin()`. */
  get length(): number {
    return this.#at;
  }

  /** The payload, valid until `begin()`. More parts can follow it: the reader finds them with `rest()`. */
  end(): Buffer {
    return this.#buffer.subarray(0, this.#at);
  }

  #reserve(bytes: number): void {
    if (this.#buffer.length - this.#at >= bytes) return;
    const larger = Buffer.allocUnsafeSlow(Math.max(this.#at + bytes, this.#buffer.length * 2));
    this.#buffer.copy(larger, 0, 0, this.#at);
    this.#buffer = larger;
  }
}
