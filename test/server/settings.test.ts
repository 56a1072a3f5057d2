// What can be read and set on a server after it was made: path(), serveClient(), connectTimeout() and adapter().
import assert from "node:assert/strict";
import { EventEmitter } from "node:events";
import { Adapter } from "socket.io-adapter";
import { openOldClient } from "../support/server/old-clients.ts";
import { next } from "../support/waiting/events.ts";
import { onEveryHost } from "../support/hosts/on-every-host.ts";
import { serverHosts } from "../support/server/hosts.ts";
import { socketio } from "../support/server/socketio.ts";
import { pair } from "../support/server/clients.ts";
import { rawPair, rawSession } from "../support/server/wires.ts";

describe("the settings of a server", () => {
  it("path() is read and set, without a slash at its end", () => {
    const io = new socketio.Server({ path: "/a/b/" });
    assert.equal(io.path(), "/a/b");
    assert.equal(io.path("/c/"), io);
    assert.equal(io.path(), "/c");
    assert.equal(io.path("no-slash").path(), "no-slash");
  });

  it("serveClient() is read and set", () => {
    const io = new socketio.Server();
    assert.equal(io.serveClient(), true);
    assert.equal(io.serveClient(false), io);
    assert.equal(io.serveClient(), false);
    assert.equal(new socketio.Server({ serveClient: false }).serveClient(), false);
  });

  it("connectTimeout() is read and set, in ms", () => {
    const io = new socketio.Server({ connectTimeout: 7 });
    assert.equal(io.connectTimeout(), 7);
    assert.equal(io.connectTimeout(8), io);
    assert.equal(io.connectTimeout(), 8);
    assert.equal(io._connectTimeout, 8);
    assert.equal(new socketio.Server().connectTimeout(), 45_000);
  });

  it("adapter() is read and set; also by a function bound to the server", () => {
    class Mine extends Adapter {}
    const io = new socketio.Server();
    const adapter = io.adapter.bind(io) as (v: typeof Adapter) => unknown;
    assert.equal(adapter(Mine), io);
    assert.equal(io.adapter(), Mine);
    assert.ok(io.of("/made-later").adapter instanceof Mine);
  });

  it("adapter() replaces the adapter of every existing namespace, children of parents included", () => {
    class Mine extends Adapter {}
    const io = new socketio.Server();
    io.of(/^\/child-/);
    const all = [io.sockets, io.of("/a"), io.of("/child-1")];
    const before = all.map(({ adapter }) => adapter);
    io.adapter(Mine);
    for (const [index, { adapter, name }] of all.entries()) {
      assert.ok(adapter instanceof Mine, name);
      assert.notEqual(adapter, before[index]);
    }
  });
});

describe("the server as an emitter", () => {
  const names = Object.keys(EventEmitter.prototype).filter(
    (name) => typeof Reflect.get(EventEmitter.prototype, name) === "function",
  );
  for (const name of names) {
    it(`forwards ${name}() to the main namespace, and returns its result`, () => {
      const io = new socketio.Server();
      const returned = {};
      const seen: unknown[] = [];
      Reflect.set(io.sockets, name, function (this: unknown, ...args: unknown[]) {
        seen.push(this, ...args);
        return returned;
      });
      const given = ["event", () => {}];
      assert.equal(Reflect.apply(Reflect.get(io, name) as () => unknown, io, given), returned);
      assert.deepEqual(seen, [io.sockets, ...given]);
    });
  }

  it("returns the namespace from on(), and itself from use() and send()", () => {
    const io = new socketio.Server();
    assert.equal(
      io.on("connection", () => {}),
      io.sockets,
    );
    assert.equal(
      io.use(() => {}),
      io,
    );
    assert.equal(io.send("a"), io);
    assert.equal(io.write("a"), io);
    assert.equal(io.emit("a"), true);
    const nsp = io.of("/a");
    assert.equal(
      nsp.use(() => {}),
      nsp,
    );
    assert.equal(nsp.send("a"), nsp);
  });
});

onEveryHost("connectTimeout", serverHosts, (host) => {
  it("applies to clients that connect after it was set", async () => {
    await using running = await host.start();
    running.io.connectTimeout(50);
    const wire = await rawSession(running);
    await wire.closed;
    assert.equal(running.io.engine.clientsCount, 0);
  });

  it("closes a client whose middleware never calls next, and does not accept it later", async () => {
    await using running = await host.start({ connectTimeout: 50 });
    const inside = new Promise<() => void>((resolve) => running.io.use((_socket, done) => resolve(done)));
    running.io.on("connection", () => assert.fail("connected"));
    const wire = await rawSession(running);
    wire.sendText("40");
    const proceed = await inside;
    await wire.closed;
    proceed();
    await new Promise(setImmediate);
    assert.equal(running.io.sockets.sockets.size, 0);
    assert.equal(running.io.sockets.adapter.sids.size, 0);
  });

  it("closes a client that was refused and does not try again", async () => {
    await using running = await host.start({ connectTimeout: 50 });
    running.io.use((_socket, done) => done(new Error("no")));
    const wire = await rawSession(running);
    wire.sendText("40");
    assert.equal(await wire.next(), '44{"message":"no"}');
    await wire.closed;
  });

  it("does not close a client that has joined and left again", async () => {
    await using running = await host.start({ connectTimeout: 600 });
    const { wire, socket } = await rawPair(running);
    wire.sendText("41");
    await next(socket, "disconnect");
    const other = await rawSession(running);
    await other.closed;
    wire.sendText("40");
    assert.match(String(await wire.next()), /^40\{"sid":/);
  });

  it("closes a client of protocol 3 whose root namespace has refused it", async () => {
    await using running = await host.start({ connectTimeout: 50, allowEIO3: true });
    running.io.use((_socket, done) => done(new Error("no")));
    const connection = next(running.io.engine, "connection");
    const client = openOldClient(running.url, { transports: ["websocket"] });
    const [conn] = await connection;
    const [reason] = await next(conn, "close");
    assert.equal(reason, "forced close");
    client.close();
  });

  it("does not close a client of protocol 3, which joins by itself", async () => {
    await using running = await host.start({ connectTimeout: 600, allowEIO3: true });
    const connection = next(running.io, "connection");
    const client = openOldClient(running.url, { transports: ["websocket"] });
    await connection;
    const { closed } = await rawSession(running);
    await closed;
    assert.equal(running.io.sockets.sockets.size, 1);
    client.close();
  });
});

onEveryHost("io.close(callback)", serverHosts, (host) => {
  it("calls back once, without an error, before it resolves", async () => {
    await using running = await host.start();
    await pair(running);
    const calls: unknown[][] = [];
    assert.equal(await running.io.close((...args) => void calls.push(args)), undefined);
    assert.deepEqual(
      calls.map(([error]) => error),
      [undefined],
    );
  });
});

describe("io.close()", () => {
  it("passes on the error of an HTTP server that does not listen, and resolves", async () => {
    const io = new socketio.Server((await import("node:http")).createServer());
    const called = new Promise<NodeJS.ErrnoException | undefined>((resolve) => void io.close(resolve));
    assert.equal((await called)?.code, "ERR_SERVER_NOT_RUNNING");
    await io.close();
  });

  it("rejects with a TypeError before the server is attached, and does not call back", async () => {
    const io = new socketio.Server();
    await assert.rejects(
      io.close(() => assert.fail("called")),
      TypeError,
    );
  });
});
