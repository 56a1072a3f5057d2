import { AsyncResource } from "node:async_hooks";
import { Deadline } from "./clock.ts";

/**
 * Calls back once, unless it is cancelled in time. Like one of Node's timers it runs in the async context in which it was
 * created. It holds that context, so it suits what does not last; what lives as long as a session extends {@link Deadline}.
 */
export class Timeout extends Deadline {
  /** @internal For callers that bring the end about themselves, in their own context. */
  readonly callback: () => void;
  readonly #context: AsyncResource = new AsyncResource("TIDEWIRE");

  constructor(callback: () => void) {
    super();
    this.callback = callback;
  }

  /** @internal */
  onExpired(): void {
    this.#context.runInAsyncScope(this.callback);
  }
}
