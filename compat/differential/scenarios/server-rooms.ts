// Rooms and broadcasts.
import type { Server, Socket } from "socket.io";
import type { ServerRun } from "../server-run.ts";
import { overEveryWay, type ClientWay } from "../scenario.ts";

/** Three clients: a in red, b in red and blue, c in no room. */
async function three(run: ServerRun, way: ClientWay): Promise<Record<"a" | "b" | "c", Socket>> {
  const sockets: Socket[] = [];
  for (const name of ["a", "b", "c"]) {
    await run.connected(name, way);
    sockets.push(run.socket);
  }
  const [a, b, c] = sockets as [Socket, Socket, Socket];
  await a.join("red");
  await b.join(["red", "blue"]);
  return { a, b, c };
}

type Sockets = Awaited<ReturnType<typeof three>>;

const broadcasts: Record<string, (io: Server, sockets: Sockets) => unknown> = {
  "to all": (io) => io.emit("hi", 1),
  "to a room": (io) => io.to("red").emit("hi", 1),
  "to two rooms": (io) => io.to("red").to("blue").emit("hi", 1),
  "to a list of rooms": (io) => io.in(["red", "blue"]).emit("hi", 1),
  "to an empty room": (io) => io.to("green").emit("hi", 1),
  "to a socket by id": (io, { c }) => io.to(c.id).emit("hi", 1),
  "to all except a room": (io) => io.except("blue").emit("hi", 1),
  "to a room except another": (io) => io.to("red").except("blue").emit("hi", 1),
  "to all except a socket": (io, { a }) => io.except(a.id).emit("hi", 1),
  "from a socket": (_, { a }) => a.broadcast.emit("hi", 1),
  "from a socket to a room": (_, { a }) => a.to("red").emit("hi", 1),
  "from a socket to its own room": (_, { b }) => b.to("blue").emit("hi", 1),
  "from a socket to all except a room": (_, { c }) => c.except("blue").emit("hi", 1),
  "from a socket to another by id": (_, { a, c }) => a.to(c.id).emit("hi", 1),
  "with flags": (io) => io.local.volatile.compress(false).to("red").emit("hi", 1),
  "with binary": (io) => io.to("red").emit("hi", Buffer.from([1, 2, 3]), { deep: Buffer.from([4]) }),
  "from an operator used twice": (io) => {
    const red = io.to("red");
    red.emit("one");
    red.to("blue").emit("two");
    red.emit("three");
  },
  "mixed with direct events, in order": (io, { a }) => {
    a.emit("direct", 1);
    io.emit("all", 2);
    a.emit("direct", 3);
    io.to("red").emit("red", 4);
    a.emit("direct", 5);
  },
};

for (const [name, act] of Object.entries(broadcasts)) {
  overEveryWay(`broadcast: ${name}`, {}, async (run, way) => {
    const sockets = await three(run, way);
    act(run.io, sockets);
    await run.settle();
  });
}

overEveryWay("rooms: joining and leaving", {}, async (run, way) => {
  const { a, b } = await three(run, way);
  const adapter = run.io.of("/").adapter;
  for (const event of ["create-room", "join-room", "leave-room", "delete-room"]) {
    adapter.on(event, (room: string, id?: string) => run.note("adapter", event, room, id ?? ""));
  }
  await a.join("green");
  await a.join("green");
  await a.leave("green");
  await a.leave("never");
  run.note("rooms", [...a.rooms], [...b.rooms]);
  run.io.in("red").socketsJoin(["one", "two"]);
  run.note("rooms", [...a.rooms], [...b.rooms]);
  run.io.socketsLeave("red");
  run.note("rooms", [...a.rooms], [...b.rooms]);
  b.disconnect();
  run.note("rooms", [...b.rooms], [...adapter.rooms.keys()], adapter.sids.size);
});

overEveryWay("rooms: fetching sockets", {}, async (run, way) => {
  const { a } = await three(run, way);
  a.data = { name: "a" };
  const fetched = await run.io.in("red").fetchSockets();
  for (const { id, rooms, data, handshake } of fetched) {
    run.note("fetched", id, [...rooms], data, Object.keys(handshake));
  }
  fetched[0]!.emit("to one", 1);
  fetched[0]!.join("green");
  fetched[1]!.leave("blue");
  run.io.to("green").emit("to green");
  run.note("fetched", [...(await run.io.in("blue").allSockets())].length);
  fetched[1]!.disconnect();
  await run.saw("server", "disconnect: ");
  await run.settle();
});

overEveryWay("rooms: disconnecting sockets", {}, async (run, way) => {
  await three(run, way);
  run.io.in("blue").disconnectSockets();
  await run.saw("b", "disconnect");
  run.io.in("red").disconnectSockets(true);
  await run.saw("a", "disconnect");
  await run.settle();
  run.note("rooms", run.io.of("/").sockets.size);
});

overEveryWay("rooms: leaving on disconnect", {}, async (run, way) => {
  const { a } = await three(run, way);
  a.on("disconnecting", () => run.io.to("red").emit("someone leaves red"));
  a.on("disconnect", () => run.note("rooms", [...a.rooms]));
  a.disconnect();
  await run.saw("a", "disconnect");
  await run.settle();
});
