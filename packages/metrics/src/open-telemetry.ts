import { metrics } from "./metrics.ts";
import type { Kind } from "./metrics.ts";
import type { StatsSource } from "./snapshot.ts";

/** An observable instrument of OpenTelemetry. */
export type Instrument = object;

/** Options of an instrument. */
export interface InstrumentOptions {
  description?: string;
  unit?: string;
}

/** Receives the values of instruments. */
interface Observations<Observable> {
  observe(instrument: Observable, value: number, attributes?: Record<string, string>): void;
}

/**
 * A meter of `@opentelemetry/api`.
 *
 * @example
 * import { metrics } from "@opentelemetry/api";
 *
 * openTelemetry(io, { meter: metrics.getMeter("chat") });
 */
export interface Meter<Observable extends Instrument = Instrument> {
  createObservableCounter(name: string, options?: InstrumentOptions): Observable;
  createObservableUpDownCounter(name: string, options?: InstrumentOptions): Observable;
  createObservableGauge(name: string, options?: InstrumentOptions): Observable;
  addBatchObservableCallback(
    callback: (observations: Observations<Observable>) => void,
    observables: Observable[],
  ): void;
  removeBatchObservableCallback(
    callback: (observations: Observations<Observable>) => void,
    observables: Observable[],
  ): void;
}

/** Options of {@link openTelemetry}. */
export interface OpenTelemetryOptions<Observable extends Instrument = Instrument> {
  /** A meter of the application's `MeterProvider`; a second server of a process needs one of another name. */
  meter: Meter<Observable>;
}

/**
 * Observes the metrics of a server with a meter of OpenTelemetry. They are read when the meter collects.
 *
 * @returns a function that ends it
 *
 * @example
 * import { metrics } from "@opentelemetry/api";
 *
 * openTelemetry(io, { meter: metrics.getMeter("chat") });
 */
export function openTelemetry<Observable extends Instrument>(
  io: StatsSource,
  { meter }: OpenTelemetryOptions<Observable>,
): () => void {
  const instruments = metrics.map((definition) => {
    const { openTelemetry: name, help: description, unit, kind } = definition;
    return { definition, instrument: create(meter, kind, name, { description, unit }) };
  });
  const observe = (observations: Observations<Observable>): void => {
    const stats = io.stats();
    for (const { definition, instrument } of instruments) {
      for (const { value, labels } of definition.read(stats)) observations.observe(instrument, value, labels);
    }
  };
  const all = instruments.map(({ instrument }) => instrument);
  meter.addBatchObservableCallback(observe, all);
  return () => meter.removeBatchObservableCallback(observe, all);
}

function create<Observable extends Instrument>(
  meter: Meter<Observable>,
  kind: Kind,
  name: string,
  options: InstrumentOptions,
): Observable {
  if (kind === "counter") return meter.createObservableCounter(name, options);
  if (kind === "sum") return meter.createObservableUpDownCounter(name, options);
  return meter.createObservableGauge(name, options);
}
