import type { Backlog } from "../loop/turns.ts";

/** What a message costs beside its content, in bytes, roughly. */
const OVERHEAD = 64;

/** Who handles the messages of a backlog. */
export interface BacklogOwner {
  /** Handles one message. */
  handle(data: string | Buffer): void;
  /** Runs `batch.write()`; what is sent meanwhile leaves together. */
  cork(batch: { write(): void }): void;
  /** Whether anybody wants to have the messages. */
  readonly isWanted: boolean;
  /** Goes on reading, after it was paused. */
  resume(): void;
}

/** The messages of one WebSocket that wait for another turn of the loop, in order, and then its end. */
export class MessageBacklog implements Backlog {
  readonly isPaused: boolean;
  readonly #owner: BacklogOwner;
  #messages: (string | Buffer | undefined)[] = [];
  /** Those before it were handled. */
  #next = 0;
  #end: (() => void)[] = [];
  #isOver: () => boolean = () => true;
  /** In bytes. */
  size: number = 0;

  /** @param isPaused - whether nothing is read until the messages were handled */
  constructor(owner: BacklogOwner, isPaused: boolean) {
    this.#owner = owner;
    this.isPaused = isPaused;
  }

  add(data: string | Buffer): void {
    this.#messages.push(data);
    this.size += data.length + OVERHEAD;
  }

  /** Runs behind the messages: an error or the close of the connection. */
  addEnd(run: () => void): void {
    this.#end.push(run);
  }

  /** Whether the connection has ended. */
  get hasEnd(): boolean {
    return this.#end.length > 0;
  }

  work(isOver: () => boolean): boolean {
    this.#isOver = isOver;
    this.#owner.cork(this);
    return this.#owner.isWanted && this.#next < this.#messages.length;
  }

  finish(): void {
    for (const run of this.#end) run();
    if (this.isPaused) this.#owner.resume();
  }

  /** While corked. */
  write(): void {
    const messages = this.#messages;
    do {
      const data = messages[this.#next]!;
      messages[this.#next++] = undefined;
      this.size -= data.length + OVERHEAD;
      this.#owner.handle(data);
    } while (this.#next < messages.length && this.#owner.isWanted && !this.#isOver());
    // Half of it at a time: moving what is left costs as much as handling it.
    if (this.#next * 2 < messages.length) return;
    messages.splice(0, this.#next);
    this.#next = 0;
  }
}
