// What comes for a namespace while it is still being decided on its CONNECT.
import assert from "node:assert/strict";
import { NetworkClient } from "../support/wire/network-client.ts";

import { internals } from "../support/server/internals.ts";
import { next } from "../support/waiting/events.ts";
import { onEveryHost } from "../support/hosts/on-every-host.ts";
import { serverHosts } from "../support/server/hosts.ts";
import type { Server, Socket } from "../support/server/socketio.ts";
import { rawPair, rawSession } from "../support/server/wires.ts";
import type { StartedServer } from "../support/server/started-server.ts";

type Namespace = Server["sockets"];
type Next = (error?: Error) => void;

/** What the sockets of the namespace hear, in order, and that they have connected. */
function heardBy(nsp: Namespace): unknown[][] {
  const heard: unknown[][] = [];
  nsp.on("connection", (socket: Socket) => {
    heard.push(["connection"]);
    socket.onAny((...event: unknown[]) => heard.push(event));
    socket.on("disconnect", (reason) => heard.push(["disconnect", reason]));
  });
  return heard;
}

/** Holds every socket of the namespace in a middleware: resolves to each in turn, with its `next`. */
function held(nsp: Namespace): () => Promise<[Socket, Next]> {
  const waiting: [Socket, Next][] = [];
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

/** All that was sent before has been handled when it resolves: another namespace has answered. */
async function flushed(running: StartedServer, wire: Awaited<ReturnType<typeof rawSession>>): Promise<void> {
  const other = running.io.of("/other");
  const connection = next(other, "connection");
  wire.sendText("40/other,");
  await connection;
}

onEveryHost("events that follow their CONNECT", serverHosts, (host) => {
  it("are delivered after connection, from one read", async () => {
    await using running = await host.start();
    const heard = heardBy(running.io.sockets);
    const wire = await rawSession(running);
    wire.sendTogether("40", '42["one",1]', '42["two",2]');
    await flushed(running, wire);
    assert.deepEqual(heard, [["connection"], ["one", 1], ["two", 2]]);
  });

  it("are delivered after connection, from one POST", async () => {
    await using running = await host.start();
    const heard = heardBy(running.io.sockets);
    using client = new NetworkClient(running.port);
    const handshake = "/socket.io/?EIO=4&transport=polling";
    const sid = /"sid":"([^"]+)"/.exec((await client.get(handshake)).body)?.[1];
    const connection = next(running.io, "connection");
    const { body } = await client.post(`${handshake}&sid=${sid}`, '40\x1e42["one",1]\x1e42["two",2]');
    assert.equal(body, "ok");
    await connection;
    assert.deepEqual(heard, [["connection"], ["one", 1], ["two", 2]]);
  });

  it("wait for a middleware, in order, with attachments and answers", async () => {
    await using running = await host.start();
    const heard = heardBy(running.io.sockets);
    running.io.on("connection", (socket) => {
      socket.on("ask", (answer: (text: string) => void) => answer("answer"));
    });
    const arrival = held(running.io.sockets);
    const wire = await rawSession(running);
    wire.sendText("40");
    const [, proceed] = await arrival();
    wire.sendText('42["one",1]');
    wire.sendText('451-["bytes",{"_placeholder":true,"num":0}]');
    wire.sendBinary(Buffer.from([1, 2]));
    wire.sendText('427["ask"]');
    await flushed(running, wire);
    assert.match(String(await wire.next()), /^40\/other,/);
    assert.deepEqual(heard, []);
    proceed();
    assert.match(String(await wire.next()), /^40\{"sid":/);
    assert.equal(await wire.next(), '437["answer"]');
    assert.deepEqual(heard.slice(0, 3), [["connection"], ["one", 1], ["bytes", Buffer.from([1, 2])]]);
    assert.equal(heard[3]![0], "ask");
  });

  it("answer the ack that a middleware requested", async () => {
    await using running = await host.start();
    const answers: unknown[] = [];
    running.io.use((socket, done) => {
      socket.emit("question", (answer: unknown) => answers.push(answer));
      done();
    });
    const arrival = held(running.io.sockets);
    const wire = await rawSession(running);
    wire.sendText("40");
    const [, proceed] = await arrival();
    assert.equal(await wire.next(), '420["question"]');
    wire.sendText('430["answer"]');
    await flushed(running, wire);
    const connection = next(running.io, "connection");
    proceed();
    await connection;
    await new Promise(setImmediate);
    assert.deepEqual(answers, ["answer"]);
  });

  it("wait for the function that decides about the namespace", async () => {
    await using running = await host.start();
    let decide = (): void => {};
    const asked = new Promise<void>((resolve) => {
      const parent = running.io.of((_name, _auth, allow) => {
        decide = () => allow(null, true);
        resolve();
      });
      parent.on("connection", () => {});
    });
    const wire = await rawSession(running);
    wire.sendTogether("40/dynamic,", '42/dynamic,["one",1]');
    await asked;
    const made = next<[Namespace]>(running.io, "new_namespace");
    decide();
    const heard = heardBy((await made)[0]);
    await flushed(running, wire);
    assert.deepEqual(heard, [["connection"], ["one", 1]]);
  });

  it("with a DISCONNECT behind them: the socket joins, receives them, and leaves", async () => {
    await using running = await host.start();
    const heard = heardBy(running.io.sockets);
    const wire = await rawSession(running);
    wire.sendTogether("40", '42["one"]', "41", '42["two"]');
    await flushed(running, wire);
    assert.deepEqual(heard, [["connection"], ["one"], ["disconnect", "client namespace disconnect"]]);
  });

  it("reach the other listeners if one throws", async () => {
    await using running = await host.start();
    (running.io as unknown as { onError(handler: () => void): void }).onError(() => {});
    const heard = heardBy(running.io.sockets);
    running.io.on("connection", (socket) => {
      socket.on("one", () => {
        throw new Error("of the application");
      });
      throw new Error("of the application");
    });
    const wire = await rawSession(running);
    wire.sendTogether("40", '42["one"]', '42["two"]');
    await flushed(running, wire);
    assert.deepEqual(heard, [["connection"], ["one"], ["two"]]);
  });

  it("are dropped when it is refused, and the connection stays", async () => {
    await using running = await host.start();
    running.io.of("/closed").on("connection", () => assert.fail("connected"));
    const arrival = held(running.io.of("/closed"));
    const { wire, socket } = await rawPair(running);
    wire.sendTogether("40/closed,", '42/closed,["one"]');
    const [, proceed] = await arrival();
    proceed(new Error("no"));
    assert.equal(await wire.next(), '44/closed,{"message":"no"}');
    wire.sendText('42["still here"]');
    await next(socket, "still here");
  });

  it("are dropped with those for a namespace that does not exist, in the same read", async () => {
    await using running = await host.start();
    const { wire, socket } = await rawPair(running);
    wire.sendTogether("40/none,", '42/none,["one"]', '42["still here"]');
    await next(socket, "still here");
    assert.equal(await wire.next(), '44/none,{"message":"Invalid namespace"}');
  });

  it("close the connection if there are more than 1,000", async () => {
    await using running = await host.start();
    const arrival = held(running.io.of("/slow"));
    const { wire, socket } = await rawPair(running);
    wire.sendText("40/slow,");
    const [late, proceed] = await arrival();
    const gone = next<[string, Error & { code: string; limit: number }]>(socket, "disconnect");
    for (let i = 0; i < 1000; i++) wire.sendText('42/slow,["one"]');
    await flushed(running, wire);
    assert.equal(socket.connected, true);
    wire.sendText('42/slow,["one too many"]');
    const [reason, { code, limit }] = await gone;
    assert.deepEqual([reason, code, limit], ["forced close", "TOO_MANY_EARLY_PACKETS", 1000]);
    proceed();
    await new Promise(setImmediate);
    assert.equal(late.connected, false);
  });

  it("close the connection if there is more than a megabyte", async () => {
    await using running = await host.start();
    const arrival = held(running.io.of("/slow"));
    const { wire, socket } = await rawPair(running);
    wire.sendText("40/slow,");
    await arrival();
    const gone = next<[string, Error & { code: string }]>(socket, "disconnect");
    const half = `42/slow,["${"x".repeat(500_000)}"]`;
    wire.sendText(half);
    wire.sendText(half);
    await flushed(running, wire);
    assert.equal(socket.connected, true);
    wire.sendText('42/slow,["one too many"]');
    assert.equal((await gone)[1].code, "TOO_MANY_EARLY_PACKETS");
  });

  it("for another namespace of the connection do not count", async () => {
    await using running = await host.start();
    const arrival = held(running.io.of("/slow"));
    const { wire, socket } = await rawPair(running);
    wire.sendText("40/slow,");
    await arrival();
    const event = `42["large","${"x".repeat(500_000)}"]`;
    let count = 0;
    socket.on("large", () => count++);
    for (let i = 0; i < 4; i++) wire.sendText(event);
    wire.sendText('42/slow,["early"]');
    await flushed(running, wire);
    assert.deepEqual([count, socket.connected], [4, true]);
  });
});

