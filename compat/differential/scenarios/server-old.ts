// socket.io-client 2, which uses protocol 3, and its packets.
import type { OldClient } from "../../../test/support/server/old-clients.ts";
import type { ServerRun } from "../server-run.ts";
import { onServer, overEveryWay, type ClientWay } from "../scenario.ts";

const options = { allowEIO3: true };
const websocket = { transport: "websocket", options } as const;
const polling = { transport: "polling", options } as const;
const bytes = Buffer.from([1, 2, 3, 255]);

async function connected(run: ServerRun, way: ClientWay, namespace: string = ""): Promise<OldClient> {
  // an upgrade may or may not complete before the client disconnects
  run.recorder.ignore(/UPGRADE_FAILURE|TRANSPORT_MISMATCH|Session ID unknown/);
  const client = run.oldClient("a", way, namespace);
  await run.saw("a", "connect");
  if (way.transports.length > 1) {
    while (run.socket.conn.transport.name !== "websocket")
      await new Promise((resolve) => setTimeout(resolve, 5));
  }
  return client;
}

overEveryWay("client 2: events both ways", options, async (run, way) => {
  run.io.on("connection", (socket) => socket.emit("welcome", 1, "é€😀", { list: [1] }));
  const client = await connected(run, way);
  client.emit("hello", 1, null, "é€😀", { nested: { list: [1, 2] } });
  client.emit("bytes", bytes, { deep: bytes });
  await run.saw("server", "bytes");
  run.socket.emit("down", 1, "é€😀");
  run.socket.emit("bytes", bytes, { deep: bytes });
  await run.saw("a", "bytes");
});

overEveryWay("client 2: broadcasts", options, async (run, way) => {
  await connected(run, way);
  await run.socket.join("room");
  run.io.emit("to all", 1);
  run.io.to("room").emit("to the room", bytes);
  run.io.except("room").emit("to others");
  run.io.emit("last", "é€😀");
  await run.saw("a", "last");
});

overEveryWay("client 2: acks both ways", options, async (run, way) => {
  const client = await connected(run, way);
  run.socket.on("ask", (...args: unknown[]) =>
    (args.pop() as (...args: unknown[]) => void)("answer", ...args),
  );
  client.emit("ask", 1, bytes, (...answers: unknown[]) => run.note("a", "answered", answers));
  await run.saw("a", "answered");
  const old = client as unknown as { on(event: string, listener: (...args: unknown[]) => void): void };
  old.on("ask", (...args) => (args.pop() as (...args: unknown[]) => void)("answer", ...args));
  run.socket.emit("ask", 2, (...answers: unknown[]) => run.note("answers", answers));
  await run.saw("answers", /./);
  run.note("answers", await run.io.timeout(5000).emitWithAck("ask", 3));
});

overEveryWay("client 2: with a query", options, async (run, way) => {
  run.io.on("connection", ({ handshake }) => {
    const { t: _, sid: __, ...query } = handshake.query;
    run.note("handshake", handshake.auth["from"], query);
  });
  const client = run.oldClient("a", { ...way, query: { from: "here" } });
  await run.saw("a", "connect");
  run.recorder.ignore("connection_error");
  client.emit("hello");
  await run.saw("server", "hello");
});

overEveryWay("client 2: a namespace", options, async (run, way) => {
  run.watch(run.io.of("/chat"));
  const client = await connected(run, way, "/chat");
  client.emit("hello");
  await run.saw("server", "hello");
  run.io.of("/chat").emit("to the chat", bytes);
  await run.saw("a", "to the chat");
});

overEveryWay("client 2: an unknown namespace", options, async (run, way) => {
  run.oldClient("a", way, "/nowhere");
  await run.saw("a", "error");
});

overEveryWay("client 2: refused by a middleware", options, async (run, way) => {
  run.io.use((_, next) => next(new Error("not you")));
  run.oldClient("a", way);
  await run.saw("a", "error");
});

overEveryWay("client 2: refused by a middleware with data", options, async (run, way) => {
  run.io.use((_, next) => next(Object.assign(new Error("not you"), { data: { code: 1 } })));
  run.oldClient("a", way);
  await run.saw("a", "error");
});

overEveryWay("client 2: the server disconnects", options, async (run, way) => {
  await connected(run, way);
  run.socket.emit("last");
  run.socket.disconnect();
  await run.saw("a", "disconnect");
});

overEveryWay("client 2: the server disconnects and closes the connection", options, async (run, way) => {
  await connected(run, way);
  run.socket.emit("last");
  run.socket.disconnect(true);
  await run.saw("a", "disconnect");
  await run.saw("engine", "description");
});

overEveryWay("client 2: the client disconnects", options, async (run, way) => {
  const client = await connected(run, way);
  client.close();
  await run.saw("a", "disconnect");
  await run.saw("server", "description");
});

overEveryWay("client 2: the server closes", options, async (run, way) => {
  await connected(run, way);
  void run.io.close();
  await run.saw("a", "disconnect");
  await run.saw("server", "description");
});

for (const [name, packet] of Object.entries({
  "an event": '42["event",1]',
  "an event with an id": '421["event",1]',
  binary: '451-["event",{"_placeholder":true,"num":0}]',
  "a CONNECT": "40/other",
  "a CONNECT with a query": "40/other?from=here&deep[a]=1",
  "a CONNECT to an unknown namespace": "40/nowhere",
  "a second CONNECT to the main namespace": "40",
  "a disconnect": "41",
  "an invalid packet": "4bad",
  "a reserved event": '42["disconnect"]',
})) {
  onServer(`wire of protocol 3: ${name}`, websocket, async (run) => {
    run.watch(run.io.of("/other"));
    run.io
      .of("/other")
      .on("connection", ({ handshake }) => run.note("auth", handshake.auth, handshake.query));
    const wire = await run.open("ws", "EIO=3&transport=websocket");
    await run.saw("ws", '"40"');
    run.socket.on("event", (...args: unknown[]) => {
      const answer = args.at(-1);
      if (typeof answer === "function") (answer as (...args: unknown[]) => void)("answered");
    });
    wire.sendText(packet);
    if (name === "binary") wire.sendBinary(Buffer.from([4, 1, 2]));
    await run.quiet();
    run.io.emit("to all", bytes);
    run.io.of("/other").emit("to the other");
    await run.quiet();
  });
}

onServer("wire of protocol 3: over long-polling", polling, async (run) => {
  run.io.on("connection", (socket) => socket.emit("welcome"));
  const response = await run.get("EIO=3&b64=1&transport=polling");
  const sid = /"sid":"([^"]+)/.exec(response.body)?.[1];
  await run.get(`EIO=3&b64=1&transport=polling&sid=${sid}`);
  await run.post(`EIO=3&b64=1&transport=polling&sid=${sid}`, '13:42["event",1]4:41/x');
  run.io.emit("to all", bytes);
  await run.get(`EIO=3&b64=1&transport=polling&sid=${sid}`);
});

onServer("wire of protocol 3: allowEIO3 is false", { transport: "polling" }, async (run) => {
  await run.get("EIO=3&transport=polling");
});
