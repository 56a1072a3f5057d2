import type { EventLoop } from "@tidewire/engine";

/** Waits for so many ms. */
export function wait(loop: EventLoop, ms: number): Promise<void> {
  return new Promise((resolve) => loop.setTimeout(resolve, ms));
}
