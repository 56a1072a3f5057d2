import { internals } from "@tidewire/cluster";
import type { NatsConnection } from "./connection.ts";

/** How often NATS is asked for an answer while somebody watches, in ms. What is published is kept for some seconds to be repeated. */
const INTERVAL = 1000;

/** How long NATS may take to answer before it counts as away, in ms. */
const PATIENCE = 2000;

/** Who is told whether NATS can be reached. */
export interface Watcher {
  /** Called once, until it is back. */
  onAway(error: Error): void;
  onBack(): void;
}

/** Whether NATS can be reached over a connection: it says when it breaks, but not that the server hangs. */
export class Reachability {
  readonly #connection: NatsConnection;
  readonly #watchers: Set<Watcher> = new Set();
  #timer: NodeJS.Timeout | undefined = undefined;
  #statuses: AsyncIterable<{ readonly type: string }> | undefined = undefined;
  #away: Error | undefined = undefined;
  /** NATS is there, but a subscription is not allowed. */
  #isDenied = false;

  constructor(connection: NatsConnection) {
    this.#connection = connection;
  }

  get isAway(): boolean {
    return this.#away !== undefined;
  }

  /** @returns ends it */
  watch(watcher: Watcher): () => void {
    this.#watchers.add(watcher);
    if (this.#watchers.size === 1) this.#begin();
    else if (this.#away !== undefined) watcher.onAway(this.#away);
    return () => {
      if (this.#watchers.delete(watcher) && this.#watchers.size === 0) this.#end();
    };
  }

  /** Whether NATS has read everything that was sent before. Never rejected. */
  async probe(): Promise<boolean> {
    try {
      await internals.answerWithin(this.#flush(), PATIENCE);
      return true;
    } catch (error) {
      this.#onAway(error instanceof Error ? error : new Error(String(error)));
      return false;
    }
  }

  /** The server does not allow what a subscription needs, until the next connection. */
  deny(error: Error): void {
    this.#isDenied = true;
    this.#onAway(error);
  }

  /** It is back whenever an answer comes, however late. */
  async #flush(): Promise<void> {
    await this.#connection.flush();
    this.#onBack();
  }

  #begin(): void {
    this.#away = undefined;
    this.#isDenied = false;
    this.#timer = setInterval(() => void this.probe(), INTERVAL).unref();
    this.#statuses = this.#connection.status();
    // How the connection ends, `closed()` says.
    this.#follow(this.#statuses).catch(() => {});
    void this.#awaitEnd(this.#statuses);
    void this.probe();
  }

  #end(): void {
    const statuses = this.#statuses;
    this.#statuses = undefined;
    clearInterval(this.#timer);
    if (statuses !== undefined && "stop" in statuses && typeof statuses.stop === "function") statuses.stop();
  }

  async #follow(statuses: AsyncIterable<{ readonly type: string }>): Promise<void> {
    for await (const { type } of statuses) {
      if (this.#statuses !== statuses) return;
      if (type === "disconnect") this.#onAway(new Error("the connection is broken"));
      if (type !== "reconnect") continue;
      this.#isDenied = false;
      void this.probe();
    }
  }

  async #awaitEnd(statuses: AsyncIterable<unknown>): Promise<void> {
    const error = await this.#connection.closed();
    if (this.#statuses !== statuses) return;
    const hint = 'connect with "maxReconnectAttempts: -1", or it does not come back';
    const reason = error instanceof Error ? `: ${error.message}; ${hint}` : "";
    this.#onAway(new Error(`the connection has been closed${reason}`, { cause: error }));
  }

  #onAway(error: Error): void {
    if (this.#away !== undefined || this.#watchers.size === 0) return;
    this.#away = error;
    for (const watcher of this.#watchers) watcher.onAway(error);
  }

  #onBack(): void {
    if (this.#away === undefined || this.#isDenied) return;
    this.#away = undefined;
    for (const watcher of this.#watchers) watcher.onBack();
  }
}
