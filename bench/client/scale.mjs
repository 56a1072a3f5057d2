// What the workloads of scale share.
import { setTimeout as sleep } from "node:timers/promises";

const PATIENCE = 20_000;

/**
 * A workload that runs only if it is named. The young generation has its full size from the start, so that its growth does not
 * count.
 */
export const scale = (workload) => ({
  ...workload,
  named: true,
  nodeArgs: ["--min-semi-space-size=16"],
});

/**
 * A metric without ratios to other servers.
 *
 * @param {number} [atMost] its limit
 */
export const bounded = (key, title, unit, atMost) => ({
  key,
  title,
  unit,
  absolute: true,
  atMost,
});

/**
 * Calls `isDone` until it returns true.
 *
 * @param complaint returns the message of the error after 20 s
 */
export async function eventually(isDone, complaint) {
  const deadline = performance.now() + PATIENCE;
  while (!(await isDone())) {
    if (performance.now() > deadline) throw new Error(complaint());
    await sleep(10);
  }
}

export const allLeft = (server) =>
  eventually(
    async () => Number(await server.call("connected")) === 0,
    () => "clients that left are still connected",
  );

/** The server's CPU time, in µs, and the delay of its event loop during `run`. */
export async function cpuAndDelayDuring(server, run) {
  let delay;
  const cpu = await server.cpuDuring(async () => {
    delay = await server.loopDelayDuring(run);
  });
  return { cpu, delay };
}

/**
 * Metrics of the delay of the server's event loop.
 *
 * @param {number} [p99] the limit of the 99th percentile, in ms
 */
export const loopDelayMetrics = (key, when, p99) =>
  ["p50", "p99", "max"].map((kind) =>
    bounded(
      key + kind,
      `event loop ${when}`,
      kind === "max" ? "ms late, at most" : `ms late, ${kind}`,
      kind === "p99" ? p99 : undefined,
    ),
  );

/** Their figures. */
export const loopDelayFigures = (key, delay) =>
  Object.fromEntries(Object.entries(delay ?? {}).map(([kind, ms]) => [key + kind, ms]));
