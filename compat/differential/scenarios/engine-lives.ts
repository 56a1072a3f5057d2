// Sessions of an engine: heartbeat, close, aborted requests, properties and events.
import { onEngine } from "../scenario.ts";

const polling = { transport: "polling" } as const;
const websocket = { transport: "websocket" } as const;
const brisk = { pingInterval: 150, pingTimeout: 3000 };
const hasty = { pingInterval: 200, pingTimeout: 800 };

onEngine("heartbeat: pings and pongs over long-polling", { ...polling, options: brisk }, async (run) => {
  const peer = await run.polling();
  await peer.poll();
  await peer.post("3");
  await peer.poll();
  await peer.post("3");
  run.stop();
});

onEngine("heartbeat: no poll and no pong", { ...polling, options: hasty }, async (run) => {
  const peer = await run.polling();
  await run.saw("engine", "description");
  await peer.poll();
});

onEngine("heartbeat: no pong over long-polling", { ...polling, options: hasty }, async (run) => {
  const peer = await run.polling();
  await peer.poll();
  const { answer } = await peer.park();
  await run.saw("engine", "description");
  await answer;
});

onEngine("heartbeat: pings and pongs over a WebSocket", { ...websocket, options: brisk }, async (run) => {
  const socket = await run.open("ws", "transport=websocket");
  for (let beat = 1; beat <= 3; beat++) {
    await run.saw("ws", 'text "2"', beat);
    socket.sendText("3");
    await run.saw("engine", "heartbeat", beat);
  }
  run.stop();
});

onEngine("heartbeat: no pong over a WebSocket", { ...websocket, options: hasty }, async (run) => {
  await run.open("ws", "transport=websocket");
  await run.saw("engine", "description");
  await run.saw("ws", "end");
});

onEngine("heartbeat: a pong with data", { ...websocket, options: brisk }, async (run) => {
  const socket = await run.open("ws", "transport=websocket");
  await run.saw("ws", 'text "2"');
  socket.sendText("3data");
  await run.saw("engine", "heartbeat");
  run.stop();
});

onEngine("close: over long-polling with a pending poll", polling, async (run) => {
  const peer = await run.polling();
  const { answer } = await peer.park();
  run.session.close();
  await answer;
  void peer.begin("next poll");
});

onEngine("close: over long-polling without a poll", polling, async (run) => {
  const peer = await run.polling();
  run.session.close();
  void peer.begin("next poll");
  await run.saw("next poll", "body");
  void peer.begin("poll after that");
  await run.saw("poll after that", "body");
});

onEngine("close: over long-polling with queued messages", polling, async (run) => {
  const peer = await run.polling();
  run.session.send("one");
  run.session.close();
  run.session.send("too late");
  void peer.begin("next poll");
  await run.saw("next poll", "body");
  void peer.begin("poll after that");
  await run.saw("poll after that", "body");
});

onEngine("close: over long-polling, discarding the queue", polling, async (run) => {
  const peer = await run.polling();
  run.session.send("one");
  run.session.close(true);
  await run.saw("engine", "description");
  void peer.begin("next poll");
  await run.saw("next poll", "body");
});

onEngine("close: over long-polling with a pending poll, discarding the queue", polling, async (run) => {
  const peer = await run.polling();
  const { answer } = await peer.park();
  run.session.close(true);
  await answer;
});

onEngine("close: a close packet while a poll is pending", polling, async (run) => {
  const peer = await run.polling();
  const { answer } = await peer.park();
  await peer.post("1");
  await answer;
});

onEngine("close: the engine, with a pending poll", polling, async (run) => {
  const one = await run.polling();
  const parked = await one.park("one");
  const two = await run.polling();
  run.engine.close();
  await parked.answer;
  void two.begin("two");
  await run.saw("two", "body");
});

onEngine("close: twice", polling, async (run) => {
  const peer = await run.polling();
  const { answer } = await peer.park();
  run.session.close();
  run.session.close();
  run.session.close(true);
  await answer;
});

onEngine("close: in a message listener", polling, async (run) => {
  const peer = await run.polling();
  run.session.on("message", () => run.session.close());
  await peer.post("4one\x1e4two");
  void peer.begin("next poll");
  await run.saw("next poll", "body");
});

onEngine("close: in a connection listener", polling, async (run) => {
  run.engine.on("connection", (session) => session.close());
  const peer = await run.polling();
  void peer.begin("next poll");
  await run.saw("next poll", "body");
});

onEngine("abort: a pending poll", polling, async (run) => {
  const peer = await run.polling();
  const aborter = new AbortController();
  const { answer } = await peer.park("parked", { signal: aborter.signal });
  aborter.abort();
  await answer;
  await run.saw("engine", "description");
  await peer.poll();
});

onEngine("abort: a POST", polling, async (run) => {
  const peer = await run.polling();
  const aborter = new AbortController();
  const headers = { "content-length": "100" };
  const posting = peer.post("4half", { headers, signal: aborter.signal, lane: "post" }).catch(() => {});
  await run.quiet();
  aborter.abort();
  await posting;
  await run.saw("engine", "description");
});

onEngine("session: properties", polling, async (run) => {
  const peer = await run.polling();
  const { session, engine } = run;
  const { protocol, readyState, upgrading, upgraded, remoteAddress, transport, writeBuffer } = session;
  run.note("session", { protocol, readyState, upgrading, upgraded, remoteAddress, writeBuffer });
  run.note("session", transport.name, transport.readyState, transport.writable);
  run.note("session", Object.keys(engine.clients), engine.clientsCount);
  run.note("session", session.request.url ?? "", session.request.method ?? "", { ...session.request._query });
  await peer.post("1");
  run.note("session", session.readyState, transport.readyState, engine.clientsCount);
});

onEngine("session: packet events", websocket, async (run) => {
  run.engine.on("connection", (session) => {
    for (const event of ["packet", "packetCreate"]) {
      session.on(event, ({ type, data }: { type: string; data?: unknown }) => {
        run.note("packets", event, type, data);
      });
    }
    session.on("data", (data: unknown) => run.note("packets", "data", data));
    session.on("open", () => run.note("packets", "open"));
  });
  const socket = await run.open("ws", "transport=websocket");
  socket.sendText("4hello");
  socket.sendBinary(Buffer.from([1]));
  await run.saw("packets", "data", 2);
  run.session.send("hi");
  run.session.send(Buffer.from([2]));
  await run.saw("ws", "binary");
});

onEngine("session: flush and drain events", websocket, async (run) => {
  run.engine.on("flush", (_: unknown, packets: unknown[]) => run.note("engine flush", packets.length));
  run.engine.on("drain", () => run.note("engine flush", "drain"));
  await run.open("ws", "transport=websocket");
  run.session.on("flush", (packets: unknown[]) => run.note("flush", packets.length));
  run.session.on("drain", () => run.note("flush", "drain"));
  run.session.send("one");
  await run.saw("flush", "drain");
});
