import { broadcastTicks, newsStream } from "../client/broadcasts.mjs";
import { withFleet } from "../client/fleet.mjs";
import { upgrading } from "../client/polling.mjs";

/** @param sizes in connections */
function connecting(name, title, budget, sizes, connect) {
  return {
    name,
    title: () => title,
    metrics: [{ key: "cpu", unit: "µs server CPU per connection", budget }],
    sizes,
    run(context) {
      const { server, size } = context;
      return withFleet(
        context,
        async (fleet) => {
          await fleet.grow(size.warmup);
          const cpu = await server.cpuDuring(() => fleet.grow(size.warmup + size.measured));
          // Connections count as connected if they receive a broadcast.
          fleet.expect(newsStream);
          await broadcastTicks(fleet, server, 1)(1);
          return { cpu: cpu / size.measured };
        },
        connect,
      );
    },
  };
}

// A connection calls each function only a few times, so it takes thousands of connections until the code is compiled. Therefore a quick
// run measures fewer connections, but has a full warm-up.
export default [
  connecting(
    "connect-websocket",
    "connect by WebSocket, namespace",
    { uws: { "floor-uws": 1.4 }, node: { "official-ws": 0.6 } },
    {
      smoke: { warmup: 5, measured: 20 },
      quick: { warmup: 7000, measured: 1500 },
      full: { warmup: 3000, measured: 5000 },
    },
  ),
  connecting(
    "connect-upgrade",
    "connect by long-polling, namespace, upgrade",
    { uws: { "floor-uws": 1.3 }, node: { "official-ws": 0.6 } },
    {
      smoke: { warmup: 5, measured: 20 },
      quick: { warmup: 2500, measured: 500 },
      full: { warmup: 2000, measured: 3000 },
    },
    upgrading,
  ),
];
