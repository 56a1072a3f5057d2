/**
 * Counts writes like uWebSockets.js, which has one cork buffer. A handler holds it for its socket: all writes to that socket
 * become one, while each write to another socket counts.
 */
export class CorkBuffer {
  writes: number = 0;
  /** What was sent over WebSocket; the same bytes for several receivers count once. */
  readonly contents: Set<unknown> = new Set();
  #holder: object | undefined = undefined;
  #isDirty = false;

  cork<T>(owner: object, run: () => T): T {
    if (this.#holder !== undefined) return run();
    this.#holder = owner;
    this.#isDirty = false;
    try {
      return run();
    } finally {
      this.#holder = undefined;
      if (this.#isDirty) this.writes++;
    }
  }

  wrote(owner: object): void {
    if (this.#holder === owner) this.#isDirty = true;
    else this.writes++;
  }
}
