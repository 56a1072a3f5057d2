// Sockets that join while others leave, and packets that arrive too late for a closed one.
import assert from "node:assert/strict";
import { back, lost } from "../support/server/recovery.ts";
import { connected, pair, settled } from "../support/server/clients.ts";
import { internals } from "../support/server/internals.ts";
import { next } from "../support/waiting/events.ts";
import { onEveryHost } from "../support/hosts/on-every-host.ts";
import { serverHosts } from "../support/server/hosts.ts";
import type { ClientSocket, Server, Socket } from "../support/server/socketio.ts";
import { rawPair, rawSession } from "../support/server/wires.ts";

type Namespace = Server["sockets"];
type Ack = (...args: unknown[]) => void;

/** Holds every socket of the namespace in a middleware: returns the socket, with its `next`. */
function held(nsp: Server | Namespace): () => Promise<[Socket, (error?: Error) => void]> {
  const waiting: [Socket, (error?: Error) => void][] = [];
  let arrived = (): void => {};
  nsp.use((socket, done) => {
    waiting.push([socket, done]);
    arrived();
  });
  return async () => {
    while (waiting.length === 0) await new Promise<void>((resolve) => (arrived = resolve));
    return waiting.shift()!;
  };
}

onEveryHost("a socket in its middlewares", serverHosts, (host) => {
  it("is connecting, not connected, and gets no broadcast", async () => {
    await using running = await host.start();
    const arrival = held(running.io);
    const wire = await rawSession(running);
    wire.sendText("40");
    const [socket, proceed] = await arrival();
    const { sockets, adapter } = running.io.sockets;
    assert.equal(internals(running.io.sockets)._preConnectSockets.get(socket.id), socket);
    assert.deepEqual([sockets.size, adapter.sids.size, socket.connected], [0, 0, false]);
    assert.deepEqual(await running.io.fetchSockets(), []);
    running.io.emit("early");
    const connection = next(running.io, "connection");
    proceed();
    await connection;
    assert.equal(internals(running.io.sockets)._preConnectSockets.size, 0);
    assert.equal(sockets.get(socket.id), socket);
    assert.deepEqual([...adapter.sids.keys()], [socket.id]);
    assert.match(String(await wire.next()), /^40\{"sid":/);
  });

  it("joins while another socket of its connection leaves its namespace", async () => {
    await using running = await host.start();
    const arrival = held(running.io.of("/slow"));
    const { wire, socket } = await rawPair(running);
    wire.sendText("40/slow,");
    const [, proceed] = await arrival();
    const gone = next(socket, "disconnect");
    wire.sendText("41");
    await gone;
    proceed();
    assert.match(String(await wire.next()), /^40\/slow,\{"sid":/);
    assert.equal(running.io.engine.clientsCount, 1);
  });

  it("does not join after another socket of its connection has closed it", async () => {
    await using running = await host.start();
    running.io.of("/slow").on("connection", () => assert.fail("connected"));
    const arrival = held(running.io.of("/slow"));
    const { wire, socket } = await rawPair(running);
    wire.sendText("40/slow,");
    const [late, proceed] = await arrival();
    const closed = next(socket.conn, "close");
    socket.disconnect(true);
    await closed;
    proceed();
    await new Promise(setImmediate);
    assert.equal(late.connected, false);
    assert.equal(internals(running.io.of("/slow"))._preConnectSockets.size, 0);
  });

  it("does not join after the server was closed", async () => {
    await using running = await host.start();
    running.io.on("connection", () => assert.fail("connected"));
    const arrival = held(running.io);
    const wire = await rawSession(running);
    wire.sendText("40");
    const [late, proceed] = await arrival();
    await running.io.close();
    proceed();
    await new Promise(setImmediate);
    assert.equal(late.connected, false);
    assert.equal(internals(running.io.sockets)._preConnectSockets.size, 0);
  });

  it("emits neither disconnecting nor disconnect when its client leaves", async () => {
    await using running = await host.start();
    const arrival = held(running.io);
    const wire = await rawSession(running);
    wire.sendText("40");
    const [late, proceed] = await arrival();
    late.on("disconnecting", () => assert.fail("disconnecting"));
    late.on("disconnect", () => assert.fail("disconnect"));
    const closed = next(late.conn, "close");
    wire.reset();
    await closed;
    proceed(new Error("no"));
    await new Promise(setImmediate);
    assert.equal(late.disconnect(), late);
  });
});

onEveryHost("many clients", serverHosts, (host) => {
  it("join and leave a child namespace that is removed when it is empty, and none is refused", async () => {
    await using running = await host.start({ cleanupEmptyChildNamespaces: true });
    const parent = running.io.of(/^\/room-/);
    parent.on("connection", (socket) => socket.on("echo", (value, answer: Ack) => answer(value)));
    const visit = async (count: number): Promise<void> => {
      for (let round = 0; round < 3; round++) {
        const client: ClientSocket = running.client({ transports: ["websocket"] }, "/room-1");
        await connected(client);
        assert.equal(await client.emitWithAck("echo", count), count);
        client.disconnect();
      }
    };
    await Promise.all(Array.from({ length: 8 }, (_, index) => visit(index)));
    while (running.io.engine.clientsCount > 0) await new Promise(setImmediate);
    assert.deepEqual([running.io._nsps.has("/room-1"), internals(parent).children.size], [false, 0]);
    const last = await pair(running, {}, "/room-1");
    assert.equal(running.io._nsps.get("/room-1"), last.socket.nsp);
    const gone = next(last.socket, "disconnect");
    last.client.disconnect();
    await gone;
    assert.deepEqual([running.io._nsps.has("/room-1"), internals(parent).children.size], [false, 0]);
  });

  it("keep a child namespace for one that is still joining", async () => {
    await using running = await host.start({ cleanupEmptyChildNamespaces: true });
    const parent = running.io.of(/^\/room-/);
    const first = await pair(running, {}, "/room-1");
    const arrival = held(running.io.of("/room-1"));
    const second = running.client({}, "/room-1");
    const [, proceed] = await arrival();
    const gone = next(first.socket, "disconnect");
    first.client.disconnect();
    await gone;
    assert.equal(running.io._nsps.has("/room-1"), true);
    proceed();
    await connected(second);
    assert.equal(running.io._nsps.get("/room-1")?.sockets.size, 1);
    assert.equal(internals(parent).children.size, 1);
  });
});

onEveryHost("a child namespace that is removed when it is empty", serverHosts, (host) => {
  const options = { cleanupEmptyChildNamespaces: true, connectionStateRecovery: {} };

  it("stays for a client that may return, and is recovered", async () => {
    await using running = await host.start(options);
    const parent = running.io.of(/^\/room-/);
    const { client, socket } = await pair(running, {}, "/room-1");
    const first = next(client, "first");
    socket.emit("first", "text");
    await first;
    await lost(client, socket);
    assert.equal(internals(parent).children.size, 1);
    running.io.of("/room-1").emit("missed");
    const heard = next(client, "missed");
    const again = await back(running, client, "/room-1");
    assert.deepEqual([again.recovered, again.id], [true, socket.id]);
    await heard;
  });

  it("is removed with a client that left on purpose", async () => {
    await using running = await host.start(options);
    const parent = running.io.of(/^\/room-/);
    const { client, socket } = await pair(running, {}, "/room-1");
    const gone = next(socket, "disconnect");
    client.disconnect();
    await gone;
    assert.equal(internals(parent).children.size, 0);
  });
});

onEveryHost("an answer", serverHosts, (host) => {
  it("that does not come before the disconnection times out, once, and is released", async () => {
    await using running = await host.start();
    const { client, socket } = await pair(running);
    const calls: unknown[][] = [];
    const timedOut = new Promise<void>((resolve) => {
      socket.timeout(50).emit("q", (...args: unknown[]) => {
        calls.push(args);
        resolve();
      });
    });
    const gone = next(socket, "disconnect");
    client.disconnect();
    await gone;
    await timedOut;
    assert.deepEqual(
      calls.map(([error, ...rest]) => [(error as Error).message, rest]),
      [["operation has timed out", []]],
    );
    assert.equal(internals(socket).acks.size, 0);
  });

  it("that comes after the timeout of a broadcast is ignored, also by the next broadcast", async () => {
    await using running = await host.start();
    const { wire, socket } = await rawPair(running);
    await assert.rejects(running.io.timeout(20).emitWithAck("q"), { responses: [] });
    assert.equal(await wire.next(), '420["q"]');
    assert.equal(internals(socket).acks.size, 0);
    const second = running.io.timeout(5_000).emitWithAck("q");
    assert.equal(await wire.next(), '421["q"]');
    wire.sendTogether('430["late"]', '431["in time"]');
    assert.deepEqual(await second, ["in time"]);
  });

  it("that a listener sends after the disconnection is ignored", async () => {
    await using running = await host.start();
    const { client, socket } = await pair(running);
    const asked = next<[Ack]>(socket, "q");
    client.emit("q", () => assert.fail("answered"));
    const [answer] = await asked;
    const gone = next(socket, "disconnect");
    client.disconnect();
    await gone;
    answer("late");
    answer("again");
    const other = await pair(running);
    await settled(other.client, other.socket);
  });
});

onEveryHost("a connection", serverHosts, (host) => {
  it("knows its sockets by id and by namespace, until they leave", async () => {
    await using running = await host.start();
    const { client, socket } = await pair(running);
    const connection = next<[Socket]>(running.io.of("/b"), "connection");
    const b = client.io.socket("/b", {});
    const [other] = await connection;
    await connected(b);
    type Maps = { sockets: Map<string, Socket>; nsps: Map<string, Socket>; id: string };
    const { sockets, nsps, id } = socket.client as unknown as Maps;
    assert.equal(id, Reflect.get(socket.conn, "id"));
    assert.deepEqual([...sockets.keys()], [socket.id, other.id]);
    assert.deepEqual([...nsps.keys()], ["/", "/b"]);
    assert.equal(nsps.get("/b"), other);
    const gone = next(other, "disconnect");
    b.disconnect();
    await gone;
    assert.deepEqual([[...sockets.keys()], [...nsps.keys()]], [[socket.id], ["/"]]);
  });

  it("that client.close() closes notifies its sockets and the client", async () => {
    await using running = await host.start();
    const { client, socket } = await pair(running, { transports: ["websocket"] });
    const reasons = Promise.all([next(socket, "disconnect"), next(client, "disconnect")]);
    (socket.client as unknown as { close(): void }).close();
    const [[server], [other]] = await reasons;
    assert.match(String(server), /^forced (server )?close$/);
    assert.equal(other, "transport close");
  });
});

onEveryHost("an event named error", serverHosts, (host) => {
  it("is received like any other, and ignored without a listener", async () => {
    await using running = await host.start();
    const { client, socket } = await pair(running);
    client.emit("error", "unheard");
    await settled(client, socket);
    const heard = next(socket, "error");
    client.emit("error", "of the client", 1);
    assert.deepEqual(await heard, ["of the client", 1]);
    const back = next(client, "error");
    socket.emit("error", "of the server");
    assert.deepEqual(await back, ["of the server"]);
  });
});
