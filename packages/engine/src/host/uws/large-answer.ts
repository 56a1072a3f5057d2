import { clearTimeout, setTimeout } from "../timers.ts";
import { STALL_TIMEOUT } from "../host.ts";
import type { UwsResponse } from "./types.ts";

/** The size of an answer, in bytes, above which the kernel may not accept it at once. Smaller ones are written and forgotten. */
export const LARGE: number = 16 * 1024;

/** uWebSockets.js ends a response that makes no progress for 10 s, unless it is written to again. In ms. */
const POKE_INTERVAL = 4000;

/**
 * An answer that leaves as the client reads it, so that a lost connection is noticed until all of it has left. A client may stop
 * reading for a while, such as a phone that changes its network.
 */
export class LargeAnswer {
  readonly #response: UwsResponse;
  readonly #body: Buffer;
  readonly #done: () => void;
  #timer: NodeJS.Timeout | undefined = undefined;
  /** How much had left at the last look, and for how many ms it has not become more. */
  #offset = 0;
  #stalledFor = 0;

  constructor(response: UwsResponse, body: Buffer, done: () => void) {
    this.#response = response;
    this.#body = body;
    this.#done = done;
  }

  /** Writes what the kernel accepts, and the rest when it accepts more. Call while corked, behind the head. */
  start(): void {
    if (this.#write(0)) return;
    this.#response.onWritable((offset) => this.#write(offset));
    this.#watch();
  }

  /** The connection has ended, and nothing may be written any more. */
  stop(): void {
    if (this.#timer !== undefined) clearTimeout(this.#timer);
  }

  /** @returns whether the kernel accepted all of it */
  #write(offset: number): boolean {
    const [hasLeft, isDone] = this.#response.tryEnd(this.#body.subarray(offset), this.#body.length);
    if (isDone) {
      this.stop();
      this.#done();
    }
    return hasLeft;
  }

  #watch(): void {
    this.#timer = setTimeout(() => this.#poke(), POKE_INTERVAL).unref();
  }

  #poke(): void {
    const offset = this.#response.getWriteOffset();
    this.#stalledFor = offset === this.#offset ? this.#stalledFor + POKE_INTERVAL : 0;
    this.#offset = offset;
    if (this.#stalledFor >= STALL_TIMEOUT) {
      // Runs the abort handler.
      this.#response.close();
      return;
    }
    this.#watch();
    this.#response.cork(() => this.#write(offset));
  }
}
