import { install } from "@sinonjs/fake-timers";
import type { EventLoop } from "@tidewire/engine";
import { setImmediate } from "node:timers";
import type { InFlight } from "./in-flight.ts";

/** The globals that follow the clock. Immediates, ticks and microtasks stay real, so that messages travel without it. */
const FAKED = ["setTimeout", "clearTimeout", "setInterval", "clearInterval", "Date", "performance"] as const;

/**
 * The time of the application, the server and the clients. It stands still until {@link advance}. While the clock is installed,
 * `setTimeout`, `setInterval`, `Date` and `performance.now` of the whole process follow it, so only one can be installed at once.
 */
export class TestClock {
  /** @internal For the engine. */
  readonly loop: EventLoop;
  readonly #fake: ReturnType<typeof install>;
  readonly #inFlight: InFlight;

  /** @internal */
  constructor(inFlight: InFlight) {
    const fake = install({ toFake: [...FAKED], ignoreMissingTimers: true });
    this.#fake = fake;
    this.#inFlight = inFlight;
    this.loop = {
      now: () => fake.now,
      setTimeout: (run, ms) => void fake.setTimeout(run, ms),
      setImmediate: (run) => inFlight.send(run),
      rethrow: (error) => {
        setImmediate(() => {
          throw error;
        });
      },
    };
  }

  /**
   * Milliseconds since the epoch, as `Date.now()` returns them.
   *
   * @example
   * server.clock.now();
   */
  now(): number {
    return this.#fake.now;
  }

  /**
   * Lets time pass, timer by timer. Between two timers, everything under way arrives: after `advance(25_000)` a client has answered
   * the ping that was due.
   *
   * @param ms - how much time, in ms
   *
   * @example
   * const server = await testServer(setUp, { clock: "manual" });
   * await server.clock.advance(60_000);
   */
  async advance(ms: number): Promise<void> {
    const fake = this.#fake;
    await this.#inFlight.settled();
    let isOver = false;
    fake.setTimeout(() => {
      isOver = true;
    }, ms);
    while (!isOver) {
      fake.next();
      await this.#inFlight.settled();
    }
    // Whatever else is due at this very moment.
    fake.tick(0);
    await this.#inFlight.settled();
  }

  /** @internal Gives the process its own time back. */
  uninstall(): void {
    this.#fake.uninstall();
  }
}
