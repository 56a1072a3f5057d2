import { metrics } from "./metrics.ts";
import type { MetricDefinition, Sample } from "./metrics.ts";
import { Snapshot } from "./snapshot.ts";
import type { StatsSource } from "./snapshot.ts";

/**
 * A metric, as a registry of `prom-client` reads it.
 *
 * @example
 * // What a registry does when it is scraped, and when it is reset:
 * const { values } = await metric.get();
 * metric.reset();
 */
export interface RegisteredMetric {
  get(): Promise<{ values: { value: number; labels: object }[] }>;
  reset(): void;
}

/**
 * A `Registry` of `prom-client`.
 *
 * @example
 * import promClient from "prom-client";
 *
 * prometheus(io, { register: promClient.register });
 */
export interface PrometheusRegister {
  registerMetric(metric: RegisteredMetric): void;
  removeSingleMetric(name: string): void;
}

/** Options of {@link prometheus}. */
export interface PrometheusOptions {
  /** The registry of the application's `prom-client`. */
  register: PrometheusRegister;
  /**
   * The beginning of all names. A second server of a process needs another one in the same registry.
   * @default "tidewire_"
   */
  prefix?: string;
}

/**
 * Adds the metrics of a server to a registry of `prom-client`. They are read when the registry is.
 *
 * @returns a function that removes them
 * @throws Error if the registry has metrics of the same names; then it gets none
 *
 * @example
 * import { register } from "prom-client";
 *
 * prometheus(io, { register });
 */
export function prometheus(
  io: StatsSource,
  { register, prefix = "tidewire_" }: PrometheusOptions,
): () => void {
  const snapshot = new Snapshot(io);
  // Those under which they were registered: a registry may change the names of metrics.
  const names: string[] = [];
  const removeAll = (): void => {
    for (const name of names) register.removeSingleMetric(name);
  };
  try {
    for (const definition of metrics) {
      const metric = new PrometheusMetric(definition, prefix, snapshot);
      register.registerMetric(metric);
      names.push(metric.name);
    }
  } catch (error) {
    removeAll();
    throw error;
  }
  return removeAll;
}

class PrometheusMetric implements RegisteredMetric {
  /** A registry that writes OpenMetrics changes it. */
  name: string;
  readonly help: string;
  readonly type: "counter" | "gauge";
  /** How the `AggregatorRegistry` combines the values of several processes. */
  readonly aggregator: "sum" | "max";
  readonly #definition: MetricDefinition;
  readonly #snapshot: Snapshot;

  constructor(definition: MetricDefinition, prefix: string, snapshot: Snapshot) {
    this.name = prefix + definition.prometheus;
    this.help = definition.help;
    this.type = definition.kind === "counter" ? "counter" : "gauge";
    this.aggregator = definition.kind === "gauge" ? "max" : "sum";
    this.#definition = definition;
    this.#snapshot = snapshot;
  }

  get(): Promise<{ name: string; help: string; type: string; aggregator: string; values: Sample[] }> {
    const { name, help, type, aggregator } = this;
    const values = [...this.#definition.read(this.#snapshot.stats)];
    return Promise.resolve({ name, help, type, aggregator, values });
  }

  /** Does nothing: the server counts since it was created. */
  reset(): void {}
}
