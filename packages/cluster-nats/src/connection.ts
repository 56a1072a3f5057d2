/**
 * What is needed of a connection: of `nats` 2.29 or later, or of `@nats-io/transport-node` 3 or later.
 *
 * @example
 * import { connect } from "@nats-io/transport-node";
 *
 * const connection = await connect({ servers: "nats://localhost:4222", maxReconnectAttempts: -1 });
 * cluster({ name: "chat", listen, backend: nats({ connection }) });
 */
export interface NatsConnection {
  readonly info?: { readonly max_payload: number };
  publish(subject: string, payload?: Uint8Array | string, options?: { reply?: string }): void;
  subscribe(
    subject: string,
    options: { queue?: string; callback: (error: Error | null, message: NatsMessage) => void },
  ): NatsSubscription;
  /** Fulfilled once the server has read everything that was sent before. */
  flush(): Promise<void>;
  status(): AsyncIterable<{ readonly type: string }>;
  closed(): Promise<void | Error>;
  isClosed(): boolean;
}

export interface NatsMessage {
  readonly data: Uint8Array;
  readonly reply?: string;
}

/**
 * What `subscribe()` of a connection returns.
 *
 * @example
 * const subscription = connection.subscribe("chat.>", { callback });
 * subscription.unsubscribe();
 */
export interface NatsSubscription {
  unsubscribe(): void;
}
