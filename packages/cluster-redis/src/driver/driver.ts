/** What is needed of a client of Redis, whichever it is. */
export interface RedisDriver {
  /** Runs a script in Redis. Rejected, or not settled, while Redis is away. */
  evaluate(script: string, key: string, args: readonly string[]): Promise<unknown>;
  /**
   * Listens to a channel, on a connection of its own that comes back by itself.
   *
   * @returns closes the connection; rejected if there is none
   */
  subscribe(channel: string, onMessage: (message: Buffer) => void): Promise<() => void>;
}
