// Intended differences from the official server.
import type { Socket } from "socket.io";
import type { RawWebSocket } from "../../../test/support/wire/raw-websocket.ts";
import type { ServerRun } from "../server-run.ts";
import { onServer } from "../scenario.ts";

const websocket = { transport: "websocket" } as const;
const client = { transports: ["websocket"] };
const recovery = { connectionStateRecovery: { maxDisconnectionDuration: 60_000 } };

onServer("difference: emitWithAck of the server and of a namespace", websocket, async (run) => {
  run.note(
    "members",
    typeof Reflect.get(run.io, "emitWithAck"),
    typeof Reflect.get(run.io.of("/"), "emitWithAck"),
  );
});

onServer("difference: acks of a broadcast without a timeout", websocket, async (run) => {
  const a = await run.connected("a", client);
  a.on("ask", (answer: (text: string) => void) => setTimeout(answer, 50, "answer"));
  await run.io
    .to(run.socket.id)
    .emitWithAck("ask")
    .then(
      (answers) => run.note("answers", answers),
      (error: Error) => run.note("answers", error.message),
    );
});

onServer("difference: a Blob", websocket, async (run) => {
  await run.connected("a", client);
  try {
    run.socket.emit("blob", new Blob(["bytes"]));
    run.note("thrown", "nothing");
  } catch (error) {
    run.note("thrown", (error as Error).name);
  }
  await run.quiet();
});

onServer(
  "difference: a child namespace is removed while a middleware is pending",
  { ...websocket, options: { cleanupEmptyChildNamespaces: true } },
  async (run) => {
    const waiting: (() => void)[] = [];
    const parent = run.io.of(/^\/room$/);
    parent.use((socket, next) => {
      run.note("middleware", "asked");
      if (socket.handshake.auth["wait"]) waiting.push(next);
      else next();
    });
    run.watch(parent);
    const one = await run.connected("a", client, "/room");
    run.client("b", { ...client, auth: { wait: true } }, "/room");
    await run.saw("middleware", "asked", 2);
    one.disconnect();
    await run.saw("server", "disconnect: ");
    run.note("namespaces", [...run.io._nsps.keys()]);
    waiting[0]!();
    await run.saw("b", "connect");
    run.note("namespaces", [...run.io._nsps.keys()]);
  },
);

/** Connects a raw client whose state can be recovered, and that has received one event. */
async function recoverable(run: ServerRun): Promise<{ wire: RawWebSocket; auth: string }> {
  run.recorder.mask(/(\\?")[\w-]{7}(?:\.\w+)?(\\?"\])/g, "$1<offset>$2");
  run.recorder.mask(/("offset\\?":\\?")[^"\\]+/g, "$1<offset>");
  const wire = await run.open("ws", "transport=websocket");
  wire.sendText("40");
  await run.saw("server", "connection");
  run.io.emit("first", 1);
  await run.saw("ws", "first");
  const texts = wire.frames.map(({ payload }) => payload.toString());
  const pid = /"pid":"([^"]+)/.exec(texts.join())?.[1];
  const offset = /"([^"]+)"\]$/.exec(texts.at(-1)!)?.[1];
  return { wire, auth: JSON.stringify({ pid, offset }) };
}

onServer(
  "difference: recovery before the server detects the disconnect",
  { ...websocket, options: recovery },
  async (run) => {
    const { auth } = await recoverable(run);
    const next = await run.open("next", "transport=websocket");
    next.sendText(`40${auth}`);
    await run.saw("server", "connection", 2);
    await run.quiet();
    run.io.emit("to all");
  },
);

onServer(
  "difference: several connections that recover the same state",
  { ...websocket, options: recovery },
  async (run) => {
    const { wire, auth } = await recoverable(run);
    wire.reset();
    await run.saw("server", "description");
    for (const lane of ["second", "third"]) {
      const next = await run.open(lane, "transport=websocket");
      next.sendText(`40${auth}`);
      await run.saw(lane, "40{");
      await run.quiet();
    }
    run.io.emit("to all");
  },
);

