import { createHistogram } from "node:perf_hooks";
import type { RecordableHistogram } from "node:perf_hooks";

/** The upper bounds of the bars of a chart, in ms. */
const BOUNDS: readonly number[] = [
  0.2,
  0.5,
  1,
  2,
  5,
  10,
  20,
  50,
  100,
  200,
  500,
  1_000,
  2_000,
  5_000,
  10_000,
  Infinity,
];

export interface Bar {
  /** The bar counts what took up to so many ms, and longer than the bar before it. */
  readonly upTo: number;
  readonly count: number;
}

export interface Percentiles {
  readonly p50: number;
  readonly p95: number;
  readonly p99: number;
  readonly max: number;
}

/** How long things took, in ms. Needs the same memory for any number of them. */
export class Latencies {
  /** In µs. */
  readonly #histogram: RecordableHistogram = createHistogram();
  readonly #counts: number[] = BOUNDS.map(() => 0);
  #count = 0;

  get count(): number {
    return this.#count;
  }

  record(ms: number): void {
    this.#count++;
    this.#histogram.record(Math.max(1, Math.round(ms * 1000)));
    const bar = BOUNDS.findIndex((bound) => ms <= bound);
    this.#counts[bar] = (this.#counts[bar] ?? 0) + 1;
  }

  /** Undefined if nothing was recorded. */
  percentiles(): Percentiles | undefined {
    if (this.#count === 0) return undefined;
    const at = (percent: number): number => this.#histogram.percentile(percent) / 1000;
    return { p50: at(50), p95: at(95), p99: at(99), max: this.#histogram.max / 1000 };
  }

  /** Without the empty ones at both ends. */
  bars(): Bar[] {
    const all = BOUNDS.map((upTo, index) => ({ upTo, count: this.#counts[index] ?? 0 }));
    const first = all.findIndex(({ count }) => count > 0);
    const last = all.findLastIndex(({ count }) => count > 0);
    return first === -1 ? [] : all.slice(first, last + 1);
  }
}
