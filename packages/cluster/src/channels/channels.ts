/**
 * The publish/subscribe of a broker, which carries broadcasts between nodes: channels of a cluster, by number. From one publisher,
 * what is published to one channel arrives in that order. It may arrive twice or be lost: publications are numbered by their
 * publishers. One object serves one server, which calls it.
 *
 * @example
 * // A broker that passes everything on in order:
 * class BrokerChannels implements Channels {
 *   readonly maxBytes = 1_000_000;
 *   #prefix = "";
 *
 *   start(cluster: string, handlers: ChannelsHandlers) {
 *     this.#prefix = cluster;
 *     broker.on("message", (name, bytes) => handlers.onPublication(Number(name.split(":")[1]), bytes));
 *     broker.on("close", () => handlers.onAway(new Error("the broker is away")));
 *     broker.on("open", () => handlers.onBack());
 *   }
 *   async subscribe(channel: number) {
 *     await broker.subscribe(`${this.#prefix}:${channel}`);
 *   }
 *   unsubscribe(channel: number) {
 *     void broker.unsubscribe(`${this.#prefix}:${channel}`);
 *   }
 *   publish(channel: number, payload: Buffer) {
 *     void broker.publish(`${this.#prefix}:${channel}`, payload);
 *   }
 *   close() {
 *     return broker.flush();
 *   }
 * }
 */
export interface Channels {
  /** The largest publication that it carries, in bytes; larger ones travel over the links. */
  readonly maxBytes: number;
  /**
   * Whether the broker has yet to confirm what was published. Messages then wait a moment, to leave together: until
   * {@link ChannelsHandlers.onConfirmed} is called, or two milliseconds have passed. Without, messages wait only while one tick
   * after the other publishes.
   */
  readonly isBusy?: boolean;
  /** Begins to connect. Called once before everything else; it may be called again after `close()`. */
  start(cluster: string, handlers: ChannelsHandlers): void;
  /**
   * Subscribes to a channel, until `unsubscribe()`. If the broker is away, it is subscribed to when it is back.
   *
   * @returns fulfilled as soon as what is published from now on arrives; never rejected
   */
  subscribe(channel: number): Promise<void>;
  unsubscribe(channel: number): void;
  /** Publishes to a channel. What is published in one tick leaves in one write. The bytes belong to it from now on. */
  publish(channel: number, payload: Buffer): void;
  /** Publications that wait here are sent first. Fulfilled within some seconds; never rejected. */
  close(): Promise<void>;
}

/**
 * What channels call.
 *
 * @example
 * broker.on("message", (channel, bytes) => handlers.onPublication(channel, bytes));
 * broker.on("close", () => handlers.onAway(new Error("the broker is away")));
 * broker.on("open", () => handlers.onBack());
 * broker.on("confirmed", () => handlers.onConfirmed());
 */
export interface ChannelsHandlers {
  /** Called for each publication to a channel that is subscribed to, perhaps for those of this node, too. The bytes stay valid. */
  onPublication(channel: number, payload: Buffer): void;
  /** The broker cannot be reached: what is published, and what others publish, is lost. Called once, until it is back. */
  onAway(error: Error): void;
  /** It can be reached again, and all subscriptions hold. */
  onBack(): void;
  /** The broker has confirmed all that was published: `isBusy` is not true any more. */
  onConfirmed(): void;
}
