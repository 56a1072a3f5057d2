import { roundTrips } from "../client/round-trips.mjs";
import { payload, SLOTS } from "../payload.mjs";

const FIRST_ID = 1000;
const slots = Array.from({ length: SLOTS }, (_, n) => n);
const requests = slots.map((n) => [`42${FIRST_ID + n}${JSON.stringify(["ask", payload(n)])}`]);
const answers = slots.map((n) => [`43${FIRST_ID + n}${JSON.stringify([payload(n)])}`]);

/**
 * @param {number} outstanding
 * @param {number} order
 * @param {import("../types.d.ts").Metric["budget"]} budget
 * @param {import("../types.d.ts").Workload["sizes"]} sizes
 * @returns {import("../types.d.ts").Workload}
 */
function ack(outstanding, order, budget, sizes) {
  return {
    name: `ack-${outstanding}`,
    title: ({ clients }) => `ack, ${clients} clients, ${outstanding} outstanding`,
    order,
    metrics: [{ key: "cpu", unit: "µs server CPU per round trip", budget }],
    sizes,
    async run(context) {
      return { cpu: await roundTrips(context, { outstanding, requests, answers }) };
    },
  };
}

export default [
  ack(
    1,
    20,
    { uws: 1.15, node: 0.6 },
    {
      smoke: { clients: 4, warmup: 40, measured: 200 },
      quick: { clients: 100, warmup: 8000, measured: 16_000 },
      full: { clients: 100, warmup: 40_000, measured: 200_000 },
    },
  ),
  ack(
    16,
    21,
    { uws: 1.25, node: 0.4 },
    {
      smoke: { clients: 4, warmup: 64, measured: 640 },
      quick: { clients: 100, warmup: 60_000, measured: 40_000 },
      full: { clients: 100, warmup: 100_000, measured: 600_000 },
    },
  ),
];
