// Connecting to a server: handshakes, middlewares and namespaces.
import type { Server, Socket } from "socket.io";
import { onServer, overEveryWay } from "../scenario.ts";
import type { ServerRun } from "../server-run.ts";

/** Ignores whether an upgrade completes: a refused client closes its connection while an upgrade may be pending. */
function leaveUpgradeOpen({ recorder }: ServerRun): void {
  recorder.ignore(/\b(upgrade to websocket|UPGRADE_FAILURE|TRANSPORT_MISMATCH|Session ID unknown)\b/);
}

overEveryWay("connect: an event from each side", {}, async (run, way) => {
  run.io.on("connection", (socket) => socket.emit("welcome", 1, "two", { three: 3 }));
  const client = await run.connected("a", way);
  client.emit("hello", 1, null, [true], { nested: { list: [1, 2] } });
  await run.settle();
});

overEveryWay("connect: with auth and a query", {}, async (run, way) => {
  run.io.on("connection", ({ handshake }) => {
    const { auth, query, url, xdomain, secure, address } = handshake;
    const { t: _, sid: __, ...rest } = query;
    run.note("handshake", auth, rest, url.split("?")[0]!, xdomain, secure, address);
    run.note("handshake", Object.keys(handshake), typeof handshake.time, typeof handshake.issued);
  });
  await run.connected("a", {
    ...way,
    auth: { token: "x", deep: { list: [1] } },
    query: { from: "here", odd: "a b&c" },
  });
});

overEveryWay("connect: auth from a function", {}, async (run, way) => {
  run.io.on("connection", ({ handshake }) => run.note("handshake", handshake.auth));
  await run.connected("a", { ...way, auth: (answer) => answer({ token: "later" }) });
});

overEveryWay("connect: with headers", {}, async (run, way) => {
  run.io.on("connection", ({ handshake, request }) => {
    run.note(
      "handshake",
      handshake.headers["x-mine"] ?? "",
      request.headers["x-mine"] ?? "",
      request.method ?? "",
    );
  });
  await run.connected("a", { ...way, extraHeaders: { "x-mine": "yes" } });
});

overEveryWay("connect: a middleware that accepts", {}, async (run, way) => {
  run.io.use((socket, next) => {
    run.note("middleware", "one", socket.connected, [...socket.rooms], socket.handshake.auth);
    socket.data["from"] = "the middleware";
    next();
  });
  run.io.use((_, next) => setTimeout(next, 10));
  run.io.on("connection", (socket) => run.note("middleware", socket.data));
  await run.connected("a", way);
});

overEveryWay("connect: a middleware that refuses", {}, async (run, way) => {
  run.io.use((_, next) => next(new Error("not you")));
  leaveUpgradeOpen(run);
  run.client("a", way);
  await run.saw("a", "connect_error");
});

overEveryWay("connect: a middleware that refuses with data", {}, async (run, way) => {
  run.io.use((_, next) => next(Object.assign(new Error("not you"), { data: { code: 1, list: [1] } })));
  leaveUpgradeOpen(run);
  run.client("a", way);
  await run.saw("a", "connect_error");
});

overEveryWay("connect: refused, then accepted at the second attempt", {}, async (run, way) => {
  run.io.use((socket, next) =>
    next(socket.handshake.auth["token"] === "good" ? undefined : new Error("bad token")),
  );
  leaveUpgradeOpen(run);
  const client = run.client("a", { ...way, auth: { token: "bad" } });
  await run.saw("a", "connect_error");
  client.auth = { token: "good" };
  client.connect();
  await run.saw("a", /^connect\b(?!_)/);
});

overEveryWay("connect: a namespace", {}, async (run, way) => {
  run.watch(run.io.of("/chat"));
  run.io.of("/chat").on("connection", (socket) => socket.emit("in chat"));
  const client = await run.connected("a", way, "/chat");
  client.emit("hello", "chat");
  await run.settle();
});

overEveryWay("connect: an unknown namespace", {}, async (run, way) => {
  leaveUpgradeOpen(run);
  run.client("a", way, "/nowhere");
  await run.saw("a", "connect_error");
});

overEveryWay("connect: several namespaces over one connection", {}, async (run, way) => {
  for (const name of ["/one", "/two"]) run.watch(run.io.of(name));
  const main = await run.connected("a", way);
  const one = run.join("one", main.io, "/one", { auth: { number: 1 } });
  await run.saw("one", "connect");
  const two = run.join("two", main.io, "/two");
  await run.saw("two", "connect");
  run.join("three", main.io, "/three");
  await run.saw("three", "connect_error");
  one.emit("to one");
  await run.settle();
  two.emit("to two");
  run.io.of("/one").emit("from one");
  run.io.of("/two").emit("from two");
  run.io.emit("from all");
  await run.settle();
});

overEveryWay("connect: a dynamic namespace by pattern", {}, async (run, way) => {
  const parent = run.io.of(/^\/room-\d+$/);
  run.io.on("new_namespace", ({ name }) => run.note("namespaces", name));
  parent.use((socket, next) => {
    run.note("namespaces", `middleware of ${socket.nsp.name}`);
    next();
  });
  run.watch(parent);
  const one = await run.connected("a", way, "/room-1");
  const two = run.join("b", one.io, "/room-2");
  await run.saw("b", "connect");
  run.join("c", one.io, "/room-x");
  await run.saw("c", "connect_error");
  parent.emit("to all rooms", 1);
  run.io.of("/room-2").emit("to room 2");
  two.emit("hello");
  await run.settle();
});

