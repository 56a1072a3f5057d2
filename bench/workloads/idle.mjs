import { withFleet } from "../client/fleet.mjs";

const KB = 1024;

/** @type {Workload} */
export default {
  name: "idle",
  title: ({ few, many }) => `idle connection, from ${few} to ${many}`,
  metrics: [
    {
      key: "rss",
      title: "RSS",
      unit: "bytes of RSS",
      budget: { uws: { value: 5 * KB }, node: { value: 11 * KB } },
    },
    {
      key: "heap",
      title: "V8 heap",
      unit: "bytes of V8 heap",
      budget: { uws: { value: 1722 }, node: { value: 4336 } },
    },
  ],
  sizes: {
    smoke: { few: 20, many: 120 },
    quick: { few: 1000, many: 4000 },
    full: { few: 1000, many: 5000 },
  },
  // The young generation has its full size from the start, so that its growth does not count.
  nodeArgs: ["--min-semi-space-size=16"],

  async run(context) {
    const { server, size } = context;
    const few = size.few;
    const many = size.many;
    return withFleet(context, async (fleet) => {
      await fleet.grow(few);
      const before = await server.memory();
      await fleet.grow(many);
      const after = await server.memory();
      const added = many - few;
      return { rss: (after.rss - before.rss) / added, heap: (after.heap - before.heap) / added };
    });
  },
};
