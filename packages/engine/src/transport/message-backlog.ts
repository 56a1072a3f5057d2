import type { Backlog } from "../loop/turns.ts";

/** What a message costs beside its content, in bytes, roughly. */
const OVERHEAD = 64;

/** Who handles the messages of a backlog. */
export interface BacklogHandlers {
  onMessage(data: string | Buffer): void;
  /** All messages of this slice were handed over: the moment to answer. */
  onReadEnd(): void;
  /** Runs `batch.write()`; what is sent meanwhile leaves together. */
  cork(batch: { write(): void }): void;
  /** Whether anybody wants to have the messages. */
  isWanted(): boolean;
  /** Goes on reading, after it was paused. */
  resume(): void;
}

/** The messages of one WebSocket that wait for another turn of the loop, in order, and then its end. */
export class MessageBacklog implements Backlog {
  readonly isPaused: boolean;
  readonly #handlers: BacklogHandlers;
  #messages: (string | Buffer | undefined)[] = [];
  /** Those before it were handled. */
  #next = 0;
  #end: (() => void)[] = [];
  /** In bytes. */
  size: number = 0;

  /** @param isPaused - whether nothing is read until the messages were handled */
  constructor(handlers: BacklogHandlers, isPaused: boolean) {
    this.#handlers = handlers;
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
    this.#handlers.cork({ write: () => this.#handle(isOver) });
    return this.#handlers.isWanted() && this.#next < this.#messages.length;
  }

  finish(): void {
    for (const run of this.#end) run();
    if (this.isPaused) this.#handlers.resume();
  }

  #handle(isOver: () => boolean): void {
    const handlers = this.#handlers;
    const messages = this.#messages;
    do {
      const data = messages[this.#next]!;
      messages[this.#next++] = undefined;
      this.size -= data.length + OVERHEAD;
      handlers.onMessage(data);
    } while (this.#next < messages.length && handlers.isWanted() && !isOver());
    // Half of it at a time: moving what is left costs as much as handling it.
    if (this.#next * 2 >= messages.length) {
      messages.splice(0, this.#next);
      this.#next = 0;
    }
    handlers.onReadEnd();
  }
}
