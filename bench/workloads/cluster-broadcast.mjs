import { withPartner } from "../client/broadcasts.mjs";

const PER_TICK = 20;

/** Broadcasts of one process to its own clients and those of another. Measured with pairs of servers only. @type {Workload} */
export default {
  name: "cluster-broadcast",
  title: ({ near, far }) =>
    `io.emit to ${near} clients here and ${far} of another process, ${PER_TICK} per tick`,
  named: true,
  api: true,
  pair: "broadcasts",
  metrics: [
    {
      key: "publisher",
      title: "CPU of the process that emits",
      unit: "µs per message",
      budget: { cluster: { "pair-alone": { more: 20 } } },
    },
    {
      key: "receiver",
      title: "CPU of the other process",
      unit: "µs per message",
      budget: { cluster: { "pair-alone": 1 } },
    },
  ],
  sizes: {
    smoke: { near: 2, far: 5, warmup: 2, measured: 5 },
    quick: { near: 10, far: 100, warmup: 200, measured: 500 },
    full: { near: 10, far: 100, warmup: 500, measured: 2000 },
  },
  run: (context) => {
    const { warmup, measured } = context.size;
    return withPartner(context, (measure) =>
      measure({ warmup: warmup * PER_TICK, messages: measured * PER_TICK, atOnce: PER_TICK }),
    );
  },
};
