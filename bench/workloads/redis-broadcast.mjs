import { withPartner } from "../client/broadcasts.mjs";

/** How messages follow one another, and how many at once. */
const RATES = [
  { key: "20", title: "20 per tick", short: "20 per tick", atOnce: 20, action: "newsOfBoth", share: 1 },
  {
    key: "Turns",
    title: "1 per tick in 20 ticks",
    short: "20 ticks",
    atOnce: 20,
    action: "newsOfBothInTurns",
    share: 1,
  },
  // One at a time takes much longer.
  {
    key: "1",
    title: "1 per tick, after the last one has arrived",
    short: "one at a time",
    atOnce: 1,
    action: "newsOfBoth",
    share: 4,
  },
];

/** At most so much of what the published adapters cost on the same host. */
const LIMIT = 0.6;

const budget = {
  redis: { "redis-uws-adapter": LIMIT, "redis-uws-sharded": LIMIT, "redis-uws-streams": LIMIT },
  redisNode: { "redis-node-adapter": LIMIT, "redis-node-sharded": LIMIT, "redis-node-streams": LIMIT },
};

/** Broadcasts of one process to its own clients and, through Redis, those of another. @type {Workload} */
export default {
  name: "redis-broadcast",
  title: ({ near, far }) => `io.emit to ${near} clients here and ${far} of another process, through Redis`,
  named: true,
  api: true,
  pair: "redis",
  metrics: RATES.flatMap(({ key, title, short }) => [
    {
      key: `publisher${key}`,
      title: `CPU of the process that emits, ${title}`,
      short: `sends, ${short}`,
      unit: "µs per message",
      budget,
    },
    {
      key: `receiver${key}`,
      title: `CPU of the other process, ${title}`,
      short: "receives",
      unit: "µs per message",
      budget,
    },
  ]),
  sizes: {
    smoke: { near: 2, far: 5, warmup: 40, measured: 100 },
    quick: { near: 10, far: 100, warmup: 10_000, measured: 10_000 },
    full: { near: 10, far: 100, warmup: 20_000, measured: 40_000 },
  },
  run: (context) => {
    const { warmup, measured } = context.size;
    return withPartner(context, async (measure) => {
      /** @type {Record<string, number>} */
      const figures = {};
      for (const { key, atOnce, action, share } of RATES) {
        // The same number of messages for all servers, some of which publish twenty at once.
        const counts = { warmup: warmup / share, messages: measured / share };
        const { publisher, receiver } = await measure({ ...counts, atOnce, action });
        figures[`publisher${key}`] = publisher;
        figures[`receiver${key}`] = receiver;
      }
      return figures;
    });
  },
};
