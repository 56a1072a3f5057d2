import { isTerminal } from "./style.ts";

const WIDTH = 24;
/** A line is drawn again after so many ms. */
const FRAME = 50;
const CLEAR_LINE = "\r\u001b[K";

/** A line of a terminal that shows how far a command is. Writes nothing where nobody looks. */
export class Progress {
  readonly #stream: NodeJS.WritableStream;
  readonly #isShown: boolean;
  /** When it was drawn last. */
  #drawn = -Infinity;

  constructor(stream: NodeJS.WritableStream) {
    this.#stream = stream;
    this.#isShown = isTerminal(stream);
  }

  /**
   * May be called at any rate.
   *
   * @param done - from 0 to 1
   */
  show(done: number, label: string): void {
    const now = performance.now();
    if (!this.#isShown || now - this.#drawn < FRAME) return;
    this.#drawn = now;
    const filled = Math.round(Math.min(Math.max(done, 0), 1) * WIDTH);
    this.#stream.write(`${CLEAR_LINE}${"█".repeat(filled)}${"░".repeat(WIDTH - filled)} ${label}`);
  }

  /** Before anything else is written. */
  clear(): void {
    if (!this.#isShown || this.#drawn === -Infinity) return;
    this.#stream.write(CLEAR_LINE);
    this.#drawn = -Infinity;
  }
}
