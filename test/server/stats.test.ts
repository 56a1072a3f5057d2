// What `io.stats()` says, compared with what was sent.
import assert from "node:assert/strict";
import { Server as OwnServer } from "@tidewire/server";
import type { ServerStats } from "@tidewire/server";
import { testServer } from "@tidewire/testing";
import { Adapter } from "socket.io-adapter";
import type { Socket as OfficialClient } from "socket.io-client";
import { onEveryHost } from "../support/hosts/on-every-host.ts";
import { onEveryTransport, pair, settled, upgraded } from "../support/server/clients.ts";
import { serverHosts } from "../support/server/hosts.ts";
import { back, lost } from "../support/server/recovery.ts";
import type { StartedServer } from "../support/server/started-server.ts";
import { next } from "../support/waiting/events.ts";

function statsOf({ io }: Pick<StartedServer, "io">): ServerStats {
  return (io as unknown as OwnServer).stats();
}

interface EnginePacket {
  readonly type: string;
  readonly data?: string | ArrayBufferView | ArrayBuffer;
}

/** Counts the packets of an official client on WebSocket, as they are in frames. */
function counted(client: OfficialClient): NonNullable<ServerStats["traffic"]> {
  const traffic = { messagesIn: 0, messagesOut: 0, bytesIn: 0, bytesOut: 0 };
  const sizeOf = ({ data }: EnginePacket): number =>
    typeof data === "object" ? data.byteLength : 1 + Buffer.byteLength(data ?? "");
  const { engine } = client.io;
  // What the client sends comes in.
  engine.on("packetCreate", (packet: EnginePacket) => {
    traffic.bytesIn += sizeOf(packet);
    if (packet.type === "message") traffic.messagesIn++;
  });
  engine.on("packet", (packet: EnginePacket) => {
    traffic.bytesOut += sizeOf(packet);
    if (packet.type === "message") traffic.messagesOut++;
  });
  return traffic;
}