onEveryHost("a second CONNECT while a middleware is pending", serverHosts, (host) => {
  it("replaces the first", async () => {
    await using running = await host.start();
    const arrival = held(running.io.sockets);
    const sockets: Socket[] = [];
    running.io.on("connection", (socket) => sockets.push(socket));
    const wire = await rawSession(running);
    wire.sendText('40{"token":1}');
    const [first, proceedFirst] = await arrival();
    wire.sendText('40{"token":2}');
    const [second, proceedSecond] = await arrival();
    assert.deepEqual([...internals(running.io.sockets)._preConnectSockets.values()], [second]);
    proceedFirst();
    proceedSecond();
    const answer = await wire.next();
    assert.equal(answer, `40{"sid":"${second.id}"}`);
    assert.deepEqual(sockets, [second]);
    assert.deepEqual(second.handshake.auth, { token: 2 });
    assert.equal(first.connected, false);
    assert.equal(running.io.sockets.sockets.size, 1);
  });

  it("creates one socket, however many come", async () => {
    await using running = await host.start();
    let asked = 0;
    running.io.use(() => asked++);
    const wire = await rawSession(running);
    for (let i = 0; i < 1000; i++) wire.sendText("40");
    await flushed(running, wire);
    assert.equal(asked, 1000);
    assert.equal(internals(running.io.sockets)._preConnectSockets.size, 1);
  });

  it("does not take a child namespace away", async () => {
    await using running = await host.start({ cleanupEmptyChildNamespaces: true });
    const parent = running.io.of(/^\/room$/);
    const created: unknown[] = [];
    running.io.on("new_namespace", (nsp) => created.push(nsp));
    const arrival = held(parent);
    const wire = await rawSession(running);
    wire.sendText("40/room,");
    await arrival();
    wire.sendText("40/room,");
    const [second, proceed] = await arrival();
    proceed();
    assert.equal(await wire.next(), `40/room,{"sid":"${second.id}"}`);
    assert.deepEqual(created, [running.io.of("/room")]);
    assert.equal(second.nsp.sockets.size, 1);
  });

  it("while the function decides about the namespace", async () => {
    await using running = await host.start();
    const decisions: (() => void)[] = [];
    let arrived = (): void => {};
    running.io.of((_name, _auth, allow) => {
      decisions.push(() => allow(null, true));
      arrived();
    });
    const wire = await rawSession(running);
    wire.sendText("40/dynamic,");
    wire.sendText("40/dynamic,");
    while (decisions.length < 2) await new Promise<void>((resolve) => (arrived = resolve));
    for (const decide of [...decisions, ...decisions]) decide();
    assert.match(String(await wire.next()), /^40\/dynamic,\{"sid":/);
    await flushed(running, wire);
    assert.match(String(await wire.next()), /^40\/other,/);
    assert.equal(running.io.of("/dynamic").sockets.size, 1);
  });
});

onEveryHost("a client that disconnects while a middleware is pending", serverHosts, (host) => {
  it("removes its socket, even if next is never called", async () => {
    await using running = await host.start();
    const arrival = held(running.io.sockets);
    const wire = await rawSession(running);
    wire.sendText("40");
    const [late] = await arrival();
    void late.join("room");
    const closed = next(late.conn, "close");
    wire.reset();
    await closed;
    assert.equal(internals(running.io.sockets)._preConnectSockets.size, 0);
    assert.deepEqual([...running.io.sockets.adapter.rooms.keys()], []);
  });

  it("removes an empty child namespace", async () => {
    await using running = await host.start({ cleanupEmptyChildNamespaces: true });
    const arrival = held(running.io.of(/^\/room$/));
    const wire = await rawSession(running);
    wire.sendText("40/room,");
    const [late] = await arrival();
    const closed = next(late.conn, "close");
    wire.reset();
    await closed;
    assert.equal(running.io._nsps.has("/room"), false);
  });

  it("prevents the creation of the namespace", async () => {
    await using running = await host.start({ cleanupEmptyChildNamespaces: true });
    running.io.on("new_namespace", () => assert.fail("new namespace"));
    let decide = (): void => {};
    const asked = new Promise<void>((resolve) => {
      running.io.of((_name, _auth, allow) => {
        decide = () => allow(null, true);
        resolve();
      });
    });
    const { wire, socket } = await rawPair(running);
    wire.sendText("40/room,");
    await asked;
    const closed = next(socket.conn, "close");
    wire.reset();
    await closed;
    decide();
    await new Promise(setImmediate);
    assert.equal(running.io._nsps.has("/room"), false);
  });
});

onEveryHost("a middleware that calls next twice", serverHosts, (host) => {
  for (const [name, error] of [
    ["next()", undefined],
    ["next(error)", new Error("no")],
  ] as const) {
    it(`with ${name} the second time: the socket joins once`, async () => {
      await using running = await host.start();
      const arrival = held(running.io.sockets);
      let connections = 0;
      running.io.on("connection", () => connections++);
      const wire = await rawSession(running);
      wire.sendText("40");
      const [socket, proceed] = await arrival();
      proceed();
      proceed(error);
      assert.match(String(await wire.next()), /^40\{"sid":/);
      await flushed(running, wire);
      assert.match(String(await wire.next()), /^40\/other,/);
      assert.deepEqual([connections, socket.connected], [1, true]);
      assert.equal(running.io.sockets.sockets.get(socket.id), socket);
    });
  }
});
