// Bugs of the official server on uWebSockets.js, as tests of the correct behaviour.
import assert from "node:assert/strict";
import * as uWS from "uWebSockets.js";
import { back, heardBy, lost } from "../support/server/recovery.ts";
import { RawWebSocket } from "../support/wire/raw-websocket.ts";

import { connected, pair, settled } from "../support/server/clients.ts";
import { attachedHost, serverHostsAndApp } from "../support/server/hosts.ts";

import { serveApp } from "../support/server/serve.ts";
import { next } from "../support/waiting/events.ts";
import { onEveryHost } from "../support/hosts/on-every-host.ts";
import { socketio } from "../support/server/socketio.ts";
import type { Socket } from "../support/server/socketio.ts";
import { rawPair } from "../support/server/wires.ts";
import { NetworkClient } from "../support/wire/network-client.ts";

/** The bit that permessage-deflate sets, RFC 7692 section 6. */
const RSV1 = 4;

onEveryHost("attachApp(), where the official server has bugs", serverHostsAndApp, (host) => {
  it("sends all of 60 broadcasts of 100 KB to a slow reader", async () => {
    await using running = await host.start({ pingInterval: 60_000 });
    const { wire } = await rawPair(running);
    wire.pause();
    for (let index = 0; index < 60; index++) {
      running.io.emit("n", index, "x".repeat(100_000));
      await new Promise(setImmediate);
    }
    wire.resume();
    const seen = (await wire.take(60)).map((frame) =>
      Number(/"n",(\d+)/.exec(String(frame).slice(0, 30))?.[1]),
    );
    assert.deepEqual(
      seen,
      Array.from({ length: 60 }, (_, index) => index),
    );
  });

  it("keeps WebSockets open whose upgrades have waited together, when no other is open", async () => {
    for (let round = 0; round < 5; round++) {
      const waiting: (() => void)[] = [];
      await using running = await host.start({
        allowRequest: (_req, decide) => void waiting.push(() => decide(null, true)),
      });
      using wire = new NetworkClient(running.port);
      const upgrades = [0, 1, 2].map(() => wire.websocket("/socket.io/?EIO=4&transport=websocket"));
      while (waiting.length < 3) await new Promise(setImmediate);
      for (const accept of waiting) accept();
      for (const socket of await Promise.all(upgrades)) {
        assert.match(String(await socket.next()), /^0{"sid"/);
        socket.sendText("40");
        assert.match(String(await socket.next()), /^40{"sid"/);
      }
    }
  });

  it("sends the first server's broadcasts after a second server was attached", async () => {
    await using first = await host.start();
    await using second = await attachedHost.start();
    const { client } = await pair(first);
    await pair(second);
    const heard = next(client, "ev");
    first.io.emit("ev", 1);
    assert.deepEqual(await heard, [1]);
  });

  it("broadcasts to a room after another server was attached to an app", async () => {
    const app = uWS.App();
    const attached = new socketio.Server();
    attached.attachApp(app);
    await using _attached = serveApp(attached, app);
    await using running = await host.start();
    const { client, socket } = await pair(running, { transports: ["websocket"] });
    await socket.join("room");
    const heard = next(client, "ev");
    socket.nsp.to("room").emit("ev", 1);
    assert.deepEqual(await heard, [1]);
  });

  it("keeps working when another server closes", async () => {
    await using staying = await host.start();
    await using closed = await host.start();
    const { client, socket } = await pair(staying);
    await closed.io.close();
    await socket.join("room");
    const heard = next(client, "ev");
    staying.io.to("room").emit("ev", 1);
    assert.deepEqual(await heard, [1]);
  });

  it("sends no broadcast of a namespace to a client that left it", async () => {
    await using running = await host.start();
    const { wire } = await rawPair(running);
    const connection = next<[Socket]>(running.io.of("/foo"), "connection");
    wire.sendText("40/foo,");
    await wire.next();
    const [socket] = await connection;
    const left = next(socket, "disconnect");
    wire.sendText("41/foo,");
    await left;
    running.io.of("/foo").emit("after-leaving");
    running.io.emit("here");
    assert.equal(await wire.next(), '42["here"]');
  });

  it("sends nothing to a room joined in a middleware before CONNECT", async () => {
    await using running = await host.start();
    running.io.use((socket, done) => {
      void socket.join("room");
      running.io.to("room").emit("early");
      setImmediate(done);
    });
    const client = running.client({ transports: ["websocket"] });
    const types: unknown[] = [];
    client.io.on("packet", (packet: { type: number }) => types.push(packet.type));
    await connected(client);
    assert.deepEqual(types, [0]);
  });

  it("calls onAnyOutgoing for broadcasts", async () => {
    await using running = await host.start();
    const { socket } = await pair(running, { transports: ["websocket"] });
    const seen: unknown[][] = [];
    socket.onAnyOutgoing((...args) => seen.push(args));
    running.io.emit("ev", 1);
    running.io.to(socket.id).emit("ev", 2);
    assert.deepEqual(seen, [
      ["ev", 1],
      ["ev", 2],
    ]);
  });

  it("emits packetCreate for broadcasts", async () => {
    await using running = await host.start();
    const { client, socket } = await pair(running, { transports: ["websocket"] });
    await settled(client, socket);
    const created: unknown[] = [];
    socket.conn.on("packetCreate", ({ type, data }: { type: string; data: string }) =>
      created.push([type, data]),
    );
    const heard = next(client, "ev");
    running.io.emit("ev", 1);
    await heard;
    assert.deepEqual(created, [["message", '2["ev",1]']]);
  });

  it("drops volatile broadcasts to a client that does not read", async () => {
    await using running = await host.start({ pingInterval: 60_000 });
    const { wire, socket } = await rawPair(running);
    wire.pause();
    for (let index = 0; index < 12; index++) socket.emit("f", "x".repeat(1_000_000));
    await new Promise(setImmediate);
    running.io.volatile.emit("dropped");
    socket.emit("end");
    wire.resume();
    const frames = await wire.take(13);
    assert.equal(frames.at(-1), '42["end"]');
  });

  it("closes with 1009 and a description for an oversized WebSocket message", async () => {
    await using running = await host.start({ maxHttpBufferSize: 1_000 });
    const { wire, socket } = await rawPair(running);
    const gone = next<[string, Error]>(socket, "disconnect");
    wire.sendText(`42["ev","${"x".repeat(2_000)}"]`);
    const [reason, detail] = await gone;
    assert.equal(reason, "transport error");
    assert.match(detail.message, /Max payload size exceeded/);
    assert.equal((await wire.closed).code, 1009);
  });

  it("keeps direct emits and broadcasts in order, text and binary", async () => {
    await using running = await host.start();
    const { client, socket } = await pair(running, { transports: ["websocket"] });
    const seen: unknown[] = [];
    client.on("n", (index) => seen.push(index));
    for (let index = 0; index < 40; index++) {
      const args = index % 4 < 2 ? [index] : [index, Buffer.from([index])];
      if (index % 2) socket.emit("n", ...args);
      else running.io.emit("n", ...args);
    }
    await settled(client, socket);
    assert.deepEqual(
      seen,
      Array.from({ length: 40 }, (_, index) => index),
    );
  });

  it("applies compress to broadcasts", async () => {
    await using running = await host.start({
      perMessageDeflate: { threshold: 0, serverNoContextTakeover: true },
    });
    const headers = { "sec-websocket-extensions": "permessage-deflate" };
    using wire = await RawWebSocket.connect(running.port, "/socket.io/?EIO=4&transport=websocket", {
      headers,
    });
    await wire.next();
    wire.sendText("40");
    await wire.next();
    running.io.emit("ev", "x".repeat(100));
    await wire.next();
    running.io.compress(false).emit("ev", "x".repeat(100));
    await wire.next();
    assert.deepEqual(
      wire.frames.slice(-2).map(({ rsv }) => rsv),
      [RSV1, 0],
    );
  });

  it("sends broadcasts and those to rooms to a recovered socket", async () => {
    await using running = await host.start({ connectionStateRecovery: {} });
    const { client, socket } = await pair(running, { transports: ["websocket"] });
    await socket.join("room");
    const first = next(client, "first");
    socket.emit("first");
    await first;
    await lost(client, socket);
    const again = await back(running, client);
    assert.equal(again.recovered, true);
    const heard = heardBy(client);
    const last = next(client, "last");
    running.io.emit("to all");
    running.io.to("room").emit("to the room");
    running.io.to(again.id).emit("last");
    await last;
    assert.deepEqual(heard, [["to all"], ["to the room"], ["last"]]);
  });
});
