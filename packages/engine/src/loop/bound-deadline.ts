import { AsyncResource } from "node:async_hooks";
import { Deadline } from "./clock.ts";

/**
 * A deadline that runs in the async context in which it was made, as one of Node's timers would. It holds that context, so it is
 * for what does not last.
 */
export abstract class BoundDeadline extends Deadline {
  readonly #context: AsyncResource = new AsyncResource("TIDEWIRE");

  expire(): void {
    this.#context.runInAsyncScope(() => this.onExpired());
  }

  /** Called in the context instead of {@link expire}. */
  abstract onExpired(): void;
}
