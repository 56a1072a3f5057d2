/**
 * The metrics of the delay of the server's event loop.
 *
 * @param {string} key
 * @param {string} when
 * @returns {import("../types.d.ts").Metric[]}
 */
export const loopDelayMetrics = (key, when) =>
  ["p50", "p99", "max"].map((kind) => ({
    key: key + kind,
    title: `event loop ${when}`,
    absolute: true,
    unit: kind === "max" ? "ms late, at most" : `ms late, ${kind}`,
  }));

/**
 * Their figures.
 *
 * @param {string} key
 * @param {import("../types.d.ts").LoopDelay | undefined} delay
 * @returns {Record<string, number>}
 */
export const loopDelayFigures = (key, delay) =>
  Object.fromEntries(Object.entries(delay ?? {}).map(([kind, ms]) => [key + kind, ms]));
