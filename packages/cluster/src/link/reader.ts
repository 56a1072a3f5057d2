import { LinkError } from "../errors.ts";

/**
 * Reads the fields of a payload, in the order in which `PayloadWriter` wrote them. Every method throws a `LinkError` where the
 * payload ends too early. A handler of a link lets it pass: the link breaks, for its other end does not speak the protocol.
 */
export class PayloadReader {
  readonly #buffer: Buffer;
  #at = 0;

  constructor(payload: Buffer) {
    this.#buffer = payload;
  }

  u8(): number {
    return this.#buffer[this.#take(1)]!;
  }

  u32(): number {
    return this.#buffer.readUInt32BE(this.#take(4));
  }

  f64(): number {
    return this.#buffer.readDoubleBE(this.#take(8));
  }

  text(): string {
    const length = this.u32();
    if (length === 0) return "";
    const start = this.#take(length);
    return this.#buffer.toString("utf8", start, this.#at);
  }

  texts(): string[] {
    const values: string[] = [];
    for (let left = this.u32(); left > 0; left--) values.push(this.text());
    return values;
  }

  /** A view of the payload: copy what is kept. */
  bytes(): Buffer {
    const start = this.#take(this.u32());
    return this.#buffer.subarray(start, this.#at);
  }

  /** What has not been read, as a view of the payload: copy what is kept. */
  rest(): Buffer {
    return this.#buffer.subarray(this.#at);
  }

  /** Returns where the next bytes begin, and goes behind them. */
  #take(bytes: number): number {
    const start = this.#at;
    if (bytes > this.#buffer.length - start) throw new LinkError("MALFORMED", "it ends too early");
    this.#at = start + bytes;
    return start;
  }
}
