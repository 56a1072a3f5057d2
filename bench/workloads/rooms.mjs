import { clientFrame } from "../client/frames.mjs";
import { ExpectedStream } from "../client/stream.mjs";
import { withFleet } from "../client/fleet.mjs";
import { payload, SLOTS } from "../payload.mjs";

const messages = Array.from({ length: SLOTS }, (_, n) => [`42${JSON.stringify(["news", payload(n)])}`]);
const joined = new ExpectedStream([[`430${JSON.stringify(["ok"])}`]]);

/**
 * Puts the connections into rooms; the first of each room is the one that the others know as its leader.
 *
 * @param {import("../client/fleet.mjs").Fleet} fleet
 * @param {number} rooms
 */
async function join(fleet, rooms) {
  const frames = Array.from({ length: rooms }, (_, n) =>
    clientFrame(`420${JSON.stringify(["join", `r${n}`])}`),
  );
  fleet.expect(joined);
  const leaders = fleet.connections.slice(0, rooms);
  const others = fleet.connections.slice(rooms);
  for (const group of [leaders, others]) {
    await fleet.during(group.length, "rooms were joined", () => {
      group.forEach((connection, i) => connection.write(frames[i % rooms]));
    });
  }
  return { leaders, others };
}

/** @type {import("../types.d.ts").Workload} */
export default {
  name: "rooms",
  title: ({ rooms, members }) => `${rooms} rooms of ${members}, one message to each room per tick`,
  order: 50,
  metrics: ["io.to(room)", "socket.to(room)", "io.to(room).except(id)", "io.to(room).to(another)"].map(
    (title, i) => ({
      key: ["to", "socket", "except", "two"][i] ?? "",
      title,
      unit: "µs server CPU per delivery",
    }),
  ),
  sizes: {
    smoke: { rooms: 4, members: 5, warmup: 2, measured: 5 },
    quick: { rooms: 100, members: 50, warmup: 4, measured: 6 },
    full: { rooms: 100, members: 50, warmup: 20, measured: 60 },
  },

  run(context) {
    const { server, size } = context;
    return withFleet(context, async (fleet) => {
      await fleet.grow(size.rooms * size.members);
      const { leaders, others } = await join(fleet, size.rooms);
      const stream = new ExpectedStream(messages);
      /** @type {Record<string, number>} */
      const figures = {};
      for (const pick of ["to", "socket", "except", "two"]) {
        // Who is left out fails at the first message.
        const leftOut = pick === "socket" || pick === "except";
        fleet.expect(stream, others);
        for (const leader of leaders) leader.expect(leftOut ? undefined : stream);
        const receivers = leftOut ? others.length : fleet.connections.length;
        let next = 0;
        const run = async (/** @type {number} */ ticks) => {
          for (let i = 0; i < ticks; i++) {
            const n = next++;
            await fleet.during(receivers, "messages to rooms arrived", () => {
              if (pick === "two") server.notify("pairNews", n);
              else server.notify("roomNews", pick, n);
            });
          }
        };
        await run(size.warmup);
        figures[pick] = (await server.cpuDuring(() => run(size.measured))) / (size.measured * receivers);
      }
      return figures;
    });
  },
};
