import assert from "node:assert/strict";
import { once } from "node:events";
import { MemoryServer } from "./memory.ts";

/** Takes the place of mocha's listener, so that a test can see what surfaces as an uncaught exception. */
function nextUncaught(): Promise<unknown> {
  const others = process.listeners("uncaughtException");
  process.removeAllListeners("uncaughtException");
  return new Promise((resolve) => {
    process.once("uncaughtException", (error) => {
      for (const listener of others) process.on("uncaughtException", listener);
      resolve(error);
    });
  });
}

describe("packets that arrive in one payload", () => {
  it("reach the listeners before the request is answered", async () => {
    await using server = new MemoryServer();
    const [poller, socket] = await server.join();
    const heard: unknown[] = [];
    socket.on("a", (value) => heard.push(value));
    await poller.post('42["a",1]', '42["a",2]');
    assert.deepEqual(heard, [1, 2]);
  });

  it("are answered in order, in one response", async () => {
    await using server = new MemoryServer();
    const [poller, socket] = await server.join();
    socket.on("a", (value, answer) => answer(value));
    const response = poller.get();
    await poller.post('421["a",1]', '422["a",2]');
    assert.deepEqual(await response, ["431[1]", "432[2]"]);
  });

  it("reach no listener after one of them has disconnected the socket, and the connection stays", async () => {
    await using server = new MemoryServer();
    const [poller, socket] = await server.join();
    const heard: unknown[] = [];
    socket.on("a", (value) => {
      heard.push(value);
      socket.disconnect();
    });
    const response = poller.get();
    await poller.post('42["a",1]', '42["a",2]', "41");
    assert.deepEqual(heard, [1]);
    assert.deepEqual(await response, ["41"]);
    assert.equal(poller.session.readyState, "open");
  });

  it("close the connection if they come for the namespace later", async () => {
    await using server = new MemoryServer();
    const [poller, socket] = await server.join();
    socket.disconnect();
    await poller.get();
    await new Promise(setImmediate);
    const closed = once(poller.session, "close");
    const parked = poller.get();
    await poller.post('42["a"]');
    assert.equal((await closed)[0], "forced close");
    await parked;
  });

  it("may leave the namespace and join it again", async () => {
    await using server = new MemoryServer();
    const [poller, former] = await server.join();
    const connection = once(server.io, "connection");
    await poller.post("41", "40");
    const [socket] = await connection;
    assert.notEqual(socket.id, former.id);
    assert.equal(former.connected, false);
    assert.equal(poller.session.readyState, "open");
  });

  it("are all delivered although a listener throws, and the error surfaces as uncaught", async () => {
    await using server = new MemoryServer();
    const [poller, socket] = await server.join();
    const heard: unknown[] = [];
    socket.on("a", (value) => {
      heard.push(value);
      if (value === 1) throw new Error("mine");
    });
    const uncaught = nextUncaught();
    await poller.post('42["a",1]', '42["a",2]');
    assert.deepEqual(heard, [1, 2]);
    assert.equal(((await uncaught) as Error).message, "mine");
    assert.equal(socket.connected, true);
  });
});

describe("a listener that throws", () => {
  it("behind a middleware is not seen by the middleware", async () => {
    await using server = new MemoryServer();
    const [poller, socket] = await server.join();
    let seen = false;
    socket.use((_event, next) => {
      try {
        next();
      } catch {
        seen = true;
      }
    });
    socket.on("a", () => {
      throw new Error("mine");
    });
    const uncaught = nextUncaught();
    await poller.post('42["a"]');
    assert.equal(((await uncaught) as Error).message, "mine");
    assert.equal(seen, false);
  });

  it("while disconnecting does not keep the socket in its namespace", async () => {
    await using server = new MemoryServer();
    const [, socket] = await server.join();
    socket.on("disconnecting", () => {
      throw new Error("mine");
    });
    const disconnected = once(socket, "disconnect");
    const uncaught = nextUncaught();
    socket.disconnect();
    await uncaught;
    assert.deepEqual((await disconnected)[0], "server namespace disconnect");
    assert.deepEqual([server.io.of("/").sockets.size, socket.rooms.size], [0, 0]);
  });
});

describe("joining", () => {
  it("sends CONNECT before anything a connection listener sends", async () => {
    await using server = new MemoryServer();
    server.io.on("connection", (socket) => socket.emit("first"));
    const poller = await server.poll();
    const response = poller.get();
    await poller.post("40");
    const [connect, ...rest] = await response;
    assert.match(String(connect), /^40\{"sid":"[\w-]{20}"\}$/);
    assert.deepEqual(rest, ['42["first"]']);
  });

  it("sends a socket nothing from a room joined in a middleware before CONNECT", async () => {
    await using server = new MemoryServer();
    server.io.use((socket, next) => {
      void socket.join("room");
      server.io.to("room").emit("early");
      next();
    });
    const poller = await server.poll();
    const response = poller.get();
    await poller.post("40");
    assert.equal((await response).length, 1);
  });

  it("sends what a middleware emits before CONNECT", async () => {
    await using server = new MemoryServer();
    server.io.use((socket, next) => {
      socket.emit("early");
      next();
    });
    const poller = await server.poll();
    const first = poller.get();
    await poller.post("40");
    assert.deepEqual((await first)[0], '42["early"]');
  });

  it("opens the root namespace for a client of protocol 3, with the id of the session", async () => {
    await using server = new MemoryServer({ allowEIO3: true });
    const connection = once(server.io, "connection");
    const poller = await server.poll(3);
    const [socket] = await connection;
    assert.equal(socket.id, poller.session.id);
  });

  it("takes the credentials of a client of protocol 3 from the namespace, and answers without ids", async () => {
    await using server = new MemoryServer({ allowEIO3: true });
    const connection = once(server.io.of("/admin"), "connection");
    const poller = await server.poll(3);
    await poller.post("22:40/admin?token=secret,");
    const [socket] = await connection;
    assert.deepEqual({ ...socket.handshake.auth }, { token: "secret" });
    assert.equal(socket.id, `/admin#${poller.session.id}`);
    assert.match((await poller.get()).join(), /9:40\/admin,$/);
  });
});
