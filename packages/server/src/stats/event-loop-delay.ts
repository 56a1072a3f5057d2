import { monitorEventLoopDelay } from "node:perf_hooks";
import type { IntervalHistogram } from "node:perf_hooks";

/** How often it is measured, in ms. */
const RESOLUTION = 20;

/** How late timers were, in ms. */
export interface DelayStats {
  readonly mean: number;
  readonly p99: number;
  readonly max: number;
}

/** Measures by how much the event loop delays timers. */
export class EventLoopDelay {
  #histogram: IntervalHistogram | undefined = undefined;

  start(): void {
    if (this.#histogram !== undefined) return;
    this.#histogram = monitorEventLoopDelay({ resolution: RESOLUTION });
    this.#histogram.enable();
  }

  stop(): void {
    this.#histogram?.disable();
    this.#histogram = undefined;
  }

  /** Returns what was measured since the last call. */
  take(): DelayStats {
    const histogram = this.#histogram;
    if (histogram === undefined || histogram.count === 0) return { mean: 0, p99: 0, max: 0 };
    const { mean, max } = histogram;
    const p99 = histogram.percentile(99);
    histogram.reset();
    return { mean: toDelay(mean), p99: toDelay(p99), max: toDelay(max) };
  }
}

/** The histogram holds the time between two measurements, in ns. */
function toDelay(interval: number): number {
  return Math.max(0, interval / 1e6 - RESOLUTION);
}
