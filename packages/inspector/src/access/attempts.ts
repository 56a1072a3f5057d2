/** How many failures an address has in a window. */
const ALLOWED = 10;
/** In ms. */
const WINDOW = 60_000;
/** How many addresses are remembered. */
const CAPACITY = 10_000;

interface Failures {
  count: number;
  /** When the window ends. */
  readonly until: number;
}

/** Counts failed attempts, so that nobody can try passwords. */
export class Attempts {
  readonly #failures: Map<string, Failures> = new Map();
  readonly #now: () => number;

  constructor(now: () => number = Date.now) {
    this.#now = now;
  }

  /** Returns for how many seconds an address has to wait; 0 if it may try. */
  waitOf(address: string): number {
    const failures = this.#failures.get(address);
    if (failures === undefined) return 0;
    const left = failures.until - this.#now();
    if (left <= 0) this.#failures.delete(address);
    return left <= 0 || failures.count < ALLOWED ? 0 : Math.ceil(left / 1000);
  }

  failed(address: string): void {
    const failures = this.#failures.get(address);
    if (failures !== undefined && failures.until > this.#now()) {
      failures.count++;
      return;
    }
    this.#failures.delete(address);
    // The map keeps the order of insertion: the first window ends first.
    if (this.#failures.size >= CAPACITY) this.#failures.delete(this.#failures.keys().next().value!);
    this.#failures.set(address, { count: 1, until: this.#now() + WINDOW });
  }

  succeeded(address: string): void {
    this.#failures.delete(address);
  }
}
