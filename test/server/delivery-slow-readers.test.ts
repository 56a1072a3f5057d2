// What waits for a client that reads slowly: conflated events, volatile events, and how to wait for it.
import assert from "node:assert/strict";
import type { Server as OwnServer, Socket as OwnSocket } from "@tidewire/server";
import { onEveryHost } from "../support/hosts/on-every-host.ts";
import { onEveryTransport, pair, settled } from "../support/server/clients.ts";
import { serverHosts } from "../support/server/hosts.ts";
import type { ServerHost } from "../support/server/hosts.ts";
import type { Socket } from "../support/server/socketio.ts";
import type { StartedServer } from "../support/server/started-server.ts";
import { rawPair } from "../support/server/wires.ts";
import { NetworkClient } from "../support/wire/network-client.ts";
import type { RawWebSocket } from "../support/wire/raw-websocket.ts";
import { next } from "../support/waiting/events.ts";

const own = (socket: Socket): OwnSocket => socket as unknown as OwnSocket;
const ownServer = ({ io }: StartedServer): OwnServer => io as unknown as OwnServer;

/** Fills the buffers of the kernel, which may take more a little later, so that what follows waits. */
async function block(wire: RawWebSocket, socket: Socket): Promise<void> {
  wire.pause();
  for (let quietTurns = 0; quietTurns < 20; quietTurns++) {
    if (socket.conn.transport.writable) {
      socket.emit("filler", "x".repeat(500_000));
      quietTurns = 0;
    }
    await new Promise(setImmediate);
  }
}

/** The events other than fillers that the client reads, up to "end". */
async function readAll(wire: RawWebSocket): Promise<unknown[][]> {
  wire.resume();
  const events: unknown[][] = [];
  for (;;) {
    const frame = await wire.next();
    if (typeof frame !== "string") {
      events.push([frame]);
      continue;
    }
    if (frame === "2" || frame.startsWith('42["filler"')) continue;
    const event = JSON.parse(frame.slice(frame.indexOf("["))) as unknown[];
    if (event[0] === "end") return events;
    events.push(event);
  }
}

async function blocked(
  host: ServerHost,
  options: object = {},
): Promise<{ running: StartedServer; wire: RawWebSocket; socket: OwnSocket }> {
  const running = await host.start({ pingInterval: 60_000, ...options });
  const { wire, socket } = await rawPair(running);
  await block(wire, socket);
  return { running, wire, socket: own(socket) };
}

onEveryHost("conflate()", serverHosts, (host) => {
  it("sends only the newest of a key to a client that reads slowly, where it was emitted", async () => {
    const { running, wire, socket } = await blocked(host);
    await using _running = running;
    for (let i = 0; i < 1000; i++) socket.conflate("EURUSD").emit("price", "EURUSD", i);
    socket.emit("between");
    socket.conflate("USDJPY").emit("price", "USDJPY", 1);
    socket.conflate("EURUSD").emit("price", "EURUSD", 1000);
    socket.emit("end");
    assert.deepEqual(await readAll(wire), [["between"], ["price", "USDJPY", 1], ["price", "EURUSD", 1000]]);
  });

  it("replaces attachments together with their event", async () => {
    const { running, wire, socket } = await blocked(host);
    await using _running = running;
    for (let i = 0; i < 3; i++) socket.conflate("frame").emit("frame", Buffer.from([i]), Buffer.from([i]));
    socket.emit("end");
    const [event, ...attachments] = await readAll(wire);
    assert.equal(event![0], "frame");
    assert.deepEqual(attachments, [[Buffer.from([2])], [Buffer.from([2])]]);
  });

  it("applies to broadcasts, for each receiver by itself", async () => {
    const { running, wire } = await blocked(host);
    await using _running = running;
    const others = await Promise.all(
      Array.from({ length: 6 }, () => pair(running, { transports: ["websocket"] })),
    );
    const { client, socket } = others[0]!;
    const heard: number[] = [];
    client.on("price", (value: number) => heard.push(value));
    for (let i = 0; i < 5; i++) ownServer(running).conflate("EURUSD").emit("price", i);
    for (let i = 5; i < 10; i++) ownServer(running).except("nobody").conflate("EURUSD").emit("price", i);
    await settled(client, socket);
    running.io.emit("end");
    assert.deepEqual(heard, [0, 1, 2, 3, 4, 5, 6, 7, 8, 9]);
    assert.deepEqual(await readAll(wire), [["price", 9]]);
  });

  it("keeps keys of different namespaces apart", async () => {
    const running = await host.start({ pingInterval: 60_000 });
    await using _running = running;
    const { wire, socket } = await rawPair(running);
    const other = next<[Socket]>(running.io.of("/other"), "connection");
    wire.sendText("40/other,");
    await wire.next();
    const [second] = await other;
    await block(wire, socket);
    own(socket).conflate("key").emit("a");
    own(second).conflate("key").emit("b");
    socket.emit("end");
    assert.deepEqual(await readAll(wire), [["a"], ["b"]]);
  });

  it("holds as much for a client that never reads as one event of each key", async () => {
    const { running, socket } = await blocked(host, { maxBackpressure: 1_000_000 });
    await using _running = running;
    const before = socket.bufferedAmount;
    for (let i = 0; i < 300; i++) {
      socket.conflate("large").emit("large", "x".repeat(100_000));
      await new Promise(setImmediate);
    }
    assert.equal(socket.connected, true);
    assert.ok(socket.bufferedAmount - before < 200_000);
  });

  it("works between two polls", async () => {
    await using running = await host.start();
    using client = new NetworkClient(running.port);
    const handshake = "/socket.io/?EIO=4&transport=polling";
    const path = `${handshake}&sid=${/"sid":"([^"]+)"/.exec((await client.get(handshake)).body)![1]}`;
    const connection = next<[Socket]>(running.io, "connection");
    await client.post(path, "40");
    const [socket] = await connection;
    await client.get(path);
    for (let i = 0; i < 10; i++) own(socket).conflate("key").emit("n", i);
    assert.equal((await client.get(path)).body, '42["n",9]');
  });
});

