import { upgrading } from "../client/polling.mjs";
import { pollingRoundTrips } from "./polling.mjs";
import { echo, roundTrips } from "./round-trips.mjs";

/** The server, with the CPU time of both processes. */
const withPartner = (server) => ({
  port: server.port,
  async cpuDuring(work) {
    await server.call("partnerCpuStart");
    const own = await server.cpuDuring(work);
    return own + (await server.call("partnerCpuStop"));
  },
});

/**
 * Clients of a session at one process whose requests or WebSocket reach the other one. Without a cluster, they reach the same.
 *
 * @param most the largest ratio to clients of the same process
 * @param run gets the context of the workload, and the port of the other process
 * @returns {Workload}
 */
function forwarded(name, title, most, sizes, run) {
  return {
    name,
    title,
    named: true,
    api: true,
    pair: "sessions",
    metrics: [
      {
        key: "cpu",
        unit: "µs CPU of both processes per round trip",
        budget: { cluster: { "pair-alone": most } },
      },
    ],
    sizes,
    async run(context) {
      const port = await context.server.call("detourPort");
      return { cpu: await run({ ...context, server: withPartner(context.server) }, port) };
    },
  };
}

export default [
  forwarded(
    "cluster-polling",
    ({ clients }) => `long-polling echo through another process, ${clients} clients`,
    1.6,
    {
      smoke: { clients: 4, warmup: 20, measured: 60 },
      quick: { clients: 100, warmup: 10_000, measured: 10_000 },
      full: { clients: 100, warmup: 20_000, measured: 60_000 },
    },
    pollingRoundTrips,
  ),
  forwarded(
    "cluster-relay",
    ({ clients }) => `WebSocket echo through another process, ${clients} clients, 16 outstanding`,
    1.5,
    {
      smoke: { clients: 4, warmup: 64, measured: 640 },
      quick: { clients: 100, warmup: 60_000, measured: 60_000 },
      full: { clients: 100, warmup: 100_000, measured: 300_000 },
    },
    // A session that has a namespace stays where it is: a later upgrade elsewhere is relayed.
    (context, port) => roundTrips(context, 16, echo, (own, handlers) => upgrading(own, handlers, port)),
  ),
];
