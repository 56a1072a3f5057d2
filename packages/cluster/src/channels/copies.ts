/** How many numbers are remembered at least. */
const REMEMBERED = 1024;

/** Which messages of a publisher have arrived already, of those that it has published to several channels. */
export class Copies {
  #older: Set<number> = new Set();
  #newer: Set<number> = new Set();

  /** Returns whether the message has not arrived before. */
  add(number: number): boolean {
    if (this.#newer.has(number) || this.#older.has(number)) return false;
    if (this.#newer.size === REMEMBERED) {
      this.#older = this.#newer;
      this.#newer = new Set();
    }
    this.#newer.add(number);
    return true;
  }
}
