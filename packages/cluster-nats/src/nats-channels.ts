import { ClusterError } from "@tidewire/cluster";
import type { Channels, ChannelsHandlers } from "@tidewire/cluster";
import type { NatsConnection, NatsMessage, NatsSubscription } from "./connection.ts";
import type { Reachability } from "./reachability.ts";
import { subjectOf } from "./subjects.ts";

/** What a server carries unless it is told otherwise, in bytes. */
const USUAL_MAX_PAYLOAD = 1_048_576;

/** A channel is a subject of its own. The connection writes together what is published in one tick, and subscribes again by itself. */
export class NatsChannels implements Channels {
  readonly #connection: NatsConnection;
  readonly #reachability: Reachability;
  readonly #prefix: string;
  #subject = "";
  #handlers: ChannelsHandlers | undefined = undefined;
  #unwatch: (() => void) | undefined = undefined;
  readonly #subscriptions: Map<number, NatsSubscription> = new Map();
  /** Who waits until NATS is back. */
  readonly #waiting: Set<() => void> = new Set();

  /** @param prefix - of subjects */
  constructor(connection: NatsConnection, reachability: Reachability, prefix: string) {
    this.#connection = connection;
    this.#reachability = reachability;
    this.#prefix = prefix;
  }

  get maxBytes(): number {
    return this.#connection.info?.max_payload ?? USUAL_MAX_PAYLOAD;
  }

  start(cluster: string, handlers: ChannelsHandlers): void {
    this.#subject = subjectOf(this.#prefix, cluster);
    this.#handlers = handlers;
    this.#unwatch = this.#reachability.watch({
      onAway: (error) =>
        handlers.onAway(new ClusterError("CHANNELS_AWAY", `NATS: ${error.message}`, { cause: error })),
      onBack: () => {
        this.#wake();
        handlers.onBack();
      },
    });
  }

  async subscribe(channel: number): Promise<void> {
    const subscription = this.#subscriptions.get(channel) ?? this.#subscribe(channel);
    const isWanted = (): boolean => this.#subscriptions.get(channel) === subscription;
    if (subscription === undefined) return;
    while (isWanted() && !(await this.#reachability.probe())) if (isWanted()) await this.#untilBack();
  }

  unsubscribe(channel: number): void {
    this.#subscriptions.get(channel)?.unsubscribe();
    this.#subscriptions.delete(channel);
  }

  publish(channel: number, payload: Buffer): void {
    // The connection would keep it, without a limit, and send it when NATS is back.
    if (this.#handlers === undefined || this.#reachability.isAway) return;
    try {
      this.#connection.publish(`${this.#subject}.${channel}`, payload);
    } catch {
      // The application is closing the connection.
    }
  }

  async close(): Promise<void> {
    this.#handlers = undefined;
    for (const channel of this.#subscriptions.keys()) this.unsubscribe(channel);
    this.#wake();
    const { isAway } = this.#reachability;
    this.#unwatch?.();
    this.#unwatch = undefined;
    if (!isAway) await this.#reachability.probe();
  }

  /** @returns undefined if the application has closed the connection */
  #subscribe(channel: number): NatsSubscription | undefined {
    try {
      const subscription = this.#connection.subscribe(`${this.#subject}.${channel}`, {
        callback: (error, message) => {
          if (error === null) this.#handlers?.onPublication(channel, bytesOf(message));
          else this.#reachability.deny(error);
        },
      });
      this.#subscriptions.set(channel, subscription);
      return subscription;
    } catch {
      return undefined;
    }
  }

  #untilBack(): Promise<void> {
    return new Promise((resolve) => this.#waiting.add(resolve));
  }

  #wake(): void {
    for (const resolve of this.#waiting) resolve();
    this.#waiting.clear();
  }
}

function bytesOf({ data }: NatsMessage): Buffer {
  return Buffer.from(data.buffer, data.byteOffset, data.length);
}
