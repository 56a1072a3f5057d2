import { broadcasts } from "../client/broadcasts.mjs";

/**
 * @param {string} name
 * @param {number} order
 * @param {Record<number, import("../types.d.ts").Metric["budget"]>} perTicks messages per tick, and their budgets
 * @param {import("../types.d.ts").Workload["sizes"]} sizes
 * @returns {import("../types.d.ts").Workload}
 */
function broadcast(name, order, perTicks, sizes) {
  const metrics = Object.entries(perTicks).map(([perTick, budget]) => ({
    key: `cpu${perTick}`,
    title: `${perTick} per tick`,
    unit: "µs server CPU per delivery",
    budget,
  }));
  return {
    name,
    title: ({ clients }) => `io.emit to ${clients} clients`,
    order,
    metrics,
    sizes,
    run: (context) => broadcasts(context, Object.keys(perTicks).map(Number)),
  };
}

export default [
  broadcast(
    "broadcast-1",
    40,
    { 1: { uws: 1.08, node: 0.75 } },
    {
      smoke: { clients: 20, warmup: 2, measured: 5 },
      quick: { clients: 1000, warmup: 15, measured: 30 },
      full: { clients: 1000, warmup: 100, measured: 500 },
    },
  ),
  broadcast(
    "broadcast-10",
    41,
    { 10: { uws: 1.3, node: 0.2 } },
    {
      smoke: { clients: 20, warmup: 2, measured: 5 },
      quick: { clients: 1000, warmup: 4, measured: 12 },
      full: { clients: 1000, warmup: 50, measured: 200 },
    },
  ),
  // Opening so many connections takes longer than measuring: both in one process.
  broadcast(
    "broadcast-5k",
    42,
    { 1: { uws: 1.08, node: 0.75 }, 10: { uws: 1.15, node: 0.25 } },
    {
      smoke: { clients: 50, warmup: 2, measured: 5 },
      quick: { clients: 5000, warmup: 4, measured: 8 },
      full: { clients: 5000, warmup: 20, measured: 100 },
    },
  ),
];
