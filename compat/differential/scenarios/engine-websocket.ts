// Engine.IO 4 over a WebSocket.
import { encodeFrame, OPCODE } from "../../../test/support/wire/frames.ts";
import type { RawWebSocket } from "../../../test/support/wire/raw-websocket.ts";
import { onEngine } from "../scenario.ts";

const websocket = { transport: "websocket" } as const;

onEngine("websocket: a handshake", websocket, async (run) => {
  await run.open("ws", "transport=websocket");
});

onEngine("websocket: messages both ways", websocket, async (run) => {
  const socket = await run.open("ws", "transport=websocket");
  socket.sendText("4hello");
  socket.sendText("4é€😀");
  socket.sendBinary(Buffer.from([1, 2, 255]));
  socket.sendBinary(Buffer.alloc(0));
  await run.saw("engine", "message", 4);
  run.session.send("hello");
  run.session.send("é€😀");
  run.session.send("");
  run.session.send(Buffer.from([1, 2, 255]));
  run.session.send(Buffer.alloc(0));
  run.session.send("a\ud83db");
});

onEngine("websocket: accepted by the application", websocket, async (run) => {
  const socket = await run.handedOver("ws", "transport=websocket");
  socket.sendText("4hello");
  socket.sendBinary(Buffer.from([1, 2, 255]));
  await run.saw("engine", "message", 2);
  run.session.send("hello");
  run.session.send(Buffer.from([1, 2, 255]));
  await run.saw("ws", "binary");
  socket.close();
});

onEngine("websocket: messages sent in a connection listener", websocket, async (run) => {
  run.engine.on("connection", (session) => {
    session.send("first");
    session.send("second");
  });
  await run.open("ws", "transport=websocket");
});

onEngine("websocket: many messages in one write", websocket, async (run) => {
  const socket = await run.open("ws", "transport=websocket");
  run.session.on("message", (data: string) => run.session.send(`you said ${data}`));
  socket.sendTogether("4one", "4two", "4three", "4four");
  await run.saw("ws", "four");
});

onEngine("websocket: a fragmented message", websocket, async (run) => {
  const socket = await run.open("ws", "transport=websocket");
  socket.sendFragmented(OPCODE.text, Buffer.from("4é€😀 in parts"), 7);
  socket.sendFragmented(OPCODE.binary, Buffer.from([1, 2, 3, 4, 5]), 3);
  await run.saw("engine", "message", 2);
});

onEngine("websocket: WebSocket pings and pongs", websocket, async (run) => {
  const socket = await run.open("ws", "transport=websocket");
  socket.ping();
  socket.ping(Buffer.from("data"));
  await run.saw("ws", "pong", 2);
  socket.sendFrame(OPCODE.pong, Buffer.from("unasked"));
  socket.sendText("4after");
  await run.saw("engine", "after");
});

for (const [name, packet] of Object.entries({
  "an unsolicited pong": "3",
  "a ping, which only servers send": "2",
  "a probe without an upgrade": "2probe",
  "a close packet": "1",
  "a noop": "6",
  "an upgrade packet": "5",
  "an open packet": "0{}",
  "a packet of an unknown type": "9what",
  "an empty frame": "",
  "binary data in base64": "bAQIDBA==",
  "invalid base64": "b!!!!",
})) {
  onEngine(`websocket: ${name}`, websocket, async (run) => {
    const socket = await run.open("ws", "transport=websocket");
    socket.sendTogether(packet, "4after");
    await run.quiet();
    if (run.session.readyState === "open") run.session.send("still here");
  });
}

