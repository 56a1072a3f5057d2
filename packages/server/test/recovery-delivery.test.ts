import assert from "node:assert/strict";
import { once } from "node:events";
import { Adapter, SessionAwareAdapter } from "socket.io-adapter";
import type { Session } from "socket.io-adapter";
import { MemoryServer } from "./memory.ts";
import { heard, startBound, pair } from "./support.ts";

/** An adapter that keeps sessions elsewhere, as published ones do: it answers later, and rejects what it does not know. */
class DistantAdapter extends Adapter {
  readonly asked: unknown[][] = [];
  private readonly kept = new Map<string, Omit<Session, "missedPackets">>();

  override persistSession(session: Omit<Session, "missedPackets">): void {
    this.kept.set(session.pid, session);
  }

  override async restoreSession(...args: [pid: string, offset: string]): Promise<Session> {
    this.asked.push(args);
    const session = this.kept.get(args[0]);
    this.kept.delete(args[0]);
    await new Promise(setImmediate);
    if (session === undefined) throw new Error("unknown session");
    return { ...session, missedPackets: [["missed", args[1]]] };
  }
}

describe("connection state recovery", () => {
  it("gives a client that comes back its id, rooms, data and missed packets, without the middlewares", async () => {
    await using server = await startBound({ connectionStateRecovery: {} });
    let asked = 0;
    server.io.use((_socket, next) => {
      asked++;
      next();
    });
    const [socket, client] = await pair(server, { reconnection: true, reconnectionDelay: 1 });
    void socket.join("room");
    socket.data.name = "Ada";
    const first = heard(client, "first");
    socket.emit("first");
    const [offset] = await first;
    assert.match(String(offset), /^[\w-]{7}$/);

    const gone = once(socket, "disconnect");
    const back = once(server.io, "connection");
    client.io.engine.close();
    await gone;
    server.io.to("room").emit("missed", 1);
    server.io.to("elsewhere").emit("foreign");
    const missed = heard(client, "missed");
    const [again] = await back;
    assert.equal((await missed)[0], 1);
    assert.deepEqual(
      [again.recovered, again.id, again.data, again.rooms, asked],
      [true, socket.id, { name: "Ada" }, new Set(["room", socket.id]), 1],
    );
    assert.equal(client.recovered, true);
  });

  it("gives a client a new session if the adapter does not know it", async () => {
    await using server = await startBound({ connectionStateRecovery: {} });
    const [socket] = await pair(server, { auth: { pid: "unknown", offset: "unknown" } });
    assert.equal(socket.recovered, false);
  });

  it("calls an adapter that keeps sessions elsewhere only with an offset", async () => {
    await using server = new MemoryServer({ connectionStateRecovery: {}, adapter: DistantAdapter });
    const adapter = server.io.of("/").adapter as DistantAdapter;
    const [pid, sid] = ["pid", "sid"];
    adapter.persistSession({ pid, sid, rooms: [sid, "room"], data: { name: "Ada" } });
    const connection = once(server.io, "connection");
    const poller = await server.poll();
    await poller.post(`40{"pid":"pid"}`);
    assert.equal((await connection)[0].recovered, false);
    const second = once(server.io, "connection");
    const other = await server.poll();
    await other.post(`40{"pid":"pid","offset":"there"}`);
    const [socket] = await second;
    assert.deepEqual(
      [socket.recovered, socket.id, socket.data, socket.rooms],
      [true, "sid", { name: "Ada" }, new Set(["room", "sid"])],
    );
    assert.deepEqual(await other.get(), ['42["missed","there"]', '40{"sid":"sid","pid":"pid"}']);
    assert.deepEqual(adapter.asked, [["pid", "there"]]);
  });

  it("works with the official adapter in memory", async () => {
    await using server = new MemoryServer({ connectionStateRecovery: {}, adapter: SessionAwareAdapter });
    const [poller, socket] = await server.join();
    const pid: unknown = Reflect.get(socket, "pid");
    const first = poller.get();
    socket.emit("first");
    const offset = /"([^"]+)"\]$/.exec((await first).join(""))?.[1];
    socket.conn.close();
    server.io.emit("missed");
    const connection = once(server.io, "connection");
    await (await server.poll()).post(`40${JSON.stringify({ pid, offset })}`);
    assert.equal((await connection)[0].id, socket.id);
  });

  for (const [name, adapter] of [
    ["the adapter in memory", undefined],
    ["an adapter that keeps sessions elsewhere", DistantAdapter],
  ] as const) {
    it(`keeps the latest socket of connections that send the same session at once: ${name}`, async () => {
      await using server = new MemoryServer({
        connectionStateRecovery: {},
        ...(adapter && { adapter }),
      });
      const sockets = server.io.sockets.sockets;
      const [, socket] = await server.join();
      void socket.join("room");
      const pid: unknown = Reflect.get(socket, "pid");
      const pollers = [await server.poll(), await server.poll(), await server.poll()];
      const last = new Promise<void>((resolve) => {
        server.io.on("connection", ({ client }) => {
          if (client.conn === pollers[2]?.session) resolve();
        });
      });
      // Of the positions of the log, the lowest: it stands for the start of the session.
      const credentials = JSON.stringify({ pid, offset: "0000000" });
      await Promise.all(pollers.map((poller) => poller.post(`40${credentials}`)));
      await last;
      await new Promise(setImmediate);
      const recovered = [...sockets.values()].filter(({ recovered }) => recovered);
      assert.deepEqual([recovered.length, recovered[0]?.id, socket.connected], [1, socket.id, false]);
      assert.deepEqual(recovered[0]?.rooms, new Set(["room", socket.id]));
      assert.equal(server.io.sockets._preConnectSockets.size, 0);
    });
  }

  it("replaces one that still waits for its middlewares by the latest", async () => {
    await using server = new MemoryServer({ connectionStateRecovery: { skipMiddlewares: false } });
    const [, socket] = await server.join();
    void socket.join("room");
    const pid: unknown = Reflect.get(socket, "pid");
    const waiting: (() => void)[] = [];
    server.io.use((_socket, next) => void waiting.push(next));
    const connections: unknown[] = [];
    server.io.on("connection", (again) => connections.push(again.conn));
    const pollers = [await server.poll(), await server.poll()];
    for (const poller of pollers) {
      await poller.post(`40${JSON.stringify({ pid })}`);
      await new Promise(setImmediate);
    }
    for (const next of waiting) next();
    await new Promise(setImmediate);
    assert.deepEqual(connections, [pollers[1]?.session]);
    const again = server.io.sockets.sockets.get(socket.id);
    assert.deepEqual([server.io.sockets.sockets.size, again?.recovered], [1, true]);
    assert.deepEqual(again?.rooms, new Set(["room", socket.id]));
  });

  it("adds one offset to an event that a parent namespace hands to several children", async () => {
    await using server = new MemoryServer({ connectionStateRecovery: {} });
    const parent = server.io.of(/^\/[ab]$/);
    const pollers = [await server.poll(), await server.poll()];
    for (const [i, poller] of pollers.entries()) {
      const response = poller.get();
      await poller.post(`40/${"ab"[i]},`);
      await response;
    }
    const responses = pollers.map((poller) => poller.get());
    parent.to([]).emit("event");
    for (const response of responses) {
      assert.match((await response).join(""), /^42\/[ab],\["event","[\w-]{7}"\]$/);
    }
  });
});
