import { PostgresError } from "../errors.ts";
import type { OpenClient, PostgresResult } from "./client.ts";

/** How long PostgreSQL may take to answer before the connection counts as broken, in ms. */
export const PATIENCE = 5000;

/** How long to wait at the end for queries, and for the connection to close, in ms. */
const GOODBYE = 2000;

/** A connection, from its first query to its end. Queries follow one another; one that is not answered ends it. */
export class Session {
  /** Fulfilled once it has ended: with the reason, unless it was closed. */
  readonly ended: Promise<Error | undefined>;
  readonly #open: OpenClient;
  #isOpen = true;
  #reason: Error = new PostgresError("ENDED");
  #tellEnd: (error: Error | undefined) => void = ignore;
  #last: Promise<unknown> = Promise.resolve();
  /** The channels that it listens to. */
  readonly #channels: Set<string> = new Set();

  constructor(open: OpenClient, onNotification: (channel: string, payload: string) => void) {
    this.#open = open;
    this.ended = new Promise((resolve) => (this.#tellEnd = resolve));
    open.client.on("notification", ({ channel, payload = "" }) => {
      if (this.#isOpen) onNotification(channel, payload);
    });
    open.client.on("error", (error) => this.#end(error));
    open.client.on("end", () => this.#end(new PostgresError("ENDED")));
  }

  query(text: string, values?: unknown[]): Promise<PostgresResult> {
    const answered = this.#last.then(() => this.#ask(text, values));
    this.#last = answered.catch(ignore);
    return answered;
  }

  /**
   * Listens to these channels, and to no others.
   *
   * @returns undefined if it does so already
   */
  listen(channels: Iterable<string>): Promise<unknown> | undefined {
    const wanted = new Set(channels);
    const added = [...wanted].filter((channel) => !this.#channels.has(channel));
    const removed = [...this.#channels].filter((channel) => !wanted.has(channel));
    for (const channel of added) this.#channels.add(channel);
    for (const channel of removed) this.#channels.delete(channel);
    const commands = [
      ...added.map((name) => `LISTEN "${name}"`),
      ...removed.map((name) => `UNLISTEN "${name}"`),
    ];
    return commands.length === 0 ? undefined : this.query(commands.join("; "));
  }

  /** Queries that wait are answered first. Fulfilled within some seconds; never rejected. */
  async close(): Promise<void> {
    await Promise.race([this.#last, wait(GOODBYE)]);
    if (!this.#isOpen) return;
    this.#isOpen = false;
    await Promise.race([this.#open.close().catch(ignore), wait(GOODBYE)]);
    this.#tellEnd(undefined);
  }

  /** It is of no use any more. */
  #end(error: Error): void {
    if (!this.#isOpen) return;
    this.#isOpen = false;
    this.#reason = error;
    // Which rejects a query that has no answer.
    this.#open.close().catch(ignore);
    this.#tellEnd(error);
  }

  async #ask(text: string, values?: unknown[]): Promise<PostgresResult> {
    if (!this.#isOpen) throw this.#reason;
    const timer = setTimeout(() => this.#end(new PostgresError("NO_ANSWER", String(PATIENCE))), PATIENCE);
    timer.unref();
    try {
      return await this.#open.client.query(text, values);
    } finally {
      clearTimeout(timer);
    }
  }
}

function wait(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms).unref());
}

function ignore(): void {}
