import type { Backlog } from "../loop/turns.ts";

/** The overhead of a message, in bytes, roughly. */
const OVERHEAD = 64;

/** What a backlog does with its messages. */
export interface BacklogHandlers {
  onMessage(data: string | Buffer): void;
  /** All messages of this slice were handed over: the moment to answer. */
  onReadEnd(): void;
  /** Runs `batch.write()`; what is sent meanwhile leaves together. */
  cork(batch: { write(): void }): void;
  /** Whether the messages still have a receiver. */
  isWanted(): boolean;
  /** Resumes reading after a pause. */
  resume(): void;
}

/** The messages of one WebSocket that wait for another turn of the loop, in order, and then its end. */
export class MessageBacklog implements Backlog {
  readonly isPaused: boolean;
  readonly #handlers: BacklogHandlers;
  #messages: (string | Buffer | undefined)[] = [];
  /** Index of the next message to handle. */
  #next = 0;
  #end: (() => void)[] = [];
  /** In bytes. */
  size: number = 0;

  /** @param isPaused - whether nothing is read until the messages are handled */
  constructor(handlers: BacklogHandlers, isPaused: boolean) {
    this.#handlers = handlers;
    this.isPaused = isPaused;
  }

  add(data: string | Buffer): void {
    this.#messages.push(data);
    this.size += data.length + OVERHEAD;
  }

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
    // Only when half of it is handled: moving the rest costs as much as handling it.
    if (this.#next * 2 >= messages.length) {
      messages.splice(0, this.#next);
      this.#next = 0;
    }
    handlers.onReadEnd();
  }
}
