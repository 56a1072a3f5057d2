import { broadcastsOfBoth, newsStream } from "../client/broadcasts.mjs";
import { withFleet } from "../client/fleet.mjs";

/** Messages per tick. */
const RATES = [20, 1];

/** At most so much of what the cheapest published adapter costs. */
const LIMIT = 0.6;

const budget = { "redis-adapter": LIMIT, "redis-sharded": LIMIT, "redis-streams": LIMIT };

/** Broadcasts of one process to its own clients and, through Redis, those of another. @type {Workload} */
export default {
  name: "redis-broadcast",
  title: ({ near, far }) => `io.emit to ${near} clients here and ${far} of another process, through Redis`,
  named: true,
  api: true,
  pair: "redis",
  metrics: RATES.flatMap((rate) => [
    {
      key: `publisher${rate}`,
      title: `CPU of the process that emits, ${rate} per tick`,
      unit: "µs per message",
      budget: { redis: budget },
    },
    {
      key: `receiver${rate}`,
      title: `CPU of the other process, ${rate} per tick`,
      unit: "µs per message",
      budget: { redis: budget },
    },
  ]),
  sizes: {
    smoke: { near: 2, far: 5, warmup: 40, measured: 100 },
    quick: { near: 10, far: 100, warmup: 10_000, measured: 10_000 },
    full: { near: 10, far: 100, warmup: 20_000, measured: 40_000 },
  },
  async run({ server, variant, size }) {
    const port = await server.call("partnerPort");
    return withFleet({ server, variant }, (near) =>
      withFleet({ server: { port }, variant }, async (far) => {
        await near.grow(size.near);
        await far.grow(size.far);
        for (const fleet of [near, far]) fleet.expect(newsStream);
        const send = broadcastsOfBoth(server, near, far);
        /** @type {Record<string, number>} */
        const figures = {};
        for (const rate of RATES) {
          // The same number of messages, so that the code of all is as warm: some publish twenty at once.
          await send(size.warmup, rate);
          await server.call("partnerCpuStart");
          // One at a time takes about as long as twenty.
          const messages = size.measured / (rate === 1 ? 4 : 1);
          const publisher = await server.cpuDuring(() => send(messages, rate));
          const receiver = await server.call("partnerCpuStop");
          figures[`publisher${rate}`] = publisher / messages;
          figures[`receiver${rate}`] = receiver / messages;
        }
        return figures;
      }),
    );
  },
};
