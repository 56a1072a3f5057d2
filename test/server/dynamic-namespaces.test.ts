import assert from "node:assert/strict";
import { connected, settled } from "../support/server/clients.ts";
import type { Pair } from "../support/server/clients.ts";
import { internals } from "../support/server/internals.ts";
import { next } from "../support/waiting/events.ts";
import { onEveryHost } from "../support/hosts/on-every-host.ts";
import { serverHosts } from "../support/server/hosts.ts";
import type { Socket } from "../support/server/socketio.ts";
import type { StartedServer } from "../support/server/started-server.ts";

/** A client of a namespace that only exists when it connects. */
async function enter(running: StartedServer, parent: unknown, namespace: string): Promise<Pair> {
  const connection = next(parent, "connection");
  const client = running.client({}, namespace);
  await connected(client);
  return { client, socket: (await connection)[0] as Socket };
}

onEveryHost("dynamic namespaces", serverHosts, (host) => {
  it("are created for a regular expression when a client connects", async () => {
    await using running = await host.start();
    const parent = running.io.of(/^\/room-\d+$/);
    const { socket } = await enter(running, parent, "/room-101");
    assert.equal(socket.nsp.name, "/room-101");
    assert.equal(running.io._nsps.has("/room-101"), true);
    const [error] = await next<[Error]>(running.client({}, "/room-x"), "connect_error");
    assert.equal(error.message, "Invalid namespace");
  });

  it("are created for a function that gets the name and the auth", async () => {
    await using running = await host.start();
    const asked: unknown[] = [];
    running.io.of((name, auth, done) => {
      asked.push([name, auth]);
      done(null, auth["token"] === "yes");
    });
    await connected(running.client({ auth: { token: "yes" } }, "/any"));
    const [error] = await next<[Error]>(running.client({ auth: { token: "no" } }, "/other"), "connect_error");
    assert.equal(error.message, "Invalid namespace");
    assert.deepEqual(asked, [
      ["/any", { token: "yes" }],
      ["/other", { token: "no" }],
    ]);
  });

  it("call the functions in order, and continue after an error", async () => {
    await using running = await host.start();
    running.io.of((_name, _auth, done) => done(new Error("not me"), true));
    const second = running.io.of((_name, _auth, done) => done(null, true));
    const { socket } = await enter(running, second, "/x");
    assert.equal(internals(second).children.has(socket.nsp), true);
  });

  it("are created once for clients that connect at the same time, with an async function", async () => {
    await using running = await host.start();
    running.io.of((_name, _auth, done) => void setImmediate(() => done(null, true)));
    await Promise.all([1, 2, 3].map(() => connected(running.client({}, "/same"))));
    assert.equal(running.io.of("/same").sockets.size, 3);
  });

  it("run the middlewares of the parent", async () => {
    await using running = await host.start();
    const parent = running.io.of(/^\/room-/);
    parent.use((socket, done) => done(socket.nsp.name === "/room-1" ? undefined : new Error("full")));
    await connected(running.client({}, "/room-1"));
    const [error] = await next<[Error]>(running.client({}, "/room-2"), "connect_error");
    assert.equal(error.message, "full");
  });

  it("all receive what the parent emits", async () => {
    await using running = await host.start();
    const parent = running.io.of(/^\/room-/);
    const one = await enter(running, parent, "/room-1");
    const two = await enter(running, parent, "/room-2");
    await one.socket.join("r");
    const heard: unknown[] = [];
    one.client.on("ev", (value) => heard.push(["one", value]));
    two.client.on("ev", (value) => heard.push(["two", value]));
    parent.to("r").emit("ev", 1);
    await settled(one.client, one.socket);
    parent.except("r").emit("ev", 2);
    await settled(two.client, two.socket);
    assert.deepEqual(heard, [
      ["one", 1],
      ["two", 2],
    ]);
  });

  it("emit connect and connection of the parent", async () => {
    await using running = await host.start();
    const seen: string[] = [];
    const parent = running.io.of(/^\/d$/, () => void seen.push("fn"));
    parent.on("connection", () => seen.push("connection"));
    await connected(running.client({}, "/d"));
    assert.deepEqual(seen, ["fn", "connection"]);
  });

  it("are children of the matching regular expression when created with of()", async () => {
    await using running = await host.start();
    const { io } = running;
    const parent = io.of(/^\/room-/);
    assert.equal(internals(parent).children.has(io.of("/room-1")), true);
    assert.equal(internals(parent).children.has(io.of("/other")), false);
  });

  it("emit new_namespace", async () => {
    await using running = await host.start();
    running.io.of(/^\/room-/);
    const made = next(running.io, "new_namespace");
    running.client({}, "/room-9");
    assert.equal(((await made)[0] as { name: string }).name, "/room-9");
  });

  it("stay when empty, unless cleanupEmptyChildNamespaces is set", async () => {
    for (const clean of [false, true]) {
      await using running = await host.start({ cleanupEmptyChildNamespaces: clean });
      const parent = running.io.of(/^\/room-/);
      const { client, socket } = await enter(running, parent, "/room-1");
      const left = next(socket, "disconnect");
      client.disconnect();
      await left;
      assert.equal(running.io._nsps.has("/room-1"), !clean);
      assert.equal(internals(parent).children.size, clean ? 0 : 1);
    }
  });

  it("refuse a regular expression with state", async () => {
    await using running = await host.start();
    const { io } = running;
    assert.throws(() => io.of(/x/g), { message: "stateful regular expressions are not supported" });
    assert.throws(() => io.of(/x/y), { message: "stateful regular expressions are not supported" });
  });

  it("refuse fetchSockets() on the parent", async () => {
    await using running = await host.start();
    const { io } = running;
    const parent = io.of(/x/);
    assert.throws(() => void parent.fetchSockets(), {
      message: "fetchSockets() is not supported on parent namespaces",
    });
  });

  it("get the listeners and middlewares that the parent has when they are created, and no later ones", async () => {
    await using running = await host.start();
    const seen: string[] = [];
    const parent = running.io.of(/^\/room-/);
    parent.on("connect", () => seen.push("connect"));
    parent.on("connection", () => seen.push("connection"));
    running.io.of("/room-1");
    parent.on("connection", () => seen.push("added later"));
    parent.use((_socket, done) => done(new Error("added later")));
    await connected(running.client({}, "/room-1"));
    assert.deepEqual(seen, ["connect", "connection"]);
    const [error] = await next<[Error]>(running.client({}, "/room-2"), "connect_error");
    assert.equal(error.message, "added later");
  });

  it("may have their own listeners and middlewares, too", async () => {
    await using running = await host.start();
    running.io.of(/^\/room-/);
    running.io.of("/room-1").use((_socket, done) => done(new Error("closed")));
    const [error] = await next<[Error]>(running.client({}, "/room-1"), "connect_error");
    assert.equal(error.message, "closed");
    await connected(running.client({}, "/room-2"));
  });

  it("call a listener passed to of() with their name", async () => {
    await using running = await host.start();
    running.io.of(/^\/room-/);
    const heard = new Promise((resolve) => running.io.of("/room-1", resolve));
    await connected(running.client({}, "/room-1"));
    assert.equal(await Promise.race([heard.then(() => "heard"), new Promise(setImmediate)]), "heard");
  });

  it("belong to the first parent that allows them, in the order of the parents", async () => {
    await using running = await host.start();
    const parents = [/^\/a/, /^\/ab/, /./].map((regexp) => running.io.of(regexp));
    await connected(running.client({}, "/abc"));
    await connected(running.client({}, "/x"));
    assert.deepEqual(
      parents.map((parent) => internals(parent).children.size),
      [1, 0, 1],
    );
  });

  it("are not listed under the name of their parent, which no client can join", async () => {
    await using running = await host.start();
    const parent = running.io.of(/^\/room-/);
    assert.match(parent.name, /^\/_\d+$/);
    assert.deepEqual([...running.io._nsps.keys()], ["/"]);
    const [error] = await next<[Error]>(running.client({}, parent.name), "connect_error");
    assert.equal(error.message, "Invalid namespace");
  });

  it("receive every kind of emit of the parent", async () => {
    await using running = await host.start();
    const parent = running.io.of(/^\/room-/);
    const pairs = [await enter(running, parent, "/room-1"), await enter(running, parent, "/room-2")];
    const heard: unknown[] = [];
    for (const [index, { client }] of pairs.entries())
      client.on("message", (value) => heard.push([index, value]));
    parent.emit("message", 1);
    parent.send(2).write(3);
    parent.local.emit("message", 4);
    parent.compress(false).emit("message", Buffer.from([5]));
    for (const { client, socket } of pairs) await settled(client, socket);
    for (const index of [0, 1]) {
      const values = (heard as [number, unknown][]).flatMap(([who, value]) => (who === index ? [value] : []));
      assert.deepEqual(values, [1, 2, 3, 4, Buffer.from([5])]);
    }
  });

  it("are neither asked for acks nor moved by a broadcast of the parent", async () => {
    await using running = await host.start();
    const parent = running.io.of(/^\/room-/);
    const { client, socket } = await enter(running, parent, "/room-1");
    client.on("q", (answer: (value: number) => void) => answer(1));
    assert.deepEqual(await parent.timeout(5_000).emitWithAck("q"), []);
    parent.socketsJoin("r");
    parent.disconnectSockets();
    assert.deepEqual(await parent.allSockets(), new Set());
    await settled(client, socket);
    assert.deepEqual([...socket.rooms], [socket.id]);
  });

  it("are refused if the function denies, fails, or calls back with another value", async () => {
    await using running = await host.start();
    running.io.of((_name, _auth, done) => done(null, false));
    running.io.of((_name, _auth, done) => done(new Error("no"), false));
    running.io.of((_name, _auth, done) => done(null, undefined as never));
    const [error] = await next<[Error]>(running.client({}, "/x"), "connect_error");
    assert.equal(error.message, "Invalid namespace");
    assert.deepEqual([...running.io._nsps.keys()], ["/"]);
  });
});
