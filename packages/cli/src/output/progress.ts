import { isTerminal } from "./style.ts";

const WIDTH = 24;
const CLEAR_LINE = "\r\u001b[K";

/** A line of a terminal that shows how far a command is. Writes nothing where nobody looks. */
export class Progress {
  readonly #stream: NodeJS.WritableStream;
  readonly #isShown: boolean;

  constructor(stream: NodeJS.WritableStream) {
    this.#stream = stream;
    this.#isShown = isTerminal(stream);
  }

  /** @param done - from 0 to 1 */
  show(done: number, label: string): void {
    if (!this.#isShown) return;
    const filled = Math.round(Math.min(Math.max(done, 0), 1) * WIDTH);
    this.#stream.write(`${CLEAR_LINE}${"█".repeat(filled)}${"░".repeat(WIDTH - filled)} ${label}`);
  }

  /** Before anything else is written. */
  clear(): void {
    if (this.#isShown) this.#stream.write(CLEAR_LINE);
  }
}
