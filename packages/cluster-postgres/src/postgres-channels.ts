import { setTimeout as delay } from "node:timers/promises";
import { ClusterError } from "@tidewire/cluster";
import type { Channels, ChannelsHandlers } from "@tidewire/cluster";
import type { Connection, ConnectionUser } from "./connection/connection.ts";
import { NOTIFY } from "./sql.ts";

/** What a notification holds at most, in characters. */
const MAX_PAYLOAD = 7999;

/** How many bytes become how many characters in base64. */
const BYTES = 3;
const CHARACTERS = 4;

/** How many notifications one statement sends at most. */
const MAX_BATCH = 256;

/** What may wait at most, in bytes. PostgreSQL lets one statement after another notify, and may be too slow. */
const MAX_WAITING = 8 * 1024 * 1024;

/** How long to wait at the end for what was published, in ms. */
const GOODBYE = 2000;

/** A publication that waits. */
interface Publication {
  readonly channel: string;
  readonly payload: Buffer;
}

/**
 * A channel is one of PostgreSQL's. What is published while a statement is on its way leaves together in the next one. Notifications are
 * text: the bytes travel in base64.
 */
export class PostgresChannels implements Channels {
  readonly maxBytes: number = Math.floor(MAX_PAYLOAD / CHARACTERS) * BYTES;
  readonly #connection: Connection;
  readonly #prefix: string;
  #cluster = "";
  #handlers: ChannelsHandlers | undefined = undefined;
  #user: ConnectionUser | undefined = undefined;
  readonly #subscribed: Map<number, Promise<void>> = new Map();
  readonly #waiting: Publication[] = [];
  #waitingBytes = 0;
  /** Fulfilled when all is sent; undefined while nothing waits. */
  #sending: Promise<void> | undefined = undefined;

  /** @param prefix - of the channels */
  constructor(connection: Connection, prefix: string) {
    this.#connection = connection;
    this.#prefix = prefix;
  }

  get isBusy(): boolean {
    return this.#sending !== undefined;
  }

  start(cluster: string, handlers: ChannelsHandlers): void {
    let isAway = false;
    this.#cluster = cluster;
    this.#handlers = handlers;
    this.#user = {
      onUp: () => {
        if (isAway) handlers.onBack();
        isAway = false;
      },
      onDown: (error) => {
        isAway = true;
        handlers.onAway(new ClusterError("CHANNELS_AWAY", `PostgreSQL: ${error.message}`, { cause: error }));
      },
    };
    this.#connection.use(this.#user);
  }

  subscribe(channel: number): Promise<void> {
    const known = this.#subscribed.get(channel);
    if (known !== undefined) return known;
    const subscribed = this.#connection.listen(this.#nameOf(channel), (payload) =>
      this.#handlers?.onPublication(channel, Buffer.from(payload, "base64")),
    );
    this.#subscribed.set(channel, subscribed);
    return subscribed;
  }

  unsubscribe(channel: number): void {
    if (this.#subscribed.delete(channel)) this.#connection.unlisten(this.#nameOf(channel));
  }

  publish(channel: number, payload: Buffer): void {
    const isFull = this.#waitingBytes + payload.length > MAX_WAITING;
    if (this.#handlers === undefined || this.#connection.isDown || isFull) return;
    this.#waiting.push({ channel: this.#nameOf(channel), payload });
    this.#waitingBytes += payload.length;
    this.#sending ??= this.#sendAll();
  }

  async close(): Promise<void> {
    const user = this.#user;
    this.#handlers = undefined;
    this.#user = undefined;
    for (const channel of this.#subscribed.keys()) this.unsubscribe(channel);
    if (!this.#connection.isDown)
      await Promise.race([this.#sending, delay(GOODBYE, undefined, { ref: false })]);
    if (user !== undefined) await this.#connection.leave(user);
  }

  async #sendAll(): Promise<void> {
    // What is published in this tick leaves together.
    await new Promise<void>((resolve) => setImmediate(resolve));
    while (this.#waiting.length > 0) {
      const batch = this.#waiting.splice(0, MAX_BATCH);
      for (const { payload } of batch) this.#waitingBytes -= payload.length;
      await this.#send(batch);
    }
    this.#sending = undefined;
    this.#handlers?.onConfirmed();
  }

  async #send(batch: readonly Publication[]): Promise<void> {
    const channels = batch.map(({ channel }) => channel);
    const payloads = batch.map(({ payload }) => payload.toString("base64"));
    try {
      await this.#connection.query(NOTIFY, [channels.join(","), payloads.join(",")]);
    } catch {
      // They are lost, as the connection says.
    }
  }

  #nameOf(channel: number): string {
    return `${this.#prefix}:${this.#cluster}:${channel}`;
  }
}
