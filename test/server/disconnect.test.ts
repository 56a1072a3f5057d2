import assert from "node:assert/strict";
import { NetworkClient } from "../support/wire/network-client.ts";
import { closing } from "../support/waiting/closing.ts";

import { connected, onEveryTransport, pair, upgraded } from "../support/server/clients.ts";
import { next } from "../support/waiting/events.ts";
import { onEveryHost } from "../support/hosts/on-every-host.ts";
import { serverHosts } from "../support/server/hosts.ts";
import type { ClientSocket, Socket } from "../support/server/socketio.ts";
import { rawPair, rawSession } from "../support/server/wires.ts";
import { cuttableProxy } from "../support/proxies/tcp.ts";

const reservedEvents = [
  "connect",
  "connect_error",
  "disconnect",
  "disconnecting",
  "newListener",
  "removeListener",
] as const;

/** What both sides say when they are parted. */
async function parted(client: ClientSocket, socket: Socket, act: () => void): Promise<unknown[]> {
  const reasons = Promise.all([next(socket, "disconnect"), next(client, "disconnect")]);
  act();
  const [server, other] = await reasons;
  return [...server, other[0]];
}

onEveryHost("disconnect reasons", serverHosts, (host) => {
  onEveryTransport((name, mode) => {
    it("socket.disconnect(): server namespace disconnect, io server disconnect", async () => {
      await using running = await host.start();
      const { client, socket } = await pair(running, mode);
      const reasons = await parted(client, socket, () => socket.disconnect());
      assert.deepEqual(reasons, ["server namespace disconnect", undefined, "io server disconnect"]);
    });

    it("socket.disconnect(true): the same, and the connection ends", async () => {
      await using running = await host.start();
      const { client, socket } = await pair(running, mode);
      const closed = next(socket.conn, "close");
      const reasons = await parted(client, socket, () => socket.disconnect(true));
      assert.deepEqual(reasons, ["server namespace disconnect", undefined, "io server disconnect"]);
      await closed;
    });

    it("client.disconnect(): client namespace disconnect, io client disconnect", async () => {
      await using running = await host.start();
      const { client, socket } = await pair(running, mode);
      const reasons = await parted(client, socket, () => void client.disconnect());
      assert.deepEqual(reasons, ["client namespace disconnect", undefined, "io client disconnect"]);
    });

    it("the client closes its engine: transport close, forced close", async () => {
      await using running = await host.start();
      const { client, socket } = await pair(running, mode);
      if (name === "upgrade") await upgraded(client);
      const reasons = await parted(client, socket, () => client.io.engine.close());
      assert.deepEqual([reasons[0], reasons[2]], ["transport close", "forced close"]);
    });

    it("conn.close(): forced close, transport close", async () => {
      await using running = await host.start();
      const { client, socket } = await pair(running, mode);
      if (name === "upgrade") await upgraded(client);
      const reasons = await parted(client, socket, () => socket.conn.close());
      assert.deepEqual(reasons, ["forced close", undefined, "transport close"]);
    });

    it("io.close(): server shutting down, transport close", async () => {
      await using running = await host.start();
      const { client, socket } = await pair(running, mode);
      if (name === "upgrade") await upgraded(client);
      const reasons = await parted(client, socket, () => void running.io.close());
      assert.equal(reasons[0], "server shutting down");
      // a poll may be cut by the HTTP server before it is answered
      assert.match(
        String(reasons[2]),
        name === "polling" ? /^transport (close|error)$/ : /^transport close$/,
      );
    });

    it("the client stops responding: ping timeout", async () => {
      await using running = await host.start({ pingInterval: 200, pingTimeout: 200, upgradeTimeout: 100 });
      const proxy = await cuttableProxy(running.port);
      using _proxy = closing(() => proxy.close());
      const client = proxy.client(mode);
      using _client = closing(() => client.close());
      const [connection] = await Promise.all([next(running.io, "connection"), connected(client)]);
      const socket = connection[0] as Socket;
      const reasons = Promise.all([next(socket, "disconnect"), next(client, "disconnect")]);
      proxy.freeze();
      const [[serverReason], [clientReason]] = await reasons;
      assert.equal(serverReason, "ping timeout");
      assert.equal(clientReason, "ping timeout");
    });
  });

  it("the WebSocket is cut: transport close on both sides", async () => {
    await using running = await host.start();
    const { client, socket } = await pair(running, { transports: ["websocket"] });
    const { ws } = client.io.engine.transport as unknown as { ws: { terminate(): void } };
    const reasons = await parted(client, socket, () => ws.terminate());
    assert.deepEqual([reasons[0], reasons[2]], ["transport close", "transport close"]);
  });

  it("a bad Engine.IO packet: parse error", async () => {
    await using running = await host.start();
    const { wire, socket } = await rawPair(running);
    const reason = next(socket, "disconnect");
    wire.sendText("abc");
    assert.equal((await reason)[0], "parse error");
    await wire.closed;
  });

  it("a bad Engine.IO payload by long-polling: parse error", async () => {
    await using running = await host.start();
    const { client, socket } = await pair(running, { transports: ["polling"] });
    using wire = new NetworkClient(running.port);
    const reason = Promise.all([next(socket, "disconnect"), next(client, "disconnect")]);
    const answer = await wire.post(`/socket.io/?EIO=4&transport=polling&sid=${client.io.engine.id}`, "abc");
    assert.deepEqual([answer.status, answer.body], [200, "ok"]);
    assert.equal((await reason)[0][0], "parse error");
  });

  const violations: readonly [what: string, frames: string[]][] = [
    ["text that is no Socket.IO packet", ["4abc"]],
    ["an unknown type of Socket.IO packet", ["49"]],
    ...reservedEvents.map((name): [string, string[]] => [`the reserved event ${name}`, [`42["${name}"]`]]),
    ["an event without a name", ["42[]"]],
    ["an event whose data is no array", ['42{"a":1}']],
    ["a second CONNECT of the same namespace", ["40"]],
    ["a CONNECT_ERROR", ['44{"message":"x"}']],
    ["an event of a namespace that is not joined", ['42/other,["ev"]']],
    ["binary without a header", []],
    ["text where an attachment was due", ['451-["ev",{"_placeholder":true,"num":0}]', '42["ev"]']],
    ["a placeholder that points nowhere", ['451-["ev",{"_placeholder":true,"num":7}]', ""]],
    ["a count of attachments that is no number", ['45x-["ev"]']],
    ["eleven attachments", ['4511-["ev"]']],
  ];
  for (const [what, frames] of violations) {
    it(`${what}: forced close`, async () => {
      await using running = await host.start();
      const { wire, socket } = await rawPair(running);
      const reason = next(socket, "disconnect");
      for (const frame of frames) if (frame !== "") wire.sendText(frame);
      if (frames.length === 0 || frames.at(-1) === "") wire.sendBinary(Buffer.from([1]));
      assert.equal((await reason)[0], "forced close");
      await wire.closed;
    });
  }

  it("an event before CONNECT closes the connection", async () => {
    await using running = await host.start();
    const connection = next(running.io.engine, "connection");
    const wire = await rawSession(running);
    const [conn] = await connection;
    const closed = next(conn, "close");
    wire.sendText('42["ev"]');
    assert.equal((await closed)[0], "forced close");
  });

  it("a ping from an EIO4 client: transport error, invalid heartbeat direction", async () => {
    await using running = await host.start();
    const { wire, socket } = await rawPair(running);
    const reason = next<[string, Error]>(socket, "disconnect");
    wire.sendText("2");
    const [name, description] = await reason;
    assert.equal(name, "transport error");
    assert.equal(description.message, "invalid heartbeat direction");
    await wire.closed;
  });

  it("an oversized WebSocket message: transport error with a description, and 1009 for the client", async () => {
    await using running = await host.start({ maxHttpBufferSize: 1_000 });
    const { wire, socket } = await rawPair(running);
    const reason = next<[string, Error]>(socket, "disconnect");
    wire.sendText(`42["ev","${"x".repeat(2_000)}"]`);
    const [name, description] = await reason;
    assert.equal(name, "transport error");
    assert.match(String(description.message), /Max payload size exceeded/);
    assert.equal((await wire.closed).code, 1009);
  });

  it("a message of exactly maxHttpBufferSize is received", async () => {
    await using running = await host.start({ maxHttpBufferSize: 1_000 });
    const { wire, socket } = await rawPair(running);
    const heard = next(socket, "ev");
    const packet = `42["ev","${"x".repeat(989)}"]`;
    assert.equal(Buffer.byteLength(packet), 1_000);
    wire.sendText(packet);
    assert.equal(((await heard)[0] as string).length, 989);
  });

  it("the client sends no pong: ping timeout", async () => {
    await using running = await host.start({ pingInterval: 200, pingTimeout: 300 });
    const { wire, socket } = await rawPair(running);
    const [reason] = await next(socket, "disconnect");
    assert.equal(reason, "ping timeout");
    await wire.closed;
  });

  it("answered pings keep the connection", async () => {
    await using running = await host.start();
    const { wire, socket } = await rawPair(running);
    running.io.engine.opts.pingInterval = 20;
    for (let round = 0; round < 4; round++) {
      // The interval begins with a pong.
      wire.sendText("3");
      assert.equal(await wire.next(), "2");
    }
    assert.equal(socket.connected, true);
  });

  it("no CONNECT in time: the connection closes without a status code", async () => {
    await using running = await host.start({ connectTimeout: 30 });
    const wire = await rawSession(running);
    assert.deepEqual(await wire.closed, { code: 1005, reason: "" });
  });

  it("emits disconnecting before disconnect, once each, to every namespace of the connection", async () => {
    await using running = await host.start();
    const { client, socket } = await pair(running);
    const connection = next<[Socket]>(running.io.of("/b"), "connection");
    await connected(client.io.socket("/b", {}));
    const [other] = await connection;
    const seen: unknown[] = [];
    for (const [name, one] of [
      ["a", socket],
      ["b", other],
    ] as const) {
      one.on("disconnecting", (reason) => seen.push([name, "disconnecting", reason, one.connected]));
      one.on("disconnect", (reason) => seen.push([name, "disconnect", reason, one.connected]));
    }
    const closed = next(socket.conn, "close");
    client.io.engine.close();
    await closed;
    assert.deepEqual(seen, [
      ["a", "disconnecting", "transport close", true],
      ["a", "disconnect", "transport close", false],
      ["b", "disconnecting", "transport close", true],
      ["b", "disconnect", "transport close", false],
    ]);
  });

  it("keeps the other namespaces when an event comes in the same read as the one that ended its own", async () => {
    await using running = await host.start();
    running.io.of("/other");
    const { wire, socket } = await rawPair(running);
    wire.sendText("40/other,");
    assert.match(String(await wire.next()), /^40\/other,/);
    socket.on("bye", () => socket.disconnect());
    wire.sendTogether('42["bye"]', '42["after"]');
    assert.equal(await wire.next(), "41");
    running.io.of("/other").emit("still");
    assert.equal(await wire.next(), '42/other,["still"]');
  });

  it("accepts any truthy value for socket.disconnect(close), and a second call", async () => {
    await using running = await host.start();
    const { socket } = await pair(running);
    const closed = next(socket.conn, "close");
    assert.equal(socket.disconnect("unauthorized" as unknown as boolean), socket);
    assert.equal(socket.disconnect(), socket);
    assert.equal(socket.disconnected, true);
    await closed;
  });

  for (const [what, act] of [
    ["socket.disconnect()", (socket: Socket) => socket.disconnect()],
    ["socket.disconnect(true)", (socket: Socket) => socket.disconnect(true)],
    ["conn.close()", (socket: Socket) => socket.conn.close()],
  ] as const) {
    it(`${what} while disconnecting changes nothing: one disconnect, of the first reason`, async () => {
      await using running = await host.start();
      const { wire, socket } = await rawPair(running);
      const seen: unknown[] = [];
      socket.on("disconnecting", (reason) => {
        seen.push(["disconnecting", reason]);
        if (seen.length < 10) act(socket);
      });
      socket.on("disconnect", (reason) => seen.push(["disconnect", reason]));
      const gone = next(socket, "disconnect");
      wire.sendText("41");
      await gone;
      await new Promise(setImmediate);
      assert.deepEqual(seen, [
        ["disconnecting", "client namespace disconnect"],
        ["disconnect", "client namespace disconnect"],
      ]);
      assert.deepEqual(wire.pending, []);
    });
  }

  it("may be called in the connection listener", async () => {
    await using running = await host.start();
    running.io.on("connection", (socket) => void socket.disconnect());
    const client = running.client();
    assert.deepEqual((await next(client, "disconnect"))[0], "io server disconnect");
  });

  it("delivers what was emitted just before it", async () => {
    for (const close of [false, true]) {
      await using running = await host.start();
      const { client, socket } = await pair(running);
      const heard = next(client, "last words");
      socket.emit("last words", 1);
      socket.disconnect(close);
      assert.deepEqual(await heard, [1]);
    }
  });
});
