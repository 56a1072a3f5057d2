import { OPCODE } from "../support/wire/frames.ts";
import type { RawWebSocket } from "../support/wire/raw-websocket.ts";
import { ended, nextMessage, scenariosOf } from "./scenario.ts";
import type { Misdeed } from "./scenario.ts";

const scenario = scenariosOf(import.meta.url);

const LIMIT = 1000;

/** Does something that closes the WebSocket. */
function endsWith(misdeed: (socket: RawWebSocket) => void): Misdeed {
  return async (run) => {
    const { socket } = await run.rawWebSocket();
    misdeed(socket);
    return ended(socket);
  };
}

const text = (content: string): Buffer => Buffer.from(content);

scenario(
  "sends a frame larger than maxHttpBufferSize",
  {
    text: async (run) => {
      const { socket } = await run.webSocket();
      socket.sendText(`4${"x".repeat(LIMIT)}`);
      return ended(socket);
    },
    binary: async (run) => {
      const { socket } = await run.webSocket();
      socket.sendBinary(Buffer.alloc(LIMIT + 1));
      return ended(socket);
    },
  },
  { options: { maxHttpBufferSize: LIMIT } },
);

scenario(
  "sends fragments that together exceed maxHttpBufferSize",
  endsWith((socket) => socket.sendFragmented(OPCODE.text, text(`4${"x".repeat(LIMIT)}`), 3)),
  { options: { maxHttpBufferSize: LIMIT }, needs: "tcp" },
);

scenario(
  "sends a frame many times larger than maxHttpBufferSize",
  {
    whole: endsWith((socket) => socket.sendText(`4${"x".repeat(200_000)}`)),
    "only its header": endsWith((socket) => {
      // FIN, text; masked, 2^40 bytes
      socket.socket.write(Buffer.from("81ff0000010000000000" + "00000000", "hex"));
    }),
  },
  { options: { maxHttpBufferSize: LIMIT }, needs: "tcp" },
);

scenario(
  "sends invalid UTF-8",
  {
    "in one frame": endsWith((socket) => socket.sendFrame(OPCODE.text, Buffer.from([0x34, 0xff, 0xfe]))),
    "in two frames": endsWith((socket) => {
      socket.sendFrame(OPCODE.text, Buffer.from([0x34, 0xe2]), { fin: false });
      socket.sendFrame(OPCODE.continuation, Buffer.from([0x28, 0xa1]));
    }),
    "a surrogate": endsWith((socket) => socket.sendFrame(OPCODE.text, Buffer.from("34eda080", "hex"))),
  },
  { needs: "tcp" },
);

scenario(
  "sends an invalid WebSocket frame",
  {
    "a reserved bit": endsWith((socket) => socket.sendFrame(OPCODE.text, text("4x"), { rsv: 4 })),
    "another reserved bit": endsWith((socket) => socket.sendFrame(OPCODE.text, text("4x"), { rsv: 1 })),
    "a reserved opcode": endsWith((socket) => socket.sendFrame(3, text("4x"))),
    "a reserved control opcode": endsWith((socket) => socket.sendFrame(11, text("4x"))),
    "a continuation without a first frame": endsWith((socket) =>
      socket.sendFrame(OPCODE.continuation, text("4x")),
    ),
    "a message between fragments": endsWith((socket) => {
      socket.sendFrame(OPCODE.text, text("4x"), { fin: false });
      socket.sendFrame(OPCODE.text, text("4y"));
    }),
    "a fragmented ping": endsWith((socket) => socket.sendFrame(OPCODE.ping, text("x"), { fin: false })),
    "a ping of 126 bytes": endsWith((socket) => socket.sendFrame(OPCODE.ping, Buffer.alloc(126))),
  },
  { needs: "tcp" },
);

scenario(
  "sends a close frame of one byte",
  endsWith((socket) => socket.sendFrame(OPCODE.close, Buffer.from([3]))),
  { needs: "tcp" },
);

scenario(
  "sends a close frame with a code that must not be sent",
  endsWith((socket) => socket.sendFrame(OPCODE.close, Buffer.from("03ed", "hex"))),
  { needs: "tcp" },
);

scenario(
  "sends an unmasked frame",
  endsWith((socket) => socket.sendFrame(OPCODE.text, text("4x"), { masked: false })),
  { needs: "masks" },
);

scenario(
  "sends control frames between fragments",
  async (run) => {
    const { socket, session } = await run.rawWebSocket();
    const message = nextMessage(session);
    socket.sendFrame(OPCODE.text, text("4a"), { fin: false });
    socket.ping(text("one"));
    socket.sendFrame(OPCODE.continuation, text("b"), { fin: false });
    socket.sendFrame(OPCODE.pong, text("two"));
    socket.sendFrame(OPCODE.continuation, text("c"));
    const pong = await socket.nextPong();
    return `pong ${pong.toString()}, read as ${JSON.stringify(await message)}`;
  },
  { needs: "tcp" },
);

scenario("sends text that is not a packet", {
  "of an unknown type": async (run) => {
    const { socket } = await run.webSocket();
    socket.sendText("hello");
    return ended(socket);
  },
});

scenario("sends an empty text frame", async (run) => {
  const { socket } = await run.webSocket();
  socket.sendText("");
  return ended(socket);
});

scenario("sends a text packet in a binary frame", async (run) => {
  const { socket, session } = await run.webSocket();
  const message = nextMessage(session);
  socket.sendBinary(text("4x"));
  return `read as bytes ${((await message) as Buffer).toString("hex")}`;
});

scenario("sends binary data in a text frame", async (run) => {
  const { socket, session } = await run.webSocket();
  const message = nextMessage(session);
  socket.sendText("bAQI=");
  return `read as bytes ${((await message) as Buffer).toString("hex")}`;
});

for (const [title, packet] of [
  ["sends an open packet", "0{}"],
  ["sends a close packet", "1"],
  ["sends an upgrade packet", "5"],
  ["sends a noop packet", "6"],
  ["sends a pong without a ping", "3"],
] as const) {
  scenario(title, async (run) => {
    const { socket } = await run.webSocket();
    socket.sendText(packet);
    return "–";
  });
}

scenario("sends a ping in protocol 4", {
  plain: async (run) => {
    const { socket } = await run.webSocket();
    socket.sendText("2");
    return ended(socket);
  },
  "with the data of a probe": async (run) => {
    const { socket } = await run.webSocket();
    socket.sendText("2probe");
    return ended(socket);
  },
});

scenario(
  "sends a pong in protocol 3",
  async (run) => {
    const socket = await run.server.client.websocket("/engine.io/?EIO=3&transport=websocket");
    run.adopt(await run.server.nextSession());
    await socket.next();
    socket.sendText("3");
    return ended(socket);
  },
  { options: { allowEIO3: true } },
);

scenario("closes its WebSocket", async (run) => {
  const { socket } = await run.webSocket();
  socket.close(1000);
  await socket.closed;
  return "–";
});

scenario("resets its WebSocket", async (run) => {
  const { socket } = await run.webSocket();
  socket.reset();
  return "–";
});
