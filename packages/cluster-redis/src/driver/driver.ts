/** What is needed of a client of Redis, whichever it is. */
export interface RedisDriver {
  /** Whether it leads to a Redis Cluster, where channels are on several servers. */
  readonly isCluster: boolean;
  /** Runs a script in Redis. Rejected, or not settled, while Redis is away. */
  evaluate(script: string, key: string, args: readonly string[]): Promise<unknown>;
  /** Publishes messages in this order, in one write if the client can. Rejected, or not settled, while Redis is away. */
  publish(messages: readonly Message[], isSharded: boolean): Promise<void>;
  /**
   * Makes a connection for subscriptions. It comes back by itself, perhaps without them; in Redis Cluster it ends with the connection
   * to any of the servers that it needs, because they may have changed roles.
   *
   * @param isSharded - whether it is for sharded channels, each of which is on one server of Redis Cluster
   */
  openSubscriber(handlers: SubscriberHandlers, isSharded: boolean): Subscriber;
}

export interface Message {
  readonly channel: string;
  readonly payload: Buffer;
}

/** A connection that subscribes to channels. */
export interface Subscriber {
  /** Whether it does not come back any more: another one must be opened. */
  readonly hasEnded: boolean;
  /** Fulfilled once messages arrive. Rejected, or not settled, if the connection breaks before. */
  subscribe(channel: string, isSharded: boolean): Promise<unknown>;
  unsubscribe(channel: string, isSharded: boolean): Promise<unknown>;
  close(): void;
}

/** What a subscriber calls. */
export interface SubscriberHandlers {
  onMessage(channel: Buffer, payload: Buffer): void;
  /** It is connected, and may have no subscriptions. */
  onOpen(): void;
  onClose(): void;
  onError(error: Error): void;
}
