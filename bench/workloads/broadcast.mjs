import { broadcastTicks, newsStream } from "../client/broadcasts.mjs";
import { withFleet } from "../client/fleet.mjs";

/**
 * @param budgets by the number of messages per tick, which are measured one after the other in one process
 * @returns {Workload} with `warmup` and `measured` in ticks
 */
function broadcast(name, budgets, sizes) {
  return {
    name,
    title: ({ clients }) => `io.emit to ${clients} clients`,
    metrics: Object.entries(budgets).map(([perTick, budget]) => ({
      key: `cpu${perTick}`,
      title: `${perTick} per tick`,
      unit: "µs server CPU per delivery",
      budget,
    })),
    sizes,
    fanOut: true,
    run(context) {
      const { server, size } = context;
      return withFleet(context, async (fleet) => {
        await fleet.grow(size.clients);
        const figures = {};
        for (const perTick of Object.keys(budgets).map(Number)) {
          fleet.expect(newsStream);
          const tick = broadcastTicks(fleet, server, perTick);
          await tick(size.warmup);
          const cpu = await server.cpuDuring(() => tick(size.measured));
          figures[`cpu${perTick}`] = cpu / (size.measured * size.clients * perTick);
        }
        return figures;
      });
    },
  };
}

/** With one message per tick. @type {Limits} */
const one = { "floor-publish": 1.03, "official-uws": 1 };
/** With ten. @type {Limits} */
const ten = { "floor-publish": 1.1, "official-uws": 0.95 };

export default [
  broadcast(
    "broadcast-1",
    { 1: { uws: one, node: { "official-ws": 0.75 } } },
    {
      smoke: { clients: 20, warmup: 2, measured: 5 },
      quick: { clients: 1000, warmup: 15, measured: 30 },
      full: { clients: 1000, warmup: 100, measured: 500 },
    },
  ),
  broadcast(
    "broadcast-10",
    { 10: { uws: ten, node: { "official-ws": 0.2 } } },
    {
      smoke: { clients: 20, warmup: 2, measured: 5 },
      quick: { clients: 1000, warmup: 4, measured: 12 },
      full: { clients: 1000, warmup: 50, measured: 200 },
    },
  ),
  // Opening so many connections takes longer than measuring, so one process measures both.
  broadcast(
    "broadcast-5k",
    {
      1: { uws: one, node: { "official-ws": 0.75 } },
      10: { uws: ten, node: { "official-ws": 0.25 } },
    },
    {
      smoke: { clients: 50, warmup: 2, measured: 5 },
      quick: { clients: 5000, warmup: 4, measured: 8 },
      full: { clients: 5000, warmup: 20, measured: 100 },
    },
  ),
];