onEveryHost("io.stats()", serverHosts, (host) => {
  onEveryTransport((name, mode) => {
    it("counts connections, handshakes, upgrades, sockets and rooms", async () => {
      await using running = await host.start();
      const [first, second] = [await pair(running, mode), await pair(running, mode)];
      const admin = running.client({ forceNew: false, ...mode }, "/admin");
      running.io.of("/admin");
      await next(admin, "connect");
      void first.socket.join(["a", "b"]);
      void second.socket.join("b");
      if (name === "upgrade") await Promise.all([first, second].map(({ client }) => upgraded(client)));
      await Promise.all([first, second].map(({ client, socket }) => settled(client, socket)));
      if (name === "upgrade") await upgraded(admin);
      const transport = name === "polling" ? "polling" : "websocket";
      const stats = statsOf(running);
      assert.deepEqual(stats.handshakes, { [name === "upgrade" ? "polling" : name]: 3 });
      if (name !== "upgrade") assert.deepEqual(stats.connections, { [transport]: 3 });
      assert.deepEqual(stats.namespaces, {
        "/": { sockets: 2, rooms: 2, dynamic: false },
        "/admin": { sockets: 1, rooms: 0, dynamic: false },
      });
      assert.deepEqual([stats.sockets, stats.rooms], [3, 2]);
      assert.deepEqual(stats.traffic, undefined);
      assert.deepEqual(JSON.parse(JSON.stringify(stats)).namespaces, stats.namespaces);
    });

    it("counts broadcasts and deliveries, with and without an audience", async () => {
      await using running = await host.start();
      const pairs = [];
      for (let i = 0; i < 7; i++) pairs.push(await pair(running, mode));
      const [one, two, ...others] = pairs;
      void one!.socket.join("few");
      void two!.socket.join("few");
      for (const { socket } of others) void socket.join("many");
      running.io.emit("all"); // 7
      running.io.to("few").emit("few"); // 2
      running.io.to("many").emit("many", Buffer.of(1)); // 5
      running.io.to("nobody").emit("nobody"); // 0
      running.io.except("few").emit("rest"); // 5
      others[0]!.socket.to("many").emit("others"); // 4
      others[0]!.socket.to("few").to("many").emit("both"); // 6
      one!.socket.emit("alone");
      assert.deepEqual(
        [statsOf(running).broadcasts, statsOf(running).deliveries],
        [7, 7 + 2 + 5 + 0 + 5 + 4 + 6],
      );
      await Promise.all(pairs.map(({ client, socket }) => settled(client, socket)));
    });
  });

  it("counts messages and bytes over WebSocket as the client does", async () => {
    await using running = await host.start({ stats: true });
    const both = await pair(running, { transports: ["websocket"] });
    const before = statsOf(running).traffic!;
    const expected = counted(both.client);
    both.client.emit("text", "äöü €", { n: 1 });
    both.client.emit("binary", Buffer.alloc(1000), Buffer.alloc(7));
    both.socket.emit("text", "€".repeat(100_000));
    both.socket.emit("binary", Buffer.alloc(3000));
    running.io.emit("broadcast", "ü");
    await settled(both.client, both.socket);
    const after = statsOf(running).traffic!;
    const since = Object.fromEntries(
      Object.entries(after).map(([key, count]) => [key, count - before[key as keyof typeof before]]),
    );
    assert.deepEqual(since, expected);
    assert.ok(expected.bytesOut > 303_000 && expected.messagesIn === 5, JSON.stringify(expected));
  });

  it("counts messages and bytes over long-polling as they are in the bodies", async () => {
    await using running = await host.start({ stats: true });
    const url = `${running.url}/socket.io/?EIO=4&transport=polling`;
    const bodies = { in: 0, out: 0 };
    const get = async (sid = ""): Promise<string> => {
      const text = await (await fetch(`${url}${sid}`)).text();
      bodies.out += Buffer.byteLength(text);
      return text;
    };
    const post = async (sid: string, body: string): Promise<void> => {
      bodies.in += Buffer.byteLength(body);
      await (await fetch(`${url}${sid}`, { method: "POST", body })).text();
    };
    const sid = `&sid=${(JSON.parse((await get()).slice(1)) as { sid: string }).sid}`;
    await post(sid, "40");
    assert.match(await get(sid), /^40/);
    await post(sid, '42["ä"]\u001e451-["b",{"_placeholder":true,"num":0}]\u001ebAQID');
    running.io.emit("a", "ß");
    running.io.emit("b", Buffer.of(1, 2, 3));
    assert.ok((await get(sid)).startsWith('42["a","ß"]\u001e45'));
    const { messagesIn, messagesOut, bytesIn, bytesOut } = statsOf(running).traffic!;
    assert.deepEqual([messagesIn, messagesOut], [4, 4]);
    assert.deepEqual([bytesIn, bytesOut], [bodies.in, bodies.out]);
  });

  it("counts refusals by the name of their code, with and without a listener", async () => {
    await using running = await host.start({
      allowRequest: (request, decide) => decide(null, !request.url?.includes("forbidden")),
    });
    const url = `${running.url}/socket.io/?EIO=4&transport=`;
    for (const rest of [
      "polling&sid=unknown",
      "polling&forbidden",
      "carrier-pigeon",
      "polling&sid=unknown",
    ]) {
      assert.equal((await fetch(url + rest)).ok, false);
    }
    assert.deepEqual(statsOf(running).refusals, { UNKNOWN_SID: 2, FORBIDDEN: 1, UNKNOWN_TRANSPORT: 1 });
  });

  it("counts requests that a server refuses because it is shut down", async () => {
    await using running = await host.start();
    const { engine } = running.io as unknown as OwnServer;
    engine.shutDown();
    const { status } = await fetch(`${running.url}/socket.io/?EIO=4&transport=polling`);
    assert.equal(status, 503);
    assert.deepEqual(statsOf(running).refusals, { UNAVAILABLE: 1 });
  });

  it("counts deliveries of the adapter of the official server, but not volatile events that are dropped", async () => {
    await using running = await host.start({ adapter: Adapter as never });
    const both = [
      await pair(running, { transports: ["websocket"] }),
      await pair(running, { transports: ["websocket"] }),
    ];
    running.io.emit("all");
    both[0]!.socket.broadcast.emit("other");
    void both[0]!.socket.join("room");
    assert.deepEqual([statsOf(running).deliveries, statsOf(running).rooms], [3, 1]);
    const polling = await pair(running, { transports: ["polling"] });
    await settled(polling.client, polling.socket);
    (polling.client.io.engine.transport as unknown as { _poll(): void })._poll = () => {};
    polling.socket.emit("last");
    await next(polling.client, "last");
    running.io.volatile.emit("gone");
    assert.equal(statsOf(running).deliveries, 5);
  });

  it("counts disconnects by reason and code", async () => {
    await using running = await host.start();
    const sides = [await pair(running), await pair(running), await pair(running)];
    const gone = Promise.all(sides.map(({ socket }) => next(socket, "disconnect")));
    sides[0]!.client.disconnect();
    sides[1]!.socket.disconnect();
    const { engine } = sides[2]!.client.io;
    (engine.transport as unknown as { send(packets: unknown[]): void }).send([
      { type: "message", data: "9" },
    ]);
    await gone;
    const { disconnects, sockets } = statsOf(running);
    assert.deepEqual(
      disconnects.toSorted((a, b) => a.reason.localeCompare(b.reason)),
      [
        { reason: "client namespace disconnect", count: 1 },
        { reason: "forced close", code: "BAD_SOCKET_PACKET", count: 1 },
        { reason: "server namespace disconnect", count: 1 },
      ],
    );
    assert.equal(sockets, 0);
  });

  it("counts recovered clients, and those whose state is unknown", async () => {
    await using running = await host.start({ connectionStateRecovery: {} });
    const { client, socket } = await pair(running);
    socket.emit("first");
    await next(client, "first");
    await lost(client, socket);
    const again = await back(running, client);
    assert.deepEqual(statsOf(running).recovery, { recovered: 1, refused: 0 });
    again.disconnect();
    await next(client, "disconnect");
    await back(running, client);
    assert.deepEqual(statsOf(running).recovery, { recovered: 1, refused: 1 });
  });

  it("counts what waits, and the clients that were given up because they did not read", async () => {
    await using running = await host.start({ maxBackpressure: 100_000 });
    const { client, socket } = await pair(running, { transports: ["polling"] });
    const gone = next(socket, "disconnect");
    // Nobody polls any more.
    (client.io.engine.transport as unknown as { _poll(): void })._poll = () => {};
    socket.emit("last");
    await next(client, "last");
    socket.emit("bulk", "x".repeat(50_000));
    const { waiting } = statsOf(running);
    assert.deepEqual([waiting.connections, waiting.bytes > 50_000], [1, true]);
    for (let i = 0; i < 10; i++) {
      await new Promise(setImmediate);
      socket.emit("bulk", "x".repeat(50_000));
    }
    await gone;
    const stats = statsOf(running);
    assert.deepEqual([stats.slowConsumers, stats.waiting], [1, { connections: 0, bytes: 0 }]);
    assert.deepEqual(stats.disconnects, [{ reason: "transport error", code: "SLOW_CONSUMER", count: 1 }]);
  });

  it("adds up the engines of a server that is attached several times", async () => {
    await using running = await host.start();
    await using other = await host.start();
    (other.io as unknown as OwnServer).engine.removeAllListeners("connection");
    (running.io as unknown as OwnServer).bind((other.io as unknown as OwnServer).engine);
    await pair(running, { transports: ["websocket"] });
    const second = other.client({ transports: ["websocket"] });
    await next(second, "connect");
    assert.deepEqual(statsOf(running).connections, { websocket: 2 });
    assert.equal(statsOf(running).sockets, 2);
  });

  it("measures the delay of the event loop with the option", async () => {
    await using running = await host.start({ stats: true });
    assert.deepEqual(Object.keys(statsOf(running).eventLoopDelay!), ["mean", "p99", "max"]);
    const isLong = (): boolean => statsOf(running).eventLoopDelay!.max > 100;
    do {
      // Two measurements with a blocked loop in between.
      await new Promise((resolve) => setTimeout(resolve, 50));
      const end = performance.now() + 200;
      while (performance.now() < end);
      await new Promise((resolve) => setTimeout(resolve, 50));
    } while (!isLong());
  });
});

