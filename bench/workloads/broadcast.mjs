import { broadcasts } from "../client/broadcasts.mjs";

/**
 * @param {number} perTick
 * @param {number} order
 * @param {import("../types.d.ts").Workload["sizes"]} sizes
 * @returns {import("../types.d.ts").Workload}
 */
function broadcast(perTick, order, sizes) {
  return {
    name: `broadcast-${perTick}`,
    title: ({ clients }) => `io.emit to ${clients} clients, ${perTick} per tick`,
    order,
    metrics: [{ key: "cpu", unit: "µs server CPU per delivery" }],
    sizes,
    async run(context) {
      return { cpu: await broadcasts(context, perTick) };
    },
  };
}

export default [
  broadcast(1, 40, {
    smoke: { clients: 20, warmup: 2, measured: 5 },
    quick: { clients: 1000, warmup: 15, measured: 30 },
    full: { clients: 1000, warmup: 100, measured: 500 },
  }),
  broadcast(10, 41, {
    smoke: { clients: 20, warmup: 2, measured: 5 },
    quick: { clients: 1000, warmup: 4, measured: 12 },
    full: { clients: 1000, warmup: 50, measured: 200 },
  }),
];
