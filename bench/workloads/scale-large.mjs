import { ExpectedStream } from "../client/stream.mjs";
import { withFleet } from "../client/fleet.mjs";
import { cpuAndDelayDuring, loopDelayFigures, loopDelayMetrics, scale } from "../client/scale.mjs";

export default scale({
  name: "scale-large",
  title: ({ clients, bytes }) => `an event of ${bytes / 1e6} MB to ${clients} clients`,
  api: true,
  metrics: [
    { key: "cpu", title: "io.emit", unit: "µs server CPU per delivery" },
    { key: "peak", title: "memory above that of idle connections, at most", unit: "MB of RSS" },
    ...loopDelayMetrics("delay", "meanwhile"),
  ],
  sizes: {
    smoke: { clients: 5, bytes: 200_000, measured: 2 },
    quick: { clients: 1000, bytes: 1e6, measured: 2 },
    full: { clients: 1000, bytes: 1e6, measured: 5 },
  },

  run(context) {
    const { server, size } = context;
    return withFleet(context, async (fleet) => {
      await fleet.grow(size.clients);
      fleet.expect(new ExpectedStream([[`42${JSON.stringify(["large", "x".repeat(size.bytes)])}`]]));
      const { rss } = await server.memory();
      const { cpu, delay } = await cpuAndDelayDuring(server, async () => {
        for (let i = 0; i < size.measured; i++) {
          await fleet.during(size.clients, "large events arrived", () => server.notify("large", size.bytes));
        }
      });
      const peak = Number(await server.call("peakMemory"));
      return {
        cpu: cpu / (size.measured * size.clients),
        peak: (peak - rss) / 1e6,
        ...loopDelayFigures("delay", delay),
      };
    });
  },
});
