/** Counts the requests and WebSockets of an app that are open, so that closing can wait for them. */
export class Activity {
  #open = 0;
  #onIdle: (() => void) | undefined = undefined;

  begin(): void {
    this.#open++;
  }

  /** A closure: every exchange is given it. */
  readonly end = (): void => {
    if (--this.#open === 0) this.#becomeIdle();
  };

  /** Calls back once nothing is open: now, or later. */
  whenIdle(callback: () => void): void {
    this.#onIdle = callback;
    if (this.#open === 0) this.#becomeIdle();
  }

  /** Takes the callback back. */
  forget(): void {
    this.#onIdle = undefined;
  }

  #becomeIdle(): void {
    const callback = this.#onIdle;
    this.#onIdle = undefined;
    callback?.();
  }
}
