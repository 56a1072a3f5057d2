import type { ServerStats } from "@tidewire/server";

/**
 * A server.
 *
 * @example
 * prometheus(io, { register });
 * io.stats().connections; // what it reads
 */
export interface StatsSource {
  stats(): ServerStats;
}

/** The stats of a server, read once for all metrics that are collected at the same time. */
export class Snapshot {
  readonly #source: StatsSource;
  #stats: ServerStats | undefined = undefined;

  constructor(source: StatsSource) {
    this.#source = source;
  }

  get stats(): ServerStats {
    if (this.#stats === undefined) {
      this.#stats = this.#source.stats();
      queueMicrotask(() => (this.#stats = undefined));
    }
    return this.#stats;
  }
}
