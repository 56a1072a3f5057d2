/** Exports what `io.stats()` says to Prometheus and OpenTelemetry. @module */
export { openTelemetry } from "./open-telemetry.ts";
export type { Instrument, InstrumentOptions, Meter, OpenTelemetryOptions } from "./open-telemetry.ts";
export { prometheus } from "./prometheus.ts";
export type { PrometheusOptions, PrometheusRegister, RegisteredMetric } from "./prometheus.ts";
export type { StatsSource } from "./snapshot.ts";
