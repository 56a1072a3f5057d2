import { internals } from "@tidewire/cluster";
import { PostgresError } from "../errors.ts";
import type { OpenClient, PostgresResult } from "./client.ts";

/** How long PostgreSQL may take to answer before it counts as away, in ms. */
export const PATIENCE = 2000;

/** After how many times as long the connection counts as broken. */
export const BROKEN = 5;

/** How often PostgreSQL is asked for an answer if nobody else does, in ms. What is published is kept for some seconds to be repeated. */
const INTERVAL = 1000;

/** How long to wait at the end for queries, and for the connection to close, in ms. */
const GOODBYE = 2000;

export interface SessionHandlers {
  onNotification(channel: string, payload: string): void;
  /** A query is not answered in time. */
  onLate(): void;
  /** It has been answered after all. */
  onAnswer(): void;
}

/** A connection, from its first query to its end. Queries follow one another; one that is not answered for long ends it. */
export class Session {
  /** Fulfilled once it has ended: with the reason, unless it was closed. */
  readonly ended: Promise<Error | undefined>;
  readonly #open: OpenClient;
  readonly #handlers: SessionHandlers;
  readonly #timer: NodeJS.Timeout = setInterval(() => this.#beat(), INTERVAL).unref();
  #isAsking = false;
  #isLate = false;
  #isOpen = true;
  #reason: Error = new PostgresError("ENDED");
  #tellEnd: (error: Error | undefined) => void = ignore;
  #last: Promise<unknown> = Promise.resolve();
  /** The channels that it listens to. */
  readonly #channels: Set<string> = new Set();

  constructor(open: OpenClient, handlers: SessionHandlers) {
    this.#open = open;
    this.#handlers = handlers;
    this.ended = new Promise((resolve) => (this.#tellEnd = resolve));
    open.client.on("notification", ({ channel, payload = "" }) => {
      if (this.#isOpen) handlers.onNotification(channel, payload);
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
    if (commands.length === 0) return undefined;
    const listening = this.query(commands.join("; "));
    // Which of them it listens to is not known then.
    listening.catch((error: unknown) => this.#end(error instanceof Error ? error : new Error(String(error))));
    return listening;
  }

  /** Queries that wait are answered first. Fulfilled within some seconds; never rejected. */
  async close(): Promise<void> {
    await Promise.race([this.#last, wait(GOODBYE)]);
    if (!this.#isOpen) return;
    this.#isOpen = false;
    clearInterval(this.#timer);
    await Promise.race([this.#open.close().catch(ignore), wait(GOODBYE)]);
    this.#open.abandon();
    this.#tellEnd(undefined);
  }

  /** It is of no use any more. */
  #end(error: Error): void {
    if (!this.#isOpen) return;
    this.#isOpen = false;
    this.#reason = error;
    clearInterval(this.#timer);
    // Which rejects a query that has no answer.
    this.#open.close().catch(ignore);
    this.#tellEnd(error);
  }

  #beat(): void {
    if (!this.#isAsking) this.query("SELECT 1").catch(ignore);
  }

  async #ask(text: string, values?: unknown[]): Promise<PostgresResult> {
    if (!this.#isOpen) throw this.#reason;
    this.#isAsking = true;
    const deadlines = [
      new internals.Deadline(PATIENCE, () => this.#onLate()),
      new internals.Deadline(BROKEN * PATIENCE, () =>
        this.#end(new PostgresError("NO_ANSWER", String(BROKEN * PATIENCE))),
      ),
    ];
    try {
      return await this.#open.client.query(text, values);
    } finally {
      this.#isAsking = false;
      for (const deadline of deadlines) deadline.end();
      this.#onAnswer();
    }
  }

  #onLate(): void {
    if (this.#isLate) return;
    this.#isLate = true;
    this.#handlers.onLate();
  }

  /** An error is an answer, too, unless the connection has ended. */
  #onAnswer(): void {
    if (!this.#isLate || !this.#isOpen) return;
    this.#isLate = false;
    this.#handlers.onAnswer();
  }
}

function wait(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms).unref());
}

function ignore(): void {}
