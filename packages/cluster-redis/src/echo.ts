/** How soon another one follows while messages do not get through, in ms. */
const IMPATIENCE = 100;

export interface EchoHandlers {
  publish(channel: string): Promise<void>;
  onFailed(error: unknown): void;
  /** Whether one is needed soon: that before it may have been published before it was subscribed to. */
  isAwaited(): boolean;
}

/**
 * A message to a channel of this node alone, by way of the connection that publishes, Redis, and the connection that subscribes: it
 * shows whether messages get through.
 */
export class Echo {
  readonly channel: string;
  /** Whether one has come over the connection that subscribes. */
  isHeard = false;
  readonly #handlers: EchoHandlers;
  #isAsking = false;
  #silentSince: number | undefined = performance.now();

  constructor(channel: string, handlers: EchoHandlers) {
    this.channel = channel;
    this.#handlers = handlers;
  }

  /** For how long none has come although one should have, in ms. */
  get silence(): number {
    return this.#silentSince === undefined ? 0 : performance.now() - this.#silentSince;
  }

  /** The connection that subscribes is lost. */
  lose(): void {
    this.isHeard = false;
    this.#silentSince ??= performance.now();
  }

  hear(): void {
    this.isHeard = true;
    this.#silentSince = undefined;
  }

  /** Publishes one, unless one is on its way. */
  ask(): void {
    if (this.#isAsking) return;
    this.#isAsking = true;
    this.#silentSince ??= performance.now();
    const onAnswered = (): void => {
      this.#isAsking = false;
      if (this.#handlers.isAwaited()) setTimeout(() => this.#askAgain(), IMPATIENCE).unref();
    };
    this.#handlers.publish(this.channel).then(onAnswered, (error: unknown) => {
      this.#handlers.onFailed(error);
      onAnswered();
    });
  }

  #askAgain(): void {
    if (this.#handlers.isAwaited()) this.ask();
  }
}
