import { clientFrame } from "../client/frames.mjs";
import { withFleet } from "../client/fleet.mjs";
import { bounded, eventually, scale } from "../client/scale.mjs";

/** In ms; longer than any question is pending. */
const TIMEOUT = 120_000;

/**
 * Lets the server ask questions, reads its memory while they are pending, and answers them.
 *
 * @returns bytes of heap per question
 */
async function ask({ server, size }, fleet, timeout) {
  const total = size.clients * size.each;
  const before = await server.memory();
  /** The answers of each connection. @type {Buffer[][]} */
  const answers = fleet.connections.map(() => []);
  await fleet.during(total, "questions came", () => {
    fleet.connections.forEach((connection, i) => {
      connection.onFrame = (data, start, end) => {
        const text = data.toString("utf8", start, end);
        const id = /^42(\d+)\["question",(\d+)\]$/.exec(text);
        if (id === null || Number(id[2]) !== answers[i].length) {
          connection.fail(`${text.slice(0, 120)} is not question ${answers[i].length}`);
          return;
        }
        answers[i].push(clientFrame(`43${id[1]}["yes"]`));
        fleet.arrived(1);
      };
    });
    server.notify("question", size.each, timeout);
  });
  const pending = await server.memory();
  fleet.connections.forEach((connection, i) => connection.write(Buffer.concat(answers[i])));
  let answered = 0;
  await eventually(
    async () => (answered += Number(await server.call("answered"))) >= total,
    () => `only ${answered} of ${total} answers arrived`,
  );
  return (pending.heap - before.heap) / total;
}

export default scale({
  name: "scale-acks",
  title: ({ clients, each }) => `${clients * each} acknowledgements pending`,
  api: true,
  metrics: [
    { key: "plain", title: "without a timeout", unit: "bytes of V8 heap each" },
    { key: "timed", title: "with a timeout", unit: "bytes of V8 heap each" },
    bounded("left", "after all were answered", "bytes of V8 heap each, still there"),
  ],
  sizes: {
    smoke: { clients: 20, each: 5 },
    quick: { clients: 1000, each: 50 },
    full: { clients: 1000, each: 50 },
  },

  run(context) {
    const { server, size } = context;
    return withFleet(context, async (fleet) => {
      await fleet.grow(size.clients);
      const before = await server.memory();
      const plain = await ask(context, fleet, 0);
      const timed = await ask(context, fleet, TIMEOUT);
      const after = await server.memory();
      return { plain, timed, left: (after.heap - before.heap) / (size.clients * size.each) };
    });
  },
});
