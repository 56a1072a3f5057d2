import { clientFrame } from "../client/frames.mjs";
import { withFleet } from "../client/fleet.mjs";
import { ExpectedStream } from "../client/stream.mjs";
import { payload, SLOTS } from "../harness/payload.mjs";

const OUTSTANDING = 4;
const slots = Array.from({ length: SLOTS }, (_, n) => n);
const requests = slots.map((n) => clientFrame(`42${JSON.stringify(["work", payload(n)])}`));
const answers = new ExpectedStream(slots.map((n) => [`42${JSON.stringify(["worked", payload(n)])}`]));

/**
 * Every client keeps some requests pending until it has sent `each`.
 *
 * @returns how many were answered per second, and how much of a core the load generator used
 */
async function load(fleets, each) {
  const send = (connection, count) => {
    for (let i = 0; i < count && connection.sent < each; i++) {
      connection.write(requests[connection.sent++ % SLOTS]);
    }
  };
  const cpuBefore = process.cpuUsage();
  const start = performance.now();
  await Promise.all(
    fleets.map((fleet) => {
      fleet.expect(answers);
      fleet.onMessages = send;
      return fleet.during(each * fleet.connections.length, "answers arrived", () => {
        for (const connection of fleet.connections) {
          connection.sent = 0;
          send(connection, OUTSTANDING);
        }
      });
    }),
  );
  const seconds = (performance.now() - start) / 1000;
  const { user, system } = process.cpuUsage(cpuBefore);
  const clients = fleets.flatMap((fleet) => fleet.connections).length;
  return { rate: (each * clients) / seconds, generator: (user + system) / 1e6 / seconds };
}

/** The throughput of two processes, which share the cores of the machine with the load generator. @type {Workload} */
export default {
  name: "cluster-workers",
  title: ({ clients, work }) => `answers that take ${work} µs each, ${clients} clients, one process and two`,
  named: true,
  api: true,
  pair: "workers",
  metrics: [
    { key: "one", title: "one process", unit: "answers per second", absolute: true },
    { key: "two", title: "two processes", unit: "answers per second", absolute: true },
    { key: "gain", title: "two processes", unit: "÷ one", absolute: true },
    { key: "generator1", title: "load generator, with one process", unit: "cores", absolute: true },
    { key: "generator2", title: "load generator, with two", unit: "cores", absolute: true },
  ],
  sizes: {
    smoke: { clients: 4, work: 50, warmup: 10, measured: 20 },
    quick: { clients: 40, work: 50, warmup: 500, measured: 2000 },
    full: { clients: 40, work: 50, warmup: 2000, measured: 10_000 },
  },
  async run({ server, variant, size }) {
    const port = await server.call("detourPort");
    await server.call("spread");
    await server.call("openWorkOfBoth", size.work);
    return withFleet({ server, variant }, (all) =>
      withFleet({ server, variant }, (near) =>
        withFleet({ server: { port }, variant }, async (far) => {
          await all.grow(size.clients);
          await near.grow(size.clients / 2);
          await far.grow(size.clients / 2);
          const measured = async (fleets) => {
            await load(fleets, size.warmup);
            return load(fleets, size.measured);
          };
          const one = await measured([all]);
          const two = await measured([near, far]);
          return {
            one: one.rate,
            two: two.rate,
            gain: two.rate / one.rate,
            generator1: one.generator,
            generator2: two.generator,
          };
        }),
      ),
    );
  },
};
