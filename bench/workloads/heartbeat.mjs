import { setTimeout as sleep } from "node:timers/promises";
import { withFleet } from "../client/fleet.mjs";

/** In ms; short, so that heartbeats dominate. */
const pingInterval = 500;

/** @type {Workload} */
export default {
  name: "heartbeat",
  title: ({ clients }) => `heartbeat of ${clients} connections, every ${pingInterval} ms`,
  metrics: [
    {
      key: "cpu",
      unit: "µs server CPU per ping and pong",
      budget: { uws: { "floor-uws": 1.1 }, node: { "official-ws": 0.6 } },
    },
  ],
  serverOptions: { pingInterval },
  sizes: {
    // Two intervals, because all pings come together and could fall outside of one.
    smoke: { clients: 20, warmup: 1, measured: 2 },
    quick: { clients: 2000, warmup: 1, measured: 3 },
    full: { clients: 5000, warmup: 4, measured: 20 },
  },

  run(context) {
    const { server, size } = context;
    return withFleet(context, async (fleet) => {
      await fleet.grow(size.clients);
      await sleep(size.warmup * pingInterval);
      const before = fleet.pings;
      const least = 0.4 * size.clients * size.measured;
      const cpu = await server.cpuDuring(async () => {
        await sleep(size.measured * pingInterval);
        // On a busy machine they are late.
        for (let more = 0; fleet.pings - before < least && more < 20; more++) await sleep(pingInterval);
      });
      const pings = fleet.pings - before;
      if (pings < least) throw new Error(`only ${pings} pings came`);
      return { cpu: cpu / pings };
    });
  },
};
