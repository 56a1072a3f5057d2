import type { Readable } from "node:stream";

/** How many characters of a line wait for its end. A longer one is printed in parts. */
const LONGEST = 64 * 1024;

/** A stream to which all workers print: whole lines, each of which begins with the prefix of its worker. */
export class SharedOutput {
  readonly #target: NodeJS.WritableStream;
  /** Those that wait while the target is full. */
  readonly #paused: Set<Readable> = new Set();

  constructor(target: NodeJS.WritableStream) {
    this.#target = target;
    target.on("drain", () => this.#resume());
    // Nobody reads it any more, or the disk is full: what cannot be printed is lost, as it is for `console.log()`.
    target.on("error", () => this.#resume());
  }

  #resume(): void {
    for (const source of this.#paused) source.resume();
    this.#paused.clear();
  }

  /** Copies a stream line by line, and waits with it while the target is full. */
  copy(source: Readable, prefix: string): void {
    let begun = "";
    source.setEncoding("utf8");
    source.on("data", (chunk: string) => {
      const lines = (begun + chunk).split("\n");
      begun = lines.pop() ?? "";
      if (begun.length > LONGEST) {
        lines.push(begun);
        begun = "";
      }
      if (lines.length > 0) this.#write(source, lines.map((line) => `${prefix}${line}\n`).join(""));
    });
    source.on("end", () => {
      if (begun !== "" && this.#target.writable) this.#target.write(`${prefix}${begun}\n`);
    });
  }

  #write(source: Readable, text: string): void {
    if (!this.#target.writable || this.#target.write(text)) return;
    source.pause();
    this.#paused.add(source);
  }
}
