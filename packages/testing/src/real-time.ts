import type { EventLoop } from "@tidewire/engine";
import { setImmediate, setTimeout } from "node:timers";
import type { InFlight } from "./in-flight.ts";

/** Node's event loop, whose passes count as being under way. */
export class RealTime implements EventLoop {
  readonly #inFlight: InFlight;

  constructor(inFlight: InFlight) {
    this.#inFlight = inFlight;
  }

  now(): number {
    return performance.now();
  }

  setTimeout(run: () => void, ms: number): void {
    setTimeout(run, ms).unref();
  }

  setImmediate(run: () => void): void {
    this.#inFlight.send(run);
  }

  rethrow(error: unknown): void {
    setImmediate(() => {
      throw error;
    });
  }
}
