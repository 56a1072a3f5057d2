import metrics from "./dist/index.js";

export const { openTelemetry, prometheus } = metrics;
