import assert from "node:assert/strict";
import { OPCODE } from "../support/wire/frames.ts";
import { onEveryHost } from "../support/hosts/on-every-host.ts";
import { engineHosts } from "../support/engine/hosts.ts";
import { openWebSocket, rawWebSocket, received, until } from "../support/engine/peers.ts";
import type { RawWebSocket } from "../support/wire/raw-websocket.ts";
import type { StartedEngine } from "../support/engine/started-engine.ts";

const BYTES = Buffer.from([4, 0, 255, 1]);

async function openRaw(server: StartedEngine): Promise<RawWebSocket> {
  const socket = await rawWebSocket(server, server.path("transport=websocket"));
  await socket.next();
  return socket;
}

onEveryHost("engine: WebSocket", engineHosts, (host) => {
  host.it("sends a text message as one text frame with the prefix 4", async () => {
    await using server = await host.start();
    const { socket, session } = await openWebSocket(server);
    session.send("hello");
    session.send("é€😀");
    assert.deepEqual(await socket.take(2), ["4hello", "4é€😀"]);
  });

  host.it(
    "sends half of a surrogate pair as U+FFFD, never as bytes that are not UTF-8",
    { needs: "tcp" },
    async () => {
      await using server = await host.start();
      const socket = await openRaw(server);
      (await server.nextSession()).send("a\ud83db");
      await socket.next();
      assert.deepEqual(socket.frames[1]?.payload, Buffer.from("4a\ufffdb"));
    },
  );

  host.it("sends a binary message as its bytes alone", async () => {
    await using server = await host.start();
    const { socket, session } = await openWebSocket(server);
    session.send(BYTES);
    assert.deepEqual(await socket.next(), BYTES);
  });

  host.it("takes text and binary messages in order", async () => {
    await using server = await host.start();
    const { socket, session } = await openWebSocket(server);
    const messages = received(session);
    socket.sendText("4a");
    socket.sendBinary(BYTES);
    socket.sendText("4é€😀");
    await until(() => messages.length === 3, "three messages");
    assert.deepEqual(messages, ["a", BYTES, "é€😀"]);
    assert.ok(Buffer.isBuffer(messages[1]));
  });

  host.it("delivers bytes that stay unchanged after the listener has returned", async () => {
    await using server = await host.start();
    const { socket, session } = await openWebSocket(server);
    const messages = received(session);
    for (let index = 0; index < 50; index++) {
      socket.sendBinary(Buffer.alloc(1000, index));
    }
    await until(() => messages.length === 50, "fifty messages");
    messages.forEach((message, index) => assert.deepEqual(message, Buffer.alloc(1000, index)));
  });

  host.it("answers from the listener, in order", async () => {
    await using server = await host.start();
    const { socket, session } = await openWebSocket(server);
    session.on("message", (data: string) => {
      session.send(`${data}.1`);
      session.send(`${data}.2`);
    });
    socket.sendText("4a");
    socket.sendText("4b");
    assert.deepEqual(await socket.take(4), ["4a.1", "4a.2", "4b.1", "4b.2"]);
  });

  host.it("keeps a thousand messages in order, both ways, text and binary mixed", async () => {
    await using server = await host.start();
    const { socket, session } = await openWebSocket(server);
    session.on("message", (data: string | Buffer) => session.send(data));
    const sent = Array.from({ length: 1000 }, (_, index) =>
      index % 3 === 0 ? Buffer.from([index & 255]) : `${index}`,
    );
    for (const message of sent) {
      if (typeof message === "string") {
        socket.sendText(`4${message}`);
      } else {
        socket.sendBinary(message);
      }
    }
    const expected = sent.map((message) => (typeof message === "string" ? `4${message}` : message));
    assert.deepEqual(await socket.take(1000), expected);
  });

  for (const size of [125, 126, 65_535, 65_536, 500_000]) {
    host.it(`carries a message of ${size} bytes both ways`, async () => {
      await using server = await host.start();
      const { socket, session } = await openWebSocket(server);
      session.on("message", (data: Buffer) => session.send(data));
      const data = Buffer.alloc(size, "tidewire");
      socket.sendBinary(data);
      const echo = await socket.next();
      assert.ok(Buffer.isBuffer(echo) && data.equals(echo));
    });
  }

  host.it("sends whole, unmasked frames without reserved bits", { needs: "tcp" }, async () => {
    await using server = await host.start();
    const socket = await openRaw(server);
    const session = await server.nextSession();
    session.send("a");
    session.send(BYTES);
    await socket.take(2);
    const [open, text, binary] = socket.frames;
    assert.equal(open?.opcode, OPCODE.text);
    const plain = { fin: true, rsv: 0, masked: false };
    assert.deepEqual(text, { ...plain, opcode: OPCODE.text, payload: Buffer.from("4a") });
    assert.deepEqual(binary, { ...plain, opcode: OPCODE.binary, payload: BYTES });
  });

  host.it("offers no extension and no subprotocol unless configured", { needs: "tcp" }, async () => {
    await using server = await host.start();
    const headers = { "sec-websocket-extensions": "permessage-deflate; client_max_window_bits" };
    const socket = await rawWebSocket(server, server.path("transport=websocket"), { headers });
    assert.equal(socket.headers["sec-websocket-extensions"], undefined);
    assert.equal(socket.headers["sec-websocket-protocol"], undefined);
  });

  host.it("joins the frames of a fragmented message", { needs: "tcp" }, async () => {
    await using server = await host.start();
    const socket = await openRaw(server);
    const session = await server.nextSession();
    const messages = received(session);
    socket.sendFragmented(OPCODE.text, Buffer.from("4fragmented"), 4);
    socket.sendFragmented(OPCODE.binary, BYTES, 2);
    await until(() => messages.length === 2, "two messages");
    assert.deepEqual(messages, ["fragmented", BYTES]);
  });

  host.it("handles several messages of one read", { needs: "tcp" }, async () => {
    await using server = await host.start();
    const socket = await openRaw(server);
    const messages = received(await server.nextSession());
    socket.sendTogether("4a", "4b", "6", "4c");
    await until(() => messages.length === 3, "three messages");
    assert.deepEqual(messages, ["a", "b", "c"]);
  });

  host.it("answers a ping frame with a pong frame of the same bytes", { needs: "tcp" }, async () => {
    await using server = await host.start();
    const socket = await openRaw(server);
    socket.ping(Buffer.from("abc"));
    assert.equal((await socket.nextPong()).toString(), "abc");
  });

  for (const packet of ["", "9", "hello"]) {
    host.it(`closes the session for a parse error on ${JSON.stringify(packet)}`, async () => {
      await using server = await host.start();
      const { socket, session } = await openWebSocket(server);
      socket.sendText(packet);
      assert.equal((await server.closed(session)).reason, "parse error");
      assert.equal((await socket.closed).code, 1005);
    });
  }

  host.it("ends the connection for an unmasked frame", { needs: "masks" }, async () => {
    await using server = await host.start();
    const socket = await openRaw(server);
    const session = await server.nextSession();
    const messages = received(session);
    socket.sendFrame(OPCODE.text, Buffer.from("4x"), { masked: false });
    assert.match((await server.closed(session)).reason, /^transport (error|close)$/);
    await socket.closed;
    assert.deepEqual(messages, []);
  });

  host.it("ends the connection for text that is not UTF-8", { needs: "tcp" }, async () => {
    await using server = await host.start();
    const socket = await openRaw(server);
    const session = await server.nextSession();
    const messages = received(session);
    socket.sendFrame(OPCODE.text, Buffer.from([0x34, 0xff, 0xfe]));
    assert.match((await server.closed(session)).reason, /^transport (error|close)$/);
    await socket.closed;
    assert.deepEqual(messages, []);
  });
});