onEveryHost("slowConsumer", serverHosts, (host) => {
  it("disconnect, the default: drops volatile events that the client cannot take", async () => {
    const { running, wire, socket } = await blocked(host);
    await using _running = running;
    socket.volatile.emit("position", 1);
    running.io.volatile.emit("position", 2);
    socket.emit("end");
    assert.deepEqual(await readAll(wire), []);
  });

  it("drop-volatile: lets them wait, and drops the oldest when too much waits", async () => {
    const { running, wire, socket } = await blocked(host, {
      slowConsumer: "drop-volatile",
      maxBackpressure: 1_000_000,
    });
    await using _running = running;
    const large = "x".repeat(100_000);
    for (let i = 0; i < 100; i++) {
      if (i % 2 === 0) socket.volatile.emit("position", i, large);
      else running.io.volatile.emit("position", i, large);
      if (i % 20 === 0) socket.emit("kept", i);
      await new Promise(setImmediate);
    }
    socket.emit("end");
    assert.equal(socket.connected, true);
    const events = await readAll(wire);
    const positions = events.filter(([name]) => name === "position").map(([, i]) => i as number);
    assert.deepEqual(
      events.filter(([name]) => name === "kept").map(([, i]) => i),
      [0, 20, 40, 60, 80],
    );
    assert.ok(positions.length >= 8 && positions.length < 20, `${positions.length} positions`);
    assert.deepEqual(positions.slice(-8), [92, 93, 94, 95, 96, 97, 98, 99]);
  });

  it("drop-volatile: disconnects a client for which too many other events wait", async () => {
    const { running, socket } = await blocked(host, {
      slowConsumer: "drop-volatile",
      maxBackpressure: 1_000_000,
    });
    await using _running = running;
    const gone = next<[string, Error & { code: string }]>(socket, "disconnect");
    while (socket.connected) {
      socket.volatile.emit("position", "x".repeat(10_000));
      socket.emit("kept", "x".repeat(100_000));
      await new Promise(setImmediate);
    }
    assert.equal((await gone)[1].code, "SLOW_CONSUMER");
  });

  it("conflate: lets the newest of each name wait", async () => {
    const { running, wire, socket } = await blocked(host, { slowConsumer: "conflate" });
    await using _running = running;
    for (let i = 0; i < 10; i++) {
      socket.volatile.emit("position", i);
      running.io.volatile.emit("heading", i);
      socket.emit("kept", i);
    }
    socket.emit("end");
    const events = await readAll(wire);
    assert.equal(events.filter(([name]) => name === "kept").length, 10);
    assert.deepEqual(events.slice(-3), [
      ["position", 9],
      ["heading", 9],
      ["kept", 9],
    ]);
    assert.equal(events.length, 12);
  });
});

onEveryHost("drained() and bufferedAmount", serverHosts, (host) => {
  onEveryTransport((_name, mode) => {
    it("wait for a client that reads", async () => {
      await using running = await host.start();
      const { client, socket } = await pair(running, mode);
      await settled(client, socket);
      let heard = 0;
      client.on("chunk", () => heard++);
      for (let i = 0; i < 20; i++) {
        socket.emit("chunk", "x".repeat(100_000));
        assert.ok(own(socket).bufferedAmount > 0);
        await own(socket).drained();
        assert.equal(own(socket).bufferedAmount, 0);
      }
      await settled(client, socket);
      assert.equal(heard, 20);
    });
  });

  it("wait for a client that reads slowly, for any number of callers", async () => {
    const { running, wire, socket } = await blocked(host);
    await using _running = running;
    socket.emit("end");
    assert.ok(socket.bufferedAmount > 0);
    let isDrained = false;
    const all = Promise.all(Array.from({ length: 20 }, () => socket.drained())).then(
      () => (isDrained = true),
    );
    await new Promise(setImmediate);
    assert.equal(isDrained, false);
    await readAll(wire);
    await all;
    assert.equal(socket.bufferedAmount, 0);
    await socket.drained();
  });

  it("end with the connection", async () => {
    const { running, wire, socket } = await blocked(host);
    await using _running = running;
    const drained = assert.rejects(socket.drained(), { code: "SOCKET_DISCONNECTED" });
    wire.reset();
    await drained;
    await assert.rejects(socket.drained(), { code: "SOCKET_DISCONNECTED" });
  });
});