onServer(
  "difference: events while the middlewares of a recovered socket run",
  { ...websocket, options: { connectionStateRecovery: { skipMiddlewares: false } } },
  async (run) => {
    const waiting: (() => void)[] = [];
    run.io.use((_: Socket, next) => {
      run.note("middleware", "asked");
      waiting.push(next);
      if (waiting.length === 1) next();
    });
    const { wire, auth } = await recoverable(run);
    wire.reset();
    await run.saw("server", "description");
    run.io.emit("missed");
    const next = await run.open("next", "transport=websocket");
    next.sendText(`40${auth}`);
    await run.saw("middleware", "asked", 2);
    run.io.emit("in between");
    waiting[1]!();
    await run.saw("server", "connection", 2);
    run.io.emit("after");
    await run.saw("next", "after");
  },
);

onServer(
  "difference: recovery after a recovered socket disconnected on purpose",
  { ...websocket, options: recovery },
  async (run) => {
    const { wire, auth } = await recoverable(run);
    wire.reset();
    await run.saw("server", "description");
    const second = await run.open("second", "transport=websocket");
    second.sendText(`40${auth}`);
    await run.saw("second", "40{");
    second.sendText("41");
    await run.saw("server", "client namespace disconnect");
    const third = await run.open("third", "transport=websocket");
    third.sendText(`40${auth}`);
    await run.saw("third", "40{");
  },
);

onServer(
  "difference: offsets of an event to several child namespaces",
  { ...websocket, options: recovery },
  async (run) => {
    run.recorder.mask(/'[\w-]{7}(?:\.\w+)?'/g, "<offset>");
    const parent = run.io.of(/^\/room-\d$/);
    run.watch(parent);
    const one = await run.connected("a", client, "/room-1");
    run.join("b", one.io, "/room-2");
    await run.saw("b", "connect");
    parent.except("nobody").emit("to all rooms", 1);
    await run.saw("a", "to all rooms");
    await run.saw("b", "to all rooms");
  },
);

onServer("difference: a join-room listener disconnects the socket", websocket, async (run) => {
  run.io.of("/").adapter.on("join-room", (_room: string, id: string) => {
    run.recorder.learn("socket", id);
    run.io.sockets.sockets.get(id)?.disconnect();
  });
  const wire = await run.open("ws", "transport=websocket");
  wire.sendText("40");
  await run.saw("ws", "41");
  await run.quiet();
  run.note("left over", run.io.sockets.sockets.size, run.io.sockets.adapter.sids.size);
});

onServer("difference: a leave-room listener disconnects the socket", websocket, async (run) => {
  const wire = await run.open("ws", "transport=websocket");
  wire.sendText("40");
  await run.saw("server", "connection");
  const { socket } = run;
  socket.nsp.adapter.on("leave-room", () => socket.disconnect());
  wire.sendText("41");
  await run.saw("server", "description");
  await run.quiet();
});

onServer("difference: a middleware calls next twice", websocket, async (run) => {
  run.io.use((_: Socket, next) => {
    next();
    next();
  });
  const wire = await run.open("ws", "transport=websocket");
  wire.sendText("40");
  await run.saw("server", "connection");
  await run.quiet();
});

onServer("difference: the client disconnects, and a middleware never calls next", websocket, async (run) => {
  run.io.use(() => run.note("middleware", "asked"));
  const wire = await run.open("ws", "transport=websocket");
  wire.sendText("40");
  await run.saw("middleware", "asked");
  wire.close(1000);
  await run.saw("engine", "description");
  await run.quiet();
  const { _preConnectSockets } = run.io.sockets as unknown as { _preConnectSockets: Map<string, Socket> };
  run.note("left over", _preConnectSockets.size);
});

onServer("difference: an event with attachments before CONNECT", websocket, async (run) => {
  const wire = await run.open("ws", "transport=websocket");
  wire.sendText('4510-["event",{"_placeholder":true,"num":0}]');
  await run.quiet();
});

onServer("difference: an event nested 1,000 levels deep", websocket, async (run) => {
  const wire = await run.open("ws", "transport=websocket");
  wire.sendText("40");
  await run.saw("server", "connection");
  run.socket.on("deep", () => run.note("heard", "deep"));
  run.socket.offAny();
  wire.sendText(`42["deep",${"[".repeat(999)}${"]".repeat(999)}]`);
  await run.quiet();
});

onServer("difference: several volatile events in one tick", websocket, async (run) => {
  const wire = await run.open("ws", "transport=websocket");
  wire.sendText("40");
  await run.saw("ws", "40{");
  for (let i = 1; i <= 3; i++) run.socket.volatile.emit("position", i);
  await run.quiet();
});
