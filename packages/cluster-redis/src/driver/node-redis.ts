import { KeyedCommands } from "./keyed-commands.ts";
import type { ClusterClient } from "./keyed-commands.ts";
import type { Message, RedisDriver, Subscriber, SubscriberHandlers } from "./driver.ts";

/**
 * A client of `redis`, version 4 or later: that of `createClient()` or `createCluster()`.
 *
 * @example
 * import { createClient } from "redis";
 *
 * const client = await createClient({ url: "redis://localhost:6379" }).connect();
 * cluster({ name: "chat", listen, backend: redis({ client }) });
 */
export interface NodeRedisClient {
  readonly isOpen: boolean;
  /** Of a cluster alone. */
  nodeClient?(server: never): unknown;
  eval(script: string, options: { keys: string[]; arguments: string[] }): Promise<unknown>;
  /** Of a cluster, it has other arguments. */
  sendCommand: unknown;
  publish(channel: string, message: Buffer): Promise<unknown>;
  duplicate(options?: object): NodeRedisSubscriber;
}

/** In buffer mode it gets buffers. */
type Listener = (message: Buffer | string, channel: Buffer | string) => void;

/**
 * The connection that subscribes.
 *
 * @example
 * const subscriber = client.duplicate();
 * await subscriber.connect();
 * await subscriber.subscribe("news", (message, channel) => console.log(channel, message), true);
 */
export interface NodeRedisSubscriber {
  readonly isOpen: boolean;
  connect(): Promise<unknown>;
  subscribe(channel: string, listener: Listener, bufferMode: true): Promise<unknown>;
  sSubscribe(channel: string, listener: Listener, bufferMode: true): Promise<unknown>;
  unsubscribe(channel: string, listener: Listener, bufferMode: true): Promise<unknown>;
  sUnsubscribe(channel: string, listener: Listener, bufferMode: true): Promise<unknown>;
  /** `node-error` is that of one server of a cluster, since version 5. */
  on(event: "error" | "node-error", listener: (error: Error) => void): unknown;
  on(event: "ready" | "reconnecting" | "end", listener: () => void): unknown;
  /** Since version 5. */
  destroy?(): unknown;
  /** Until version 5. */
  disconnect?(): unknown;
}

export class NodeRedisDriver implements RedisDriver {
  readonly isCluster: boolean;
  readonly #client: NodeRedisClient;
  readonly #cluster: KeyedCommands | undefined;

  constructor(client: NodeRedisClient) {
    this.isCluster = client.nodeClient !== undefined;
    this.#client = client;
    this.#cluster = this.isCluster ? new KeyedCommands(client as ClusterClient) : undefined;
  }

  evaluate(script: string, key: string, args: readonly string[]): Promise<unknown> {
    if (this.#cluster !== undefined) return this.#cluster.send(key, ["EVAL", script, "1", key, ...args]);
    return this.#client.eval(script, { keys: [key], arguments: [...args] });
  }

  /** The client writes all commands of a tick together. */
  async publish(messages: readonly Message[], isSharded: boolean): Promise<void> {
    await Promise.all(messages.map((message) => this.#publish(message, isSharded)));
  }

  /** Without the timer that version 6 would set for each command: whoever publishes knows how long an answer may take. */
  #publish({ channel, payload }: Message, isSharded: boolean): Promise<unknown> {
    if (this.#cluster === undefined) {
      const client = this.#client as { sendCommand: SendCommand };
      return client.sendCommand([isSharded ? "SPUBLISH" : "PUBLISH", channel, payload], NO_TIMEOUT);
    }
    return isSharded
      ? this.#cluster.send(channel, ["SPUBLISH", channel, payload], NO_TIMEOUT)
      : this.#client.publish(channel, payload);
  }

  openSubscriber(handlers: SubscriberHandlers): Subscriber {
    return this.isCluster
      ? new NodeRedisChannels(this.#client.duplicate({ minimizeConnections: true }), handlers, followCluster)
      : new NodeRedisChannels(this.#client.duplicate(), handlers, followServer);
  }
}

/** That of a client of one server. */
type SendCommand = (args: readonly (string | Buffer)[], options: object) => Promise<unknown>;

const NO_TIMEOUT = { timeout: undefined };

/** Tells of the connections of a client. Returns once it has connected for the first time. */
type Follow = (client: NodeRedisSubscriber, handlers: Omit<SubscriberHandlers, "onMessage">) => Promise<void>;

const followServer: Follow = async (client, handlers) => {
  client.on("ready", () => handlers.onOpen());
  client.on("reconnecting", () => handlers.onClose());
  client.on("end", () => handlers.onClose());
  client.on("error", (error) => handlers.onError(error));
  await client.connect();
};

/** It would connect to a server that has gone for ever, or subscribe elsewhere in silence: it ends with its first error. */
const followCluster: Follow = async (client, handlers) => {
  let isOpen = false;
  const onError = (error: Error): void => {
    handlers.onError(error);
    if (!isOpen) return;
    isOpen = false;
    close(client);
    handlers.onClose();
  };
  client.on("error", onError);
  client.on("node-error", onError);
  await client.connect();
  isOpen = true;
  handlers.onOpen();
};

class NodeRedisChannels implements Subscriber {
  readonly #client: NodeRedisSubscriber;
  /** The same for all channels: subscribing again does not add another one. */
  readonly #listener: Listener;
  #isConnecting = true;

  constructor(client: NodeRedisSubscriber, handlers: SubscriberHandlers, follow: Follow) {
    this.#client = client;
    this.#listener = (message, channel) => {
      if (typeof message !== "string" && typeof channel !== "string") handlers.onMessage(channel, message);
    };
    follow(client, handlers)
      .catch((error: Error) => handlers.onError(error))
      .finally(() => (this.#isConnecting = false));
  }

  get hasEnded(): boolean {
    return !this.#isConnecting && !this.#client.isOpen;
  }

  subscribe(channel: string, isSharded: boolean): Promise<unknown> {
    const client = this.#client;
    return isSharded
      ? client.sSubscribe(channel, this.#listener, true)
      : client.subscribe(channel, this.#listener, true);
  }

  unsubscribe(channel: string, isSharded: boolean): Promise<unknown> {
    const client = this.#client;
    return isSharded
      ? client.sUnsubscribe(channel, this.#listener, true)
      : client.unsubscribe(channel, this.#listener, true);
  }

  close(): void {
    close(this.#client);
  }
}

/** Before version 5 `disconnect` returns a promise; on a connection that is closed already, either refuses. */
function close(subscriber: NodeRedisSubscriber): void {
  const ended = async (): Promise<unknown> =>
    subscriber.destroy === undefined ? subscriber.disconnect?.() : subscriber.destroy();
  ended().catch(ignore);
}

function ignore(): void {}
