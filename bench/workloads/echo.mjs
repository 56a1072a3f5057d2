import { roundTrips } from "../client/round-trips.mjs";
import { payload, SLOTS } from "../payload.mjs";

const messages = Array.from({ length: SLOTS }, (_, n) => [`42${JSON.stringify(["echo", payload(n)])}`]);

/**
 * @param {number} outstanding
 * @param {number} order
 * @param {import("../types.d.ts").Metric["budget"]} budget
 * @param {import("../types.d.ts").Workload["sizes"]} sizes
 * @returns {import("../types.d.ts").Workload}
 */
function echo(outstanding, order, budget, sizes) {
  return {
    name: `echo-${outstanding}`,
    title: ({ clients }) => `echo, ${clients} clients, ${outstanding} outstanding`,
    order,
    metrics: [{ key: "cpu", unit: "µs server CPU per round trip", budget }],
    sizes,
    async run(context) {
      return { cpu: await roundTrips(context, { outstanding, requests: messages, answers: messages }) };
    },
  };
}

export default [
  echo(
    1,
    10,
    { uws: 1.15, node: 0.6 },
    {
      smoke: { clients: 4, warmup: 40, measured: 200 },
      quick: { clients: 100, warmup: 8000, measured: 16_000 },
      full: { clients: 100, warmup: 40_000, measured: 200_000 },
    },
  ),
  echo(
    16,
    11,
    { uws: 1.2, node: 0.35 },
    {
      smoke: { clients: 4, warmup: 64, measured: 640 },
      quick: { clients: 100, warmup: 60_000, measured: 40_000 },
      full: { clients: 100, warmup: 100_000, measured: 600_000 },
    },
  ),
];
