// Disconnects and closes, and what each side reports.
import type { Socket } from "socket.io";
import type { Socket as ClientSocket } from "socket.io-client";
import type { ServerRun } from "../server-run.ts";
import { onServer, overEveryWay, type ClientWay } from "../scenario.ts";

const hasty = { pingInterval: 300, pingTimeout: 1000 };

/** Connects a client to the main namespace and to another one. */
async function both(run: ServerRun, way: ClientWay): Promise<{ client: ClientSocket; other: ClientSocket }> {
  run.watch(run.io.of("/other"));
  const client = await run.connected("a", way);
  const other = run.join("other", client.io, "/other");
  await run.saw("other", "connect");
  await run.settle();
  return { client, other };
}

const ends: Record<string, (run: ServerRun, client: ClientSocket, socket: Socket) => unknown> = {
  "the server disconnects": (_, __, socket) => socket.disconnect(),
  "the server disconnects and closes the connection": (_, __, socket) => socket.disconnect(true),
  "the server closes the connection": (_, __, socket) => socket.conn.close(),
  "the client disconnects": (_, client) => client.disconnect(),
  "the client closes its engine": (_, client) => client.io.engine.close(),
  "the server closes": (run) => void run.io.close(),
  "the server disconnects all sockets": (run) => run.io.disconnectSockets(),
  "the server disconnects all sockets and closes their connections": (run) => run.io.disconnectSockets(true),
  "events, then the server disconnects": (_, __, socket) => {
    socket.emit("one");
    socket.emit("two", Buffer.from([1]));
    socket.disconnect();
    socket.emit("too late");
  },
  "events, then the server disconnects and closes the connection": (_, __, socket) => {
    socket.emit("one");
    socket.emit("two", Buffer.from([1]));
    socket.disconnect(true);
  },
  "events, then the client disconnects": (_, client) => {
    client.emit("one");
    client.emit("two", Buffer.from([1]));
    client.disconnect();
  },
  "the server disconnects twice": (_, __, socket) => {
    socket.disconnect();
    socket.disconnect(true);
  },
};

for (const [name, act] of Object.entries(ends)) {
  overEveryWay(`end: ${name}`, {}, async (run, way) => {
    const client = await run.connected("a", way);
    act(run, client, run.socket);
    await run.saw("a", "disconnect");
    await run.saw("server", "description");
    await run.quiet();
    run.note("left", run.io.of("/").sockets.size, run.io.engine.clientsCount);
  });
}

for (const name of [
  "the server disconnects",
  "the server disconnects and closes the connection",
  "the client disconnects",
]) {
  overEveryWay(`end: one of two namespaces, ${name}`, {}, async (run, way) => {
    const { client, other } = await both(run, way);
    ends[name]!(run, client, run.sockets[0]!);
    await run.saw("a", "disconnect");
    run.io.emit("to nobody");
    run.io.of("/other").emit("to the other");
    other.emit("from the other");
    await run.settle();
  });
}

overEveryWay("end: in an event listener", {}, async (run, way) => {
  const client = await run.connected("a", way);
  run.socket.on("bye", () => run.socket.disconnect());
  client.emit("bye");
  await run.saw("a", "disconnect");
});

overEveryWay("end: in a connection listener", {}, async (run, way) => {
  run.recorder.ignore(/connection_error|upgrade to/);
  run.io.on("connection", (socket) => socket.disconnect(true));
  run.client("a", way);
  await run.saw("a", "disconnect");
  await run.saw("server", "description");
});

overEveryWay("end: in a middleware", {}, async (run, way) => {
  run.recorder.ignore(/connection_error|upgrade to/);
  run.io.use((socket, next) => {
    socket.conn.close();
    next();
  });
  run.client("a", way);
  await run.saw("engine", "description");
});

onServer("end: no pong", { transport: "websocket", options: hasty }, async (run) => {
  run.recorder.ignore('text "2"');
  const wire = await run.open("ws", "transport=websocket");
  wire.sendText("40");
  await run.saw("server", "description");
  await run.saw("ws", "end");
});

onServer("end: no poll", { transport: "polling", options: hasty }, async (run) => {
  const { body } = await run.get("transport=polling");
  const { sid } = JSON.parse(body.slice(1)) as { sid: string };
  await run.post(`transport=polling&sid=${sid}`, "40");
  await run.saw("server", "description");
});

onServer("end: the server closes with a callback", { transport: "any" }, async (run) => {
  await run.connected("a", { transports: ["websocket"] });
  await new Promise<void>((resolve) => {
    void run.io.close((error) => {
      run.note("closing", "called back", error?.message);
      resolve();
    });
  });
  await run.saw("a", "disconnect");
  await run.io.close().then(
    () => run.note("closing", "twice is allowed"),
    (error: Error & { code?: string }) => run.note("closing", error.code ?? error.message),
  );
});
