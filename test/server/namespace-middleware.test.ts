import assert from "node:assert/strict";
import { connected, onEveryTransport, pair } from "../support/server/clients.ts";
import { next } from "../support/waiting/events.ts";
import { onEveryHost } from "../support/hosts/on-every-host.ts";
import { serverHosts } from "../support/server/hosts.ts";
import type { Socket } from "../support/server/socketio.ts";
import { rawSession } from "../support/server/wires.ts";
import { internals } from "../support/server/internals.ts";
import { uncaught } from "../support/process/uncaught.ts";

onEveryHost("namespace middleware", serverHosts, (host) => {
  onEveryTransport((_name, mode) => {
    it("runs in order, each after the previous one, and before connection", async () => {
      await using running = await host.start();
      const order: string[] = [];
      running.io.use((_socket, done) => {
        order.push("first");
        setImmediate(() => {
          order.push("first done");
          done();
        });
      });
      running.io.use((_socket, done) => {
        order.push("second");
        done();
      });
      running.io.on("connection", () => order.push("connection"));
      await connected(running.client(mode));
      assert.deepEqual(order, ["first", "first done", "second", "connection"]);
    });
  });

  it("stops at the first error", async () => {
    await using running = await host.start();
    running.io.use((_socket, done) => done(new Error("stop")));
    running.io.use(() => assert.fail("ran after an error"));
    running.io.on("connection", () => assert.fail("connected"));
    await next(running.client(), "connect_error");
  });

  it("waits for an async middleware that calls next at its end", async () => {
    await using running = await host.start();
    const middleware = async (socket: Socket, done: () => void): Promise<void> => {
      await new Promise(setImmediate);
      socket.data.user = "ann";
      done();
    };
    running.io.use((socket, done) => void middleware(socket, done));
    const { socket } = await pair(running);
    assert.deepEqual(socket.data, { user: "ann" });
  });

  it("sees handshake, id and auth of a socket that is not connected yet", async () => {
    await using running = await host.start();
    const seen = new Promise<unknown[]>((resolve) => {
      running.io.use((socket, done) => {
        resolve([socket.handshake.auth, socket.id.length, socket.connected, [...socket.rooms]]);
        done();
      });
    });
    await connected(running.client({ auth: { token: "t" } }));
    assert.deepEqual(await seen, [{ token: "t" }, 20, false, []]);
  });

  it("runs for its namespace only", async () => {
    await using running = await host.start();
    running.io.of("/chat").use((_socket, done) => done(new Error("not here")));
    await connected(running.client());
  });

  it("runs for each connection of a namespace", async () => {
    await using running = await host.start();
    let runs = 0;
    running.io.use((_socket, done) => {
      runs++;
      done();
    });
    const { client } = await pair(running);
    client.disconnect();
    client.connect();
    await connected(client);
    assert.equal(runs, 2);
  });

  it("ignores a socket whose client left while a middleware was running", async () => {
    await using running = await host.start();
    let proceed: () => void = () => {};
    const entered = new Promise<Socket>((resolve) => {
      running.io.use((socket, done) => {
        proceed = done;
        resolve(socket);
      });
    });
    running.io.on("connection", () => assert.fail("connected"));
    const wire = await rawSession(running);
    wire.sendText("40");
    const socket = await entered;
    const closed = next(socket.conn, "close");
    wire.reset();
    await closed;
    proceed();
    await new Promise(setImmediate);
    assert.equal(running.io.sockets.sockets.size, 0);
    assert.equal(internals(running.io.sockets)._preConnectSockets.size, 0);
    assert.equal(running.io.sockets.adapter.sids.size, 0);
  });

  it("delivers no event of a room joined in a middleware before CONNECT, and all of them after", async () => {
    await using running = await host.start();
    let proceed: () => void = () => {};
    const entered = new Promise<void>((resolve) => {
      running.io.use((socket, done) => {
        void socket.join("room");
        proceed = done;
        resolve();
      });
    });
    const wire = await rawSession(running);
    wire.sendText("40");
    await entered;
    running.io.to("room").emit("early");
    running.io.emit("early");
    const connection = next<[Socket]>(running.io, "connection");
    proceed();
    const [socket] = await connection;
    running.io.to("room").emit("later");
    assert.deepEqual([...socket.rooms].toSorted(), ["room", socket.id].toSorted());
    assert.deepEqual(await wire.take(2), [`40{"sid":"${socket.id}"}`, '42["later"]']);
  });

  it("sends what a middleware emits to the socket, before CONNECT", async () => {
    await using running = await host.start();
    running.io.use((socket, done) => {
      socket.emit("session", 1);
      done();
    });
    const wire = await rawSession(running);
    wire.sendText("40");
    assert.equal(await wire.next(), '42["session",1]');
    assert.match(String(await wire.next()), /^40\{"sid":"/);
  });

  it("writes CONNECT_ERROR with message and data, in this order", async () => {
    await using running = await host.start();
    running.io.of("/chat").use((_socket, done) => done(Object.assign(new Error("no"), { data: { a: 1 } })));
    const wire = await rawSession(running);
    wire.sendText("40/chat,");
    assert.equal(await wire.next(), '44/chat,{"message":"no","data":{"a":1}}');
  });

  it("refuses every client if it is not a function", async () => {
    await using running = await host.start();
    running.io.use(undefined as never);
    running.io.use((_socket, done) => done());
    running.io.on("connection", () => assert.fail("connected"));
    const rejection = uncaught(1);
    const wire = await rawSession(running);
    wire.sendText("40");
    assert.ok((await rejection)[0] instanceof TypeError);
    assert.equal(running.io.sockets.sockets.size, 0);
  });

  it("accepts no client that it has refused, whatever it calls afterwards", async () => {
    await using running = await host.start();
    let passOn: () => void = () => {};
    running.io.use((_socket, done) => {
      passOn = done;
      done(new Error("no"));
      done();
    });
    let connections = 0;
    running.io.on("connection", () => connections++);
    const wire = await rawSession(running);
    wire.sendText("40");
    assert.equal(await wire.next(), '44{"message":"no"}');
    passOn();
    await new Promise(setImmediate);
    assert.deepEqual([connections, running.io.sockets.sockets.size], [0, 0]);
    assert.deepEqual(wire.pending, []);
  });
});
