import assert from "node:assert/strict";
import { connected, next, onEveryHost, settled, internals } from "../support/socketio.ts";
import type { Pair, Running, Socket } from "../support/socketio.ts";

/** A client of a namespace that only exists when it connects. */
async function enter(running: Running, parent: unknown, namespace: string): Promise<Pair> {
  const connection = next(parent, "connection");
  const client = running.client({}, namespace);
  await connected(client);
  return { client, socket: (await connection)[0] as Socket };
}

onEveryHost("dynamic namespaces", (host) => {
  it("are made by a regular expression when a client asks", async () => {
    const running = await host.start();
    const parent = running.io.of(/^\/room-\d+$/);
    const { socket } = await enter(running, parent, "/room-101");
    assert.equal(socket.nsp.name, "/room-101");
    assert.equal(running.io._nsps.has("/room-101"), true);
    const [error] = await next<[Error]>(running.client({}, "/room-x"), "connect_error");
    assert.equal(error.message, "Invalid namespace");
  });

  it("are made by a function that sees name and auth", async () => {
    const running = await host.start();
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

  it("ask the functions in turn, and go on after an error", async () => {
    const running = await host.start();
    running.io.of((_name, _auth, done) => done(new Error("not me"), true));
    const second = running.io.of((_name, _auth, done) => done(null, true));
    const { socket } = await enter(running, second, "/x");
    assert.equal(internals(second).children.has(socket.nsp), true);
  });

  it("are made once for clients that ask together of an async function", async () => {
    const running = await host.start();
    running.io.of((_name, _auth, done) => void setImmediate(() => done(null, true)));
    await Promise.all([1, 2, 3].map(() => connected(running.client({}, "/same"))));
    assert.equal(running.io.of("/same").sockets.size, 3);
  });

  it("run the middlewares of the parent", async () => {
    const running = await host.start();
    const parent = running.io.of(/^\/room-/);
    parent.use((socket, done) => done(socket.nsp.name === "/room-1" ? undefined : new Error("full")));
    await connected(running.client({}, "/room-1"));
    const [error] = await next<[Error]>(running.client({}, "/room-2"), "connect_error");
    assert.equal(error.message, "full");
  });

  it("all hear what the parent emits", async () => {
    const running = await host.start();
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
    const running = await host.start();
    const seen: string[] = [];
    const parent = running.io.of(/^\/d$/, () => void seen.push("fn"));
    parent.on("connection", () => seen.push("connection"));
    await connected(running.client({}, "/d"));
    assert.deepEqual(seen, ["fn", "connection"]);
  });

  it("are children of the regular expression that matches when made by of()", async () => {
    const { io } = await host.start();
    const parent = io.of(/^\/room-/);
    assert.equal(internals(parent).children.has(io.of("/room-1")), true);
    assert.equal(internals(parent).children.has(io.of("/other")), false);
  });

  it("emit new_namespace", async () => {
    const running = await host.start();
    running.io.of(/^\/room-/);
    const made = next(running.io, "new_namespace");
    running.client({}, "/room-9");
    assert.equal(((await made)[0] as { name: string }).name, "/room-9");
  });

  it("stay when empty, unless cleanupEmptyChildNamespaces is set", async () => {
    for (const clean of [false, true]) {
      const running = await host.start({ cleanupEmptyChildNamespaces: clean });
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
    const { io } = await host.start();
    assert.throws(() => io.of(/x/g), { message: "stateful regular expressions are not supported" });
    assert.throws(() => io.of(/x/y), { message: "stateful regular expressions are not supported" });
  });

  it("refuse fetchSockets() on the parent", async () => {
    const { io } = await host.start();
    const parent = io.of(/x/);
    assert.throws(() => void parent.fetchSockets(), {
      message: "fetchSockets() is not supported on parent namespaces",
    });
  });
});