describe("io.stats() on a clock", () => {
  it("says how long upgrades took, and which failed", async () => {
    await using server = await testServer(() => {}, { clock: "manual" });
    await server.connect("/", { transports: ["polling", "websocket"] });
    await server.clock.advance(1000);
    const before = server.io.stats().upgrades;
    assert.deepEqual([before.ok, before.failed], [1, 0]);
    assert.ok(before.totalTime < 200 && before.meanTime === before.totalTime, JSON.stringify(before));
  });

  it("counts acks that are pending, and those that have timed out", async () => {
    await using server = await testServer(() => {}, { clock: "manual" });
    const client = await server.connect();
    const socket = [...server.io.sockets.sockets.values()][0]!;
    client.on("answered", (answer: (text: string) => void) => answer("yes"));
    const timedOut = Promise.allSettled([
      socket.timeout(1000).emitWithAck("unanswered"),
      server.io.timeout(1000).emitWithAck("unanswered"),
    ]);
    socket.emit("unanswered", () => {});
    await socket.timeout(1000).emitWithAck("answered");
    assert.deepEqual(server.io.stats().acks, { pending: 3, timedOut: 0 });
    await server.clock.advance(1000);
    await timedOut;
    assert.deepEqual(server.io.stats().acks, { pending: 1, timedOut: 2 });
  });

  it("counts what limits refuse", async () => {
    await using server = await testServer(() => {}, {
      clock: "manual",
      limits: { eventsPerSecond: { rate: 1, burst: 2, over: "drop" } },
    });
    const client = await server.connect();
    for (let i = 0; i < 5; i++) client.emit("n", i);
    await server.settled();
    assert.deepEqual(server.io.stats().limits, { TOO_MANY_EVENTS: 3 });
  });

  it("says nothing has happened before the server is attached", () => {
    const stats = new OwnServer().stats();
    assert.deepEqual(stats.connections, {});
    assert.deepEqual(stats.namespaces, { "/": { sockets: 0, rooms: 0, dynamic: false } });
  });
});
