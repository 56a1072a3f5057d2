import { polls } from "../client/polls.mjs";
import { payload, SLOTS } from "../harness/payload.mjs";

const packets = Array.from({ length: SLOTS }, (_, n) => `42${JSON.stringify(["echo", payload(n)])}`);

/** @type {import("../types.d.ts").Workload} */
export default {
  name: "polling",
  title: ({ clients }) => `long-polling echo, ${clients} clients`,
  order: 60,
  metrics: [{ key: "cpu", unit: "µs server CPU per round trip", budget: { uws: 1.3, node: 0.65 } }],
  sizes: {
    smoke: { clients: 4, warmup: 20, measured: 60 },
    quick: { clients: 100, warmup: 3000, measured: 5000 },
    full: { clients: 100, warmup: 20_000, measured: 60_000 },
  },
  async run(context) {
    return { cpu: await polls(context, packets) };
  },
};
