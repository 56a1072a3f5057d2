/** How soon another one follows while messages do not get through, in ms. */
const IMPATIENCE = 100;

export interface EchoHandlers {
  publish(channel: string): Promise<void>;
  onFailed(error: unknown): void;
  /** Whether one is needed soon: that before it may have been published before it was subscribed to. */
  isAwaited(): boolean;
  /** In ms. It does not pass while the process is stopped. */
  time(): number;
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
  #silentSince: number | undefined;

  constructor(channel: string, handlers: EchoHandlers) {
    this.channel = channel;
    this.#handlers = handlers;
    this.#silentSince = handlers.time();
  }

  /** For how long none has come although one should have, in ms. */
  get silence(): number {
    return this.#silentSince === undefined ? 0 : this.#handlers.time() - this.#silentSince;
  }

  /** The connection that subscribes is lost. */
  lose(): void {
    this.isHeard = false;
    this.#silentSince ??= this.#handlers.time();
  }

  hear(): void {
    this.isHeard = true;
    this.#silentSince = undefined;
  }

  /** Publishes one, unless one is on its way. */
  ask(): void {
    if (this.#isAsking) return;
    this.#isAsking = true;
    this.#silentSince ??= this.#handlers.time();
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
