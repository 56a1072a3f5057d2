/**
 * Counts writes as uWebSockets.js makes them: it has one cork buffer, which a handler holds for the socket it serves. What is
 * written to that socket leaves together; what is written to another one meanwhile leaves piece by piece.
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