overEveryWay("connect: a dynamic namespace by function", {}, async (run, way) => {
  const parent = run.io.of((name, auth, next) => {
    run.note("namespaces", name, auth);
    next(null, auth["token"] === "good");
  });
  run.watch(parent);
  await run.connected("a", { ...way, auth: { token: "good" } }, "/anything");
  leaveUpgradeOpen(run);
  run.client("b", { ...way, auth: { token: "bad" } }, "/other");
  await run.saw("b", "connect_error");
});

overEveryWay(
  "connect: cleanup of empty dynamic namespaces",
  { cleanupEmptyChildNamespaces: true },
  async (run, way) => {
    const parent = run.io.of(/^\/room-\d+$/);
    run.watch(parent);
    const client = await run.connected("a", way, "/room-1");
    run.note("namespaces", [...run.io._nsps.keys()]);
    client.disconnect();
    await run.saw("server", "description");
    await run.quiet();
    run.note("namespaces", [...run.io._nsps.keys()]);
  },
);

overEveryWay("connect: a middleware that never calls next", { connectTimeout: 600 }, async (run, way) => {
  run.io.use(() => {});
  run.client("a", way);
  await run.saw("engine", "description");
});

overEveryWay("connect: rooms joined in a middleware", {}, async (run, way) => {
  run.io.use((socket, next) => {
    void socket.join("early");
    run.io.to("early").emit("early");
    next();
  });
  run.io.on("connection", (socket) => run.note("rooms", [...socket.rooms]));
  await run.connected("a", way);
  run.io.to("early").emit("late");
  await run.settle();
});

overEveryWay("connect: events emitted in a middleware", {}, async (run, way) => {
  run.io.use((socket, next) => {
    socket.emit("before CONNECT");
    next();
  });
  run.io.on("connection", (socket) => socket.emit("after CONNECT"));
  await run.connected("a", way);
});

overEveryWay("connect: a client that connects again", {}, async (run, way) => {
  const client = await run.connected("a", way);
  client.disconnect();
  await run.saw("engine", "description");
  client.connect();
  await run.saw("a", /^connect\b/, 2);
  client.emit("again");
  await run.settle();
});

overEveryWay("connect: a client that reconnects after its engine closes", {}, async (run, way) => {
  const client = await run.connected("a", {
    ...way,
    reconnection: true,
    reconnectionDelay: 10,
    randomizationFactor: 0,
  });
  client.io.engine.close();
  await run.saw("server", "description");
  await run.saw("a", /^connect\b/, 2);
  await run.settle();
});

for (const [name, path] of Object.entries({ "/chat": "/chat", "/chat/": "/chat/" })) {
  onServer(`connect: the path ${name}`, { transport: "any", options: { path } }, async (run) => {
    await run.connected("a", { path });
    await run.get("/socket.io/?EIO=4&transport=polling");
  });
}

onServer("connect: reserved events and invalid arguments", { transport: "any" }, async (run) => {
  const attempt = (what: string, act: () => unknown): void => {
    try {
      act();
      run.note("attempts", what, "is allowed");
    } catch (error) {
      run.note("attempts", what, (error as Error).message);
    }
  };
  const reserved = [
    "connect",
    "connect_error",
    "disconnect",
    "disconnecting",
    "newListener",
    "removeListener",
  ];
  const client = await run.connected("a");
  for (const event of reserved) {
    attempt(`socket.emit ${event}`, () => run.socket.emit(event));
    attempt(`io.emit ${event}`, () => run.io.emit(event));
    attempt(`client.emit ${event}`, () => client.emit(event));
  }
  for (const event of ["connect", "connection", "new_namespace"]) {
    attempt(`serverSideEmit ${event}`, () => run.io.serverSideEmit(event));
  }
  attempt("a sticky pattern", () => run.io.of(/x/y));
  attempt("a global pattern", () => run.io.of(/x/g));
  attempt("listening on a function", () =>
    run.io.attach((() => {}) as unknown as Parameters<Server["attach"]>[0]),
  );
  const parent = run.io.of(/^\/p/);
  attempt("sockets of a parent", () => void parent.fetchSockets());
});

onServer("connect: properties of a socket and its server", { transport: "any" }, async (run) => {
  await run.connected("a", { transports: ["websocket"] });
  const describe = (socket: Socket): void => {
    const { connected, disconnected, recovered, data, rooms } = socket;
    run.note("objects", { connected, disconnected, recovered, data, rooms: [...rooms] });
    run.note("objects", socket.conn.protocol, socket.conn.transport.name, socket.conn.readyState);
    run.note("objects", socket.client.conn === socket.conn);
  };
  const { socket } = run;
  describe(socket);
  run.note("objects", run.io.engine.clientsCount, run.io.of("/").sockets.size, run.io.path());
  run.note(
    "objects",
    (await run.io.fetchSockets()).map(({ id, rooms, data }) => ({ id, rooms: [...rooms], data })),
  );
  run.note("objects", [...(await run.io.allSockets())]);
  socket.disconnect();
  describe(socket);
});
