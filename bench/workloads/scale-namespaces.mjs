import { clientFrame } from "../client/frames.mjs";
import { withFleet } from "../client/fleet.mjs";
import { bounded, allLeft, scale } from "../client/scale.mjs";

/**
 * Connects to namespaces, and exchanges an echo with each.
 *
 * @param wanted the numbers of the namespaces of each connection
 * @returns server CPU for connecting, in µs
 */
async function connect(fleet, server, wanted) {
  const all = wanted.reduce((sum, [, namespaces]) => sum + namespaces.length, 0);
  const exchange = (messageOf, answerOf) =>
    fleet.during(all, "namespaces answered", () => {
      for (const [connection, namespaces] of wanted) {
        const answers = namespaces.map(answerOf);
        let next = 0;
        connection.onFrame = (data, start, end) => {
          const text = data.toString("utf8", start, end);
          const answer = answers[next++];
          if (answer !== undefined && text.startsWith(answer)) fleet.arrived(1);
          else connection.fail(`${text.slice(0, 120)} came instead of ${answer}`);
        };
        connection.write(Buffer.concat(namespaces.map((namespace) => clientFrame(messageOf(namespace)))));
      }
    });
  const cpu = await server.cpuDuring(() =>
    exchange(
      (n) => `40/dynamic-${n},`,
      (n) => `40/dynamic-${n},{`,
    ),
  );
  const echo = (n) => `42/dynamic-${n},${JSON.stringify(["echo", n])}`;
  await exchange(echo, echo);
  return cpu;
}

export default scale({
  name: "scale-namespaces",
  title: ({ namespaces, clients }) =>
    `${namespaces} dynamic namespaces, ${clients} clients in one of them each`,
  api: true,
  metrics: [
    { key: "cpu", title: "joining", unit: "µs server CPU per namespace and client" },
    { key: "heap", title: "joined", unit: "bytes of V8 heap per namespace and client" },
    { key: "manyCpu", title: "50 new ones on one connection", unit: "µs server CPU per namespace" },
    bounded("left", "namespaces that stay when their clients left", "namespaces", 0),
  ],
  serverOptions: { cleanupEmptyChildNamespaces: true },
  sizes: {
    smoke: { namespaces: 10, clients: 20, busy: 2, many: 50 },
    quick: { namespaces: 200, clients: 2000, busy: 10, many: 50 },
    full: { namespaces: 200, clients: 5000, busy: 10, many: 50 },
  },

  run(context) {
    const { server, size } = context;
    return withFleet(context, async (fleet) => {
      await fleet.grow(size.clients + size.busy);
      const busy = fleet.connections.slice(0, size.busy);
      const others = fleet.connections.slice(size.busy);
      const before = await server.memory();
      const cpu = await connect(
        fleet,
        server,
        others.map((connection, i) => [connection, [i % size.namespaces]]),
      );
      const after = await server.memory();
      let manyCpu = 0;
      let next = size.namespaces;
      for (const one of busy) {
        const many = Array.from({ length: size.many }, () => next++);
        manyCpu += await connect(fleet, server, [[one, many]]);
      }
      fleet.close();
      await allLeft(server);
      return {
        cpu: cpu / size.clients,
        heap: (after.heap - before.heap) / size.clients,
        manyCpu: manyCpu / (size.busy * size.many),
        // Without the root namespace.
        left: Number(await server.call("namespaces")) - 1,
      };
    });
  },
});
