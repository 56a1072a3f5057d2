import type { RedisDriver } from "./driver.ts";

/** A client of `redis`, version 4 or later: that of `createClient()`. */
export interface NodeRedisClient {
  readonly isOpen: boolean;
  eval(script: string, options: { keys: string[]; arguments: string[] }): Promise<unknown>;
  duplicate(): NodeRedisSubscriber;
}

/** The connection that subscribes. */
export interface NodeRedisSubscriber {
  connect(): Promise<unknown>;
  subscribe(channel: string, listener: (message: Buffer) => void, bufferMode: true): Promise<unknown>;
  on(event: "error", listener: (error: Error) => void): unknown;
  /** Since version 5. */
  destroy?(): unknown;
  /** Until version 5. */
  disconnect?(): unknown;
}

export class NodeRedisDriver implements RedisDriver {
  readonly #client: NodeRedisClient;

  constructor(client: NodeRedisClient) {
    this.#client = client;
  }

  evaluate(script: string, key: string, args: readonly string[]): Promise<unknown> {
    return this.#client.eval(script, { keys: [key], arguments: [...args] });
  }

  async subscribe(channel: string, onMessage: (message: Buffer) => void): Promise<() => void> {
    const subscriber = this.#client.duplicate();
    // The client of the application has the same errors.
    subscriber.on("error", ignore);
    await subscriber.connect();
    try {
      await subscriber.subscribe(channel, onMessage, true);
    } catch (error) {
      close(subscriber);
      throw error;
    }
    return () => close(subscriber);
  }
}

/** Before version 5 `disconnect` returns a promise; on a connection that is closed already, either refuses. */
function close(subscriber: NodeRedisSubscriber): void {
  const ended = async (): Promise<unknown> =>
    subscriber.destroy === undefined ? subscriber.disconnect?.() : subscriber.destroy();
  ended().catch(ignore);
}

function ignore(): void {}
