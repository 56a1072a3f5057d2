// What the workloads of scale have in common.
import { setTimeout as sleep } from "node:timers/promises";

/** @typedef {import("../types.d.ts").Workload} Workload */
/** @typedef {import("../types.d.ts").ServerHandle} ServerHandle */

const PATIENCE = 20_000;

/**
 * A workload that runs only when it is named. The young generation has its full size from the start: its growth is not what
 * connections leave behind.
 *
 * @param {Omit<Workload, "named" | "nodeArgs">} workload
 * @returns {Workload}
 */
export const scale = (workload) => ({
  ...workload,
  named: true,
  nodeArgs: ["--min-semi-space-size=16"],
});

/**
 * Asks the server again and again until its answer is the one that is waited for.
 *
 * @param {() => Promise<boolean>} isDone
 * @param {() => string} complaint what the error says after 20 s
 */
export async function eventually(isDone, complaint) {
  const deadline = performance.now() + PATIENCE;
  while (!(await isDone())) {
    if (performance.now() > deadline) throw new Error(complaint());
    await sleep(10);
  }
}

/** @param {ServerHandle} server */
export const allLeft = (server) =>
  eventually(
    async () => Number(await server.call("connected")) === 0,
    () => "clients that left are still connected",
  );

/**
 * CPU of the server, in µs, and the delay of its event loop while something runs.
 *
 * @param {ServerHandle} server
 * @param {() => Promise<void>} run
 */
export async function cpuAndDelayDuring(server, run) {
  /** @type {import("../types.d.ts").LoopDelay | undefined} */
  let delay;
  const cpu = await server.cpuDuring(async () => {
    delay = await server.loopDelayDuring(run);
  });
  return { cpu, delay };
}
