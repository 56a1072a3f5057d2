// What the workloads of scale have in common.
import { setTimeout as sleep } from "node:timers/promises";

const PATIENCE = 20_000;

/**
 * A workload that runs only when it is named. The young generation has its full size from the start: its growth is not what
 * connections leave behind.
 */
export const scale = (workload) => ({
  ...workload,
  named: true,
  nodeArgs: ["--min-semi-space-size=16"],
});

/**
 * A metric whose ratios to other servers say nothing.
 *
 * @param {number} [atMost] what it is to stay within
 */
export const bounded = (key, title, unit, atMost) => ({
  key,
  title,
  unit,
  absolute: true,
  atMost,
});

/**
 * Asks the server again and again until its answer is the one that is waited for.
 *
 * @param complaint what the error says after 20 s
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

/** CPU of the server, in µs, and the delay of its event loop while something runs. */
export async function cpuAndDelayDuring(server, run) {
  let delay;
  const cpu = await server.cpuDuring(async () => {
    delay = await server.loopDelayDuring(run);
  });
  return { cpu, delay };
}

/** The metrics of the delay of the server's event loop. */
export const loopDelayMetrics = (key, when) =>
  ["p50", "p99", "max"].map((kind) =>
    bounded(key + kind, `event loop ${when}`, kind === "max" ? "ms late, at most" : `ms late, ${kind}`),
  );

/** Their figures. */
export const loopDelayFigures = (key, delay) =>
  Object.fromEntries(Object.entries(delay ?? {}).map(([kind, ms]) => [key + kind, ms]));
