// Engine.IO 3, the protocol of socket.io-client 2.
import type { RawWebSocket } from "../../../test/support/wire/raw-websocket.ts";
import { oldPayload, type EngineRun, type PollingSession } from "../engine-run.ts";
import { onEngine } from "../scenario.ts";

const options = { allowEIO3: true };
const polling = { transport: "polling", options } as const;
const websocket = { transport: "websocket", options } as const;
const upgrade = { transport: "upgrade", options } as const;
const OLD = "EIO=3&";
const TEXT = "EIO=3&b64=1&";

onEngine("protocol 3: a handshake over long-polling", polling, async (run) => {
  await run.polling(OLD);
});

onEngine("protocol 3: a handshake over long-polling with b64=1", polling, async (run) => {
  await run.polling(TEXT);
});

onEngine("protocol 3: a handshake over a WebSocket", websocket, async (run) => {
  await run.open("ws", "EIO=3&transport=websocket");
});

for (const query of [OLD, TEXT]) {
  const how = query === TEXT ? "with b64=1" : "without b64";
  onEngine(`protocol 3: messages over long-polling ${how}`, polling, async (run) => {
    const peer = await run.polling(query);
    await peer.post(oldPayload("4one", "4é€😀", "b4AQID"));
    run.session.send("one");
    run.session.send("é€😀");
    await peer.poll();
    run.session.send("text");
    run.session.send(Buffer.from([1, 2, 255]));
    await peer.poll();
  });
}

onEngine("protocol 3: a binary payload", polling, async (run) => {
  const peer = await run.polling(OLD);
  await peer.post(Buffer.from([0, 6, 255, 0x34, 0x68, 0x65, 0x6c, 0x6c, 0x6f, 1, 4, 255, 4, 1, 2, 3]));
  await run.quiet();
});

onEngine("protocol 3: the heartbeat over long-polling", polling, async (run) => {
  const peer = await run.polling(OLD);
  await peer.post(oldPayload("2"));
  await peer.poll();
  await peer.post(oldPayload("2probe"));
  await peer.poll();
});

onEngine("protocol 3: the heartbeat over a WebSocket", websocket, async (run) => {
  const socket = await run.open("ws", "EIO=3&transport=websocket");
  socket.sendText("2");
  socket.sendText("2more");
  await run.saw("ws", 'text "3', 2);
});

onEngine(
  "protocol 3: no ping over long-polling",
  { ...polling, options: { ...options, pingInterval: 60, pingTimeout: 60 } },
  async (run) => {
    await run.polling(OLD);
    await run.saw("engine", "description");
  },
);

onEngine(
  "protocol 3: no ping over a WebSocket",
  { ...websocket, options: { ...options, pingInterval: 60, pingTimeout: 60 } },
  async (run) => {
    await run.open("ws", "EIO=3&transport=websocket");
    await run.saw("ws", "end");
  },
);

onEngine("protocol 3: messages over a WebSocket", websocket, async (run) => {
  const socket = await run.open("ws", "EIO=3&transport=websocket");
  socket.sendText("4hello");
  socket.sendBinary(Buffer.from([4, 1, 2, 255]));
  socket.sendText("b4AQID");
  await run.saw("engine", "message", 3);
  run.session.send("hello");
  run.session.send(Buffer.from([1, 2, 255]));
  await run.saw("ws", "binary");
});

onEngine("protocol 3: messages over a WebSocket with b64=1", websocket, async (run) => {
  await run.open("ws", "EIO=3&b64=1&transport=websocket");
  run.session.send("hello");
  run.session.send(Buffer.from([1, 2, 255]));
  await run.saw("ws", "b4");
});

for (const [name, body] of Object.entries({
  "a close packet": "1:1",
  "a length that is too small": "2:4hello",
  "a length that is too large": "99:4hi",
  "no length": ":4hi",
  "a length that is not a number": "x:4hi",
  "an unknown type": "2:9x",
  "an empty body": "",
  "a pong": "1:3",
  "a noop": "1:6",
  "a length of zero": "0:",
})) {
  onEngine(`protocol 3: a POST with ${name}`, polling, async (run) => {
    const peer = await run.polling(OLD);
    await peer.post(body);
    run.session.send("after");
    void peer.begin("next poll");
    await run.quiet();
  });
}

for (const [name, packet] of Object.entries({
  "a close packet": "1",
  "a pong, which only servers send": "3",
  "an unknown type": "9x",
  "an empty frame": "",
  "an upgrade packet": "5",
})) {
  onEngine(`protocol 3: over a WebSocket, ${name}`, websocket, async (run) => {
    const socket = await run.open("ws", "EIO=3&transport=websocket");
    socket.sendTogether(packet, "4after");
    await run.quiet();
  });
}

async function probed(run: EngineRun): Promise<{ peer: PollingSession; socket: RawWebSocket }> {
  const peer = await run.polling(OLD);
  const socket = await run.open("ws", peer.websocketQuery);
  socket.sendText("2probe");
  await run.saw("ws", "3probe");
  return { peer, socket };
}

onEngine("protocol 3: an upgrade", upgrade, async (run) => {
  const { socket } = await probed(run);
  socket.sendText("5");
  await run.saw("engine", "upgrade to");
  socket.sendText("4up");
  await run.saw("engine", "message");
  run.session.send("down");
  await run.saw("ws", "down");
});

onEngine("protocol 3: an upgrade with a pending poll", upgrade, async (run) => {
  const peer = await run.polling(OLD);
  const { answer } = await peer.park();
  const socket = await run.open("ws", peer.websocketQuery);
  socket.sendText("2probe");
  await answer;
  socket.sendText("5");
  await run.saw("engine", "upgrade to");
});

onEngine("protocol 3: a close packet while a poll is pending", polling, async (run) => {
  const peer = await run.polling(OLD);
  const { answer } = await peer.park();
  await peer.post(oldPayload("1"));
  await answer;
});

onEngine("protocol 3: closing with a pending poll", polling, async (run) => {
  const peer = await run.polling(OLD);
  const { answer } = await peer.park();
  run.session.close();
  await answer;
});

onEngine("protocol 3: closing a WebSocket", websocket, async (run) => {
  await run.open("ws", "EIO=3&transport=websocket");
  run.session.close();
  await run.saw("ws", "end");
});

onEngine("protocol 3: JSONP", polling, async (run) => {
  const peer = await run.polling("EIO=3&b64=1&j=0&");
  run.session.send('say "hi" to é€😀 \u2028 \\n');
  await peer.poll();
  const headers = { "content-type": "application/x-www-form-urlencoded" };
  await peer.post(`d=${encodeURIComponent(oldPayload("4line\\\\nbreak"))}`, { headers });
  await peer.post(`d=${encodeURIComponent(oldPayload("4one\\ntwo"))}`, { headers });
  await peer.post("nothing", { headers });
});

onEngine("protocol 3: JSONP with an invalid index", polling, async (run) => {
  await run.polling("EIO=3&b64=1&j=alert(1)&");
});

onEngine("protocol 3: a protocol 4 request for the session", polling, async (run) => {
  const peer = await run.polling(OLD);
  await run.get(peer.query.replace("EIO=3", "EIO=4"));
});

onEngine(
  "protocol 3: an initialPacket",
  { ...polling, options: { ...options, initialPacket: "welcome" } },
  async (run) => {
    await run.polling(OLD);
  },
);

onEngine("protocol 3: a cookie", { ...polling, options: { ...options, cookie: true } }, async (run) => {
  await run.polling(OLD);
});