for (const [name, act] of Object.entries<(socket: RawWebSocket) => void>({
  "an unmasked frame": (socket) => socket.sendFrame(OPCODE.text, Buffer.from("4hi"), { masked: false }),
  "a reserved bit": (socket) => socket.sendFrame(OPCODE.text, Buffer.from("4hi"), { rsv: 4 }),
  "a reserved opcode": (socket) => socket.sendFrame(3, Buffer.from("4hi")),
  "a continuation without a first frame": (socket) =>
    socket.sendFrame(OPCODE.continuation, Buffer.from("4hi")),
  "a message between fragments": (socket) => {
    socket.sendFrame(OPCODE.text, Buffer.from("4one"), { fin: false });
    socket.sendFrame(OPCODE.text, Buffer.from("4two"));
  },
  "text that is not UTF-8": (socket) => socket.sendFrame(OPCODE.text, Buffer.from([0x34, 0xff, 0xfe])),
  "a long ping": (socket) => socket.ping(Buffer.alloc(126)),
  "a fragmented ping": (socket) => socket.sendFrame(OPCODE.ping, Buffer.from("x"), { fin: false }),
})) {
  onEngine(`websocket: ${name}`, websocket, async (run) => {
    const socket = await run.open("ws", "transport=websocket");
    act(socket);
    await run.quiet();
  });
}

for (const [name, act] of Object.entries<(socket: RawWebSocket) => void>({
  "with 1000": (socket) => socket.close(1000),
  "with 1001": (socket) => socket.close(1001, "going away"),
  "with a custom code": (socket) => socket.close(4000, "because"),
  "with 1012": (socket) => socket.close(1012, "service restart"),
  "with 3000": (socket) => socket.close(3000, "unauthorized"),
  "without a code": (socket) => socket.close(),
  "with a code that must not be sent": (socket) => socket.close(1006),
  "with a reason that is not UTF-8": (socket) => {
    socket.sendFrame(OPCODE.close, Buffer.from([0x03, 0xe8, 0xff, 0xfe]));
  },
  "by a reset": (socket) => socket.reset(),
  "by ending the stream": (socket) => socket.socket.end(),
  "in the middle of a frame": (socket) => {
    const frame = encodeFrame(OPCODE.text, Buffer.from("4never whole"));
    socket.socket.end(frame.subarray(0, 8));
  },
})) {
  onEngine(`websocket: the client disconnects ${name}`, websocket, async (run) => {
    const socket = await run.open("ws", "transport=websocket");
    act(socket);
    await run.saw("engine", "description");
    await run.saw("ws", "end");
  });
}

onEngine("websocket: the server closes", websocket, async (run) => {
  await run.open("ws", "transport=websocket");
  run.session.close();
  await run.saw("ws", "end");
});

onEngine("websocket: the server closes with queued messages", websocket, async (run) => {
  await run.open("ws", "transport=websocket");
  run.session.send("one");
  run.session.send("two");
  run.session.close();
  run.session.send("too late");
  await run.saw("ws", "end");
});

onEngine("websocket: the server closes and discards the queue", websocket, async (run) => {
  await run.open("ws", "transport=websocket");
  run.session.close(true);
  await run.saw("ws", "end");
});

onEngine("websocket: the engine closes", websocket, async (run) => {
  await run.open("ws one", "transport=websocket");
  await run.open("ws two", "transport=websocket");
  run.engine.close();
  await run.saw("ws one", "end");
  await run.saw("ws two", "end");
});

onEngine("websocket: the server closes in a message listener", websocket, async (run) => {
  const socket = await run.open("ws", "transport=websocket");
  run.session.on("message", () => run.session.close());
  socket.sendTogether("4one", "4two");
  await run.saw("ws", "end");
});

onEngine("websocket: messages after a close packet", websocket, async (run) => {
  const socket = await run.open("ws", "transport=websocket");
  socket.sendTogether("4one", "1", "4two");
  await run.quiet();
});

onEngine("websocket: a second WebSocket for the same session", websocket, async (run) => {
  const first = await run.open("ws", "transport=websocket");
  await run.ws("second", `transport=websocket&sid=${run.session.id}`);
  await run.quiet();
  first.sendText("4still here");
  await run.saw("engine", "still here");
});

const deflate = { perMessageDeflate: { threshold: 0 } };

onEngine("websocket: compression that the client offers", { ...websocket, options: deflate }, async (run) => {
  const headers = { "sec-websocket-extensions": "permessage-deflate" };
  await run.open("ws", "transport=websocket", { headers });
  await run.saw("ws", "text");
});

onEngine(
  "websocket: compression that the client does not offer",
  { ...websocket, options: deflate },
  async (run) => {
    await run.open("ws", "transport=websocket");
  },
);
