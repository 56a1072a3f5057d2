import { newsStream } from "../client/broadcasts.mjs";
import { clientFrame } from "../client/frames.mjs";
import { ExpectedStream } from "../client/stream.mjs";
import { withFleet } from "../client/fleet.mjs";

const joined = new ExpectedStream([[`430${JSON.stringify(["ok"])}`]]);

/** @type {Limits} */
const one = { "floor-publish": 1.06, "official-uws": 1 };
/** Topics are no match: they reach those twice who are in both rooms. @type {Limits} */
const some = { "floor-uws": 1.1 };
/** @type {Limits} */
const node = { "official-ws": 0.8 };

const PICKS = [
  { key: "one", title: "io.to(room), one room per tick", budget: { uws: one, node } },
  { key: "to", title: "io.to(room)", budget: { uws: one, node } },
  { key: "socket", title: "socket.to(room)", budget: { uws: some, node } },
  { key: "except", title: "io.to(room).except(id)", budget: { uws: some, node } },
  { key: "two", title: "io.to(room).to(another)", budget: { uws: some, node } },
];

/** Lets the connections join rooms; the first one in each room is its leader. */
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

function run(context) {
  const { server, size } = context;
  return withFleet(context, async (fleet) => {
    await server.call("openRooms");
    await fleet.grow(size.rooms * size.members);
    const { leaders, others } = await join(fleet, size.rooms);
    const figures = {};
    for (const { key } of PICKS) {
      // A leader that is left out fails if it gets a message.
      const leftOut = key === "socket" || key === "except";
      fleet.expect(newsStream, others);
      for (const leader of leaders) leader.expect(leftOut ? undefined : newsStream);
      const receivers = leftOut ? others.length : fleet.connections.length;
      let next = 0;
      const tell = async (ticks) => {
        for (let i = 0; i < ticks; i++) {
          const n = next++;
          await fleet.during(receivers, "messages to rooms arrived", () => {
            if (key === "one") server.notify("roomTurns", n);
            else if (key === "two") server.notify("pairNews", n);
            else server.notify("roomNews", key, n);
          });
        }
      };
      await tell(size.warmup);
      figures[key] = (await server.cpuDuring(() => tell(size.measured))) / (size.measured * receivers);
    }
    return figures;
  });
}

const inRooms = (workload) => ({
  ...workload,
  fanOut: true,
  title: ({ rooms, members }) => `${rooms} rooms of ${members}`,
  metrics: PICKS.map((pick) => ({ ...pick, unit: "µs server CPU per delivery" })),
  run,
});

export const rooms = inRooms({
  name: "rooms",
  sizes: {
    smoke: { rooms: 4, members: 5, warmup: 2, measured: 5 },
    quick: { rooms: 100, members: 50, warmup: 4, measured: 6 },
    full: { rooms: 100, members: 50, warmup: 20, measured: 60 },
  },
});

export const scaleRooms = inRooms({
  name: "scale-rooms",
  named: true,
  sizes: {
    smoke: { rooms: 20, members: 2, warmup: 2, measured: 5 },
    quick: { rooms: 1000, members: 5, warmup: 4, measured: 6 },
    full: { rooms: 1000, members: 15, warmup: 20, measured: 60 },
  },
});
