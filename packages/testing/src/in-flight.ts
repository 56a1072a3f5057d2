import { setImmediate } from "node:timers";

/**
 * What is under way between a client and the server. As on a network, whatever is sent arrives in a later turn of the event loop,
 * in the order in which it was sent.
 */
export class InFlight {
  #queue: (() => void)[] = [];
  #isIdle = true;

  /** Delivers in a later turn. */
  send(deliver: () => void): void {
    this.#queue.push(deliver);
    if (!this.#isIdle) return;
    this.#isIdle = false;
    setImmediate(this.#deliver);
  }

  /** Resolves when nothing is under way any more, and whoever received the last of it has had the time to react. */
  async settled(): Promise<void> {
    do await new Promise<void>((resolve) => void setImmediate(resolve));
    while (!this.#isIdle);
  }

  readonly #deliver = (): void => {
    const delivery = this.#queue.shift();
    // Each in a turn of its own: what one listener throws does not keep back the rest.
    if (this.#queue.length > 0) setImmediate(this.#deliver);
    else this.#isIdle = true;
    delivery?.();
  };
}
