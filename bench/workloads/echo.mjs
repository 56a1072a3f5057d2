import { payload, SLOTS } from "../harness/payload.mjs";
import { roundTripWorkload } from "../client/round-trip-workload.mjs";

const messages = Array.from({ length: SLOTS }, (_, n) => [`42${JSON.stringify(["echo", payload(n)])}`]);

const echo = roundTripWorkload("echo", "echo", { requests: messages, answers: messages });

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
