import { broadcasts } from "../client/broadcasts.mjs";

/**
 * @param {string} name
 * @param {number} order
 * @param {number[]} perTicks
 * @param {import("../types.d.ts").Workload["sizes"]} sizes
 * @returns {import("../types.d.ts").Workload}
 */
function broadcast(name, order, perTicks, sizes) {
  const metrics = perTicks.map((perTick) => ({
    key: `cpu${perTick}`,
    title: `${perTick} per tick`,
    unit: "µs server CPU per delivery",
  }));
  return {
    name,
    title: ({ clients }) => `io.emit to ${clients} clients`,
    order,
    metrics,
    sizes,
    run: (context) => broadcasts(context, perTicks),
  };
}

export default [
  broadcast("broadcast-1", 40, [1], {
    smoke: { clients: 20, warmup: 2, measured: 5 },
    quick: { clients: 1000, warmup: 15, measured: 30 },
    full: { clients: 1000, warmup: 100, measured: 500 },
  }),
  broadcast("broadcast-10", 41, [10], {
    smoke: { clients: 20, warmup: 2, measured: 5 },
    quick: { clients: 1000, warmup: 4, measured: 12 },
    full: { clients: 1000, warmup: 50, measured: 200 },
  }),
  // Opening so many connections takes longer than measuring: both in one process.
  broadcast("broadcast-5k", 42, [1, 10], {
    smoke: { clients: 50, warmup: 2, measured: 5 },
    quick: { clients: 5000, warmup: 4, measured: 8 },
    full: { clients: 5000, warmup: 20, measured: 100 },
  }),
];
