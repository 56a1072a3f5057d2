import { binaryPayload, SLOTS } from "../harness/payload.mjs";
import { roundTripWorkload } from "../client/round-trip-workload.mjs";

const event = `451-${JSON.stringify(["echo", { _placeholder: true, num: 0 }])}`;
const messages = Array.from({ length: SLOTS }, (_, n) => [event, binaryPayload(n)]);

const binary = roundTripWorkload("binary", "echo of 1 KB binary", { requests: messages, answers: messages });

export default [
  binary(
    1,
    30,
    { uws: 1.25, node: 0.6 },
    {
      smoke: { clients: 4, warmup: 40, measured: 200 },
      quick: { clients: 100, warmup: 6000, measured: 12_000 },
      full: { clients: 100, warmup: 40_000, measured: 200_000 },
    },
  ),
  binary(
    16,
    31,
    { uws: 1.3, node: 0.45 },
    {
      smoke: { clients: 4, warmup: 64, measured: 640 },
      quick: { clients: 100, warmup: 40_000, measured: 20_000 },
      full: { clients: 100, warmup: 100_000, measured: 400_000 },
    },
  ),
];
