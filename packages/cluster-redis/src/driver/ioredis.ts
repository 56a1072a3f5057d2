import type { RedisDriver } from "./driver.ts";

/** A client of `ioredis`, version 5 or later: `Redis` or `Cluster`. */
export interface IoredisClient {
  readonly status: string;
  eval(script: string, keys: number, ...args: string[]): Promise<unknown>;
  subscribe(channel: string): Promise<unknown>;
  on(event: "messageBuffer", listener: (channel: Buffer, message: Buffer) => void): unknown;
  on(event: "error", listener: (error: Error) => void): unknown;
  disconnect(): void;
  duplicate(): IoredisClient;
}

export class IoredisDriver implements RedisDriver {
  readonly #client: IoredisClient;

  constructor(client: IoredisClient) {
    this.#client = client;
  }

  evaluate(script: string, key: string, args: readonly string[]): Promise<unknown> {
    return this.#client.eval(script, 1, key, ...args);
  }

  async subscribe(channel: string, onMessage: (message: Buffer) => void): Promise<() => void> {
    const subscriber = this.#client.duplicate();
    // The client of the application has the same errors.
    subscriber.on("error", ignore);
    subscriber.on("messageBuffer", (_channel, message) => onMessage(message));
    try {
      await subscriber.subscribe(channel);
    } catch (error) {
      subscriber.disconnect();
      throw error;
    }
    return () => subscriber.disconnect();
  }
}

function ignore(): void {}
