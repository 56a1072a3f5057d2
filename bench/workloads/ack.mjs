import { payload, SLOTS } from "../harness/payload.mjs";
import { roundTripWorkload } from "../client/round-trip-workload.mjs";

const FIRST_ID = 1000;
const slots = Array.from({ length: SLOTS }, (_, n) => n);
const requests = slots.map((n) => [`42${FIRST_ID + n}${JSON.stringify(["ask", payload(n)])}`]);
const answers = slots.map((n) => [`43${FIRST_ID + n}${JSON.stringify([payload(n)])}`]);

const ack = roundTripWorkload("ack", "ack", { requests, answers });

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
