import type { Message, RedisDriver, Subscriber, SubscriberHandlers } from "./driver.ts";

/**
 * A client of `ioredis`, version 5 or later: `Redis` or `Cluster`.
 *
 * @example
 * import { Redis } from "ioredis";
 *
 * const client = new Redis("redis://localhost:6379");
 * cluster({ name: "chat", listen, backend: redis({ client }) });
 */
export interface IoredisClient {
  readonly status: string;
  readonly isCluster: boolean;
  eval(script: string, keys: number, ...args: string[]): Promise<unknown>;
  publish(channel: string, message: Buffer): Promise<unknown>;
  spublish(channel: string, message: Buffer): Promise<unknown>;
  pipeline(commands: unknown[][]): { exec(): Promise<[error: Error | null, result: unknown][] | null> };
  subscribe(channel: string): Promise<unknown>;
  ssubscribe(channel: string): Promise<unknown>;
  unsubscribe(channel: string): Promise<unknown>;
  sunsubscribe(channel: string): Promise<unknown>;
  on(
    event: "messageBuffer" | "smessageBuffer",
    listener: (channel: Buffer, message: Buffer) => void,
  ): unknown;
  on(event: "error", listener: (error: Error) => void): unknown;
  on(event: "ready" | "close" | "-node", listener: () => void): unknown;
  disconnect(): void;
  /** Of a cluster, the options come second. */
  duplicate(first?: object, second?: object): IoredisClient;
  /** Of a cluster: the connections to its servers. */
  nodes?(): IoredisClient[];
}

/** How long after a connection was lost it is made again, in ms. */
const delay = (attempts: number): number => Math.min(attempts * 50, 1000);

/** Those of the connection for subscriptions. Whoever subscribes does so again, and waits for nothing. */
const ofSubscriber = { autoResubscribe: false, lazyConnect: false, retryStrategy: delay };

/** Those of the connection to one server of a cluster. Later, another one may be better. */
const ofServerSubscriber = { ...ofSubscriber, retryStrategy: null, readOnly: false };

/** Those of the connections to all servers of a cluster. */
const ofClusterSubscriber = { shardedSubscribers: true, lazyConnect: false, clusterRetryStrategy: null };

export class IoredisDriver implements RedisDriver {
  readonly isCluster: boolean;
  readonly #client: IoredisClient;

  constructor(client: IoredisClient) {
    this.isCluster = client.isCluster;
    this.#client = client;
  }

  evaluate(script: string, key: string, args: readonly string[]): Promise<unknown> {
    return this.#client.eval(script, 1, key, ...args);
  }

  async publish(messages: readonly Message[], isSharded: boolean): Promise<void> {
    const client = this.#client;
    const [first] = messages;
    if (first !== undefined && messages.length === 1) {
      await publishOne(client, first, isSharded);
      return;
    }
    if (client.isCluster) {
      // The channels of a cluster are on several nodes.
      await Promise.all(messages.map((message) => publishOne(client, message, isSharded)));
      return;
    }
    const command = isSharded ? "spublish" : "publish";
    const commands = messages.map(({ channel, payload }) => [command, channel, payload]);
    const results = await client.pipeline(commands).exec();
    for (const [error] of results ?? []) if (error !== null) throw error;
  }

  openSubscriber(handlers: SubscriberHandlers, isSharded: boolean): Subscriber {
    const client = this.#client;
    if (!client.isCluster) return new IoredisSubscriber(client.duplicate(ofSubscriber), handlers);
    const server = isSharded ? undefined : anyOf(client.nodes?.() ?? []);
    return server === undefined
      ? new IoredisClusterSubscriber(client.duplicate([], ofClusterSubscriber), handlers)
      : new IoredisSubscriber(server.duplicate(ofServerSubscriber), handlers);
  }
}

/** Every server of a cluster gets what is published on channels that are not sharded. */
function anyOf(servers: readonly IoredisClient[]): IoredisClient | undefined {
  return servers[Math.floor(Math.random() * servers.length)];
}

function publishOne(
  client: IoredisClient,
  { channel, payload }: Message,
  isSharded: boolean,
): Promise<unknown> {
  return isSharded ? client.spublish(channel, payload) : client.publish(channel, payload);
}

class IoredisSubscriber implements Subscriber {
  readonly #client: IoredisClient;

  constructor(client: IoredisClient, handlers: SubscriberHandlers) {
    this.#client = client;
    client.on("ready", () => handlers.onOpen());
    client.on("close", () => handlers.onClose());
    client.on("error", (error) => handlers.onError(error));
    client.on("messageBuffer", (channel, message) => handlers.onMessage(channel, message));
    client.on("smessageBuffer", (channel, message) => handlers.onMessage(channel, message));
  }

  get hasEnded(): boolean {
    return this.#client.status === "end";
  }

  subscribe(channel: string, isSharded: boolean): Promise<unknown> {
    return isSharded ? this.#client.ssubscribe(channel) : this.#client.subscribe(channel);
  }

  unsubscribe(channel: string, isSharded: boolean): Promise<unknown> {
    return isSharded ? this.#client.sunsubscribe(channel) : this.#client.unsubscribe(channel);
  }

  close(): void {
    this.#client.disconnect();
  }
}

/** Subscribes to channels of all servers of a cluster. */
class IoredisClusterSubscriber implements Subscriber {
  readonly #client: IoredisClient;
  #hasEnded = false;

  constructor(client: IoredisClient, handlers: SubscriberHandlers) {
    this.#client = client;
    let isReady = false;
    const onClose = (): void => {
      if (this.#hasEnded) return;
      this.#hasEnded = true;
      // The client may be in the middle of a look at its servers.
      setImmediate(() => this.close());
      handlers.onClose();
    };
    client.on("ready", () => {
      isReady = true;
      if (!this.#hasEnded) handlers.onOpen();
    });
    // It goes on without a server, and subscribes elsewhere, in silence. While it connects, it forgets other names of servers.
    client.on("-node", () => isReady && onClose());
    client.on("close", onClose);
    client.on("error", (error) => handlers.onError(error));
    client.on("messageBuffer", (channel, message) => handlers.onMessage(channel, message));
    client.on("smessageBuffer", (channel, message) => handlers.onMessage(channel, message));
  }

  get hasEnded(): boolean {
    return this.#hasEnded;
  }

  subscribe(channel: string, isSharded: boolean): Promise<unknown> {
    return isSharded ? this.#client.ssubscribe(channel) : this.#client.subscribe(channel);
  }

  unsubscribe(channel: string, isSharded: boolean): Promise<unknown> {
    return isSharded ? this.#client.sunsubscribe(channel) : this.#client.unsubscribe(channel);
  }

  close(): void {
    this.#hasEnded = true;
    this.#client.disconnect();
  }
}
