// Clients that leave while an asynchronous schema of a contract still checks what they have sent.
import assert from "node:assert/strict";
import { defineContract } from "@tidewire/contract";
import { z } from "zod";
import { onEveryHost } from "../support/hosts/on-every-host.ts";
import { connected, onEveryTransport, pair } from "../support/server/clients.ts";
import { serverHosts } from "../support/server/hosts.ts";
import type { ServerHost } from "../support/server/hosts.ts";
import { openOldClient } from "../support/server/old-clients.ts";
import type { Socket } from "../support/server/socketio.ts";
import type { StartedServer } from "../support/server/started-server.ts";
import { collect, next } from "../support/waiting/events.ts";

interface Running extends AsyncDisposable {
  readonly running: StartedServer;
  /** Lets the schemas answer. */
  readonly answer: () => void;
  /** What the listeners of the server are called with. */
  readonly heard: unknown[][];
}

async function start(host: ServerHost, options: object = {}): Promise<Running> {
  let answer!: () => void;
  const promise = new Promise<void>((resolve) => (answer = resolve));
  const contract = defineContract({
    clientToServer: {
      asked: [z.string().refine((text) => promise.then(() => text !== "wrong"))],
      plain: [z.string()],
    },
    serverToClient: { news: [z.string()] },
  });
  const running = await host.start({ contract, allowEIO3: true, ...options } as object);
  const heard: unknown[][] = [];
  for (const name of ["/", "/room"]) {
    running.io.of(name).on("connection", (socket: Socket) => {
      heard.push(["connection"]);
      socket.onAny((...event: unknown[]) => heard.push([...event, socket.connected]));
      socket.on("disconnect", (reason) => heard.push(["disconnect", reason]));
    });
  }
  return {
    running,
    answer,
    heard,
    async [Symbol.asyncDispose]() {
      answer();
      await running[Symbol.asyncDispose]();
    },
  };
}

const events = [["connection"], ["asked", "a", true], ["plain", "b", true]];

onEveryHost("a contract, and a client that leaves", serverHosts, (host) => {
  onEveryTransport((_name, mode) => {
    it("handles what the client has sent before it left a namespace", async () => {
      await using test = await start(host);
      const { client, socket } = await pair(test.running, mode);
      const closed = next(socket.conn, "close");
      const disconnected = next(socket, "disconnect");
      client.emit("asked", "a").emit("plain", "b").disconnect();
      await closed;
      assert.deepEqual(test.heard, [["connection"]]);
      test.answer();
      await disconnected;
      assert.deepEqual(test.heard, [...events, ["disconnect", "client namespace disconnect"]]);
      assert.equal(test.running.io.of("/").sockets.size, 0);
    });

    it("handles what the client has sent before its connection was closed", async () => {
      await using test = await start(host);
      const { client, socket } = await pair(test.running, mode);
      const closed = next(socket.conn, "close");
      const disconnected = next(socket, "disconnect");
      const arrived = collect(socket.conn, "message", 2);
      client.emit("asked", "a").emit("plain", "b");
      await arrived;
      client.io.engine.close();
      await closed;
      test.answer();
      await disconnected;
      assert.deepEqual(test.heard, [...events, ["disconnect", "transport close"]]);
    });
  });

  it("handles what an old client has sent before it left", async () => {
    await using test = await start(host);
    const connection = next<[Socket]>(test.running.io, "connection");
    const client = openOldClient(test.running.url, { transports: ["websocket"] });
    const [[socket]] = await Promise.all([connection, next(client, "connect")]);
    const disconnected = next(socket, "disconnect");
    const closed = next(socket.conn, "close");
    client.emit("asked", "a").emit("plain", "b").close();
    await closed;
    test.answer();
    await disconnected;
    assert.deepEqual(test.heard.slice(0, 3), events);
  });

  it("lets the client join again afterwards", async () => {
    await using test = await start(host);
    const { client, socket } = await pair(test.running, { transports: ["websocket"] }, "/room");
    const arrived = next(socket.conn, "message");
    client.emit("asked", "a").emit("plain", "b").disconnect().connect();
    await arrived;
    test.answer();
    await connected(client);
    assert.deepEqual(test.heard, [...events, ["disconnect", "client namespace disconnect"], ["connection"]]);
    assert.equal(test.running.io.of("/room").sockets.size, 1);
  });

  it("recovers the client that comes back meanwhile", async () => {
    await using test = await start(host, { connectionStateRecovery: {} });
    const { io } = test.running;
    const { client, socket } = await pair(test.running, {
      transports: ["websocket"],
      reconnection: true,
      reconnectionDelay: 1,
    });
    const { id } = socket;
    const first = next(client, "news");
    socket.emit("news", "first");
    await first;
    const closed = next(socket.conn, "close");
    const disconnected = next(socket, "disconnect");
    const arrived = next(socket.conn, "message");
    client.emit("asked", "a");
    await arrived;
    const back = next<[Socket]>(io, "connection");
    const news = next(client, "news");
    client.io.engine.close();
    await closed;
    io.emit("news", "missed");
    const [again] = await back;
    assert.deepEqual([again.id, again.recovered], [id, true]);
    assert.deepEqual((await news)[0], "missed");
    await disconnected;
    test.answer();
    assert.equal(io.of("/").sockets.size, 1);
    assert.deepEqual(test.heard, [["connection"], ["disconnect", "transport close"], ["connection"]]);
  });

  it("ends with the server", async () => {
    const test = await start(host);
    const { client, socket } = await pair(test.running, { transports: ["websocket"] });
    const closed = next(socket.conn, "close");
    client.emit("asked", "a").disconnect();
    await closed;
    await test.running.io.close();
    assert.deepEqual(test.heard, [["connection"], ["disconnect", "server shutting down"]]);
    test.answer();
    await test[Symbol.asyncDispose]();
    assert.equal(test.heard.length, 2);
  });

  it("broadcasts to the others meanwhile", async () => {
    await using test = await start(host);
    const { io } = test.running;
    const pairs = [];
    for (let i = 0; i < 6; i++) pairs.push(await pair(test.running, { transports: ["websocket"] }));
    const others = pairs.slice(1).map(({ client }) => client);
    const [{ client, socket }] = pairs as [Awaited<ReturnType<typeof pair>>];
    const received = (): Promise<unknown> => Promise.all(others.map((other) => next(other, "news")));
    let all = received();
    io.emit("news", "before");
    await all;
    const closed = next(socket.conn, "close");
    client.emit("asked", "a").disconnect();
    await closed;
    assert.equal(socket.connected, true);
    all = received();
    io.emit("news", "after");
    await all;
    all = received();
    io.to(socket.id).emit("news", "to nobody");
    io.emit("news", "again");
    await all;
  });

  it("drops what waits when the server disconnects the client", async () => {
    await using test = await start(host);
    const { client, socket } = await pair(test.running, { transports: ["websocket"] });
    const arrived = collect(socket.conn, "message", 2);
    const invalid = next(test.running.io, "invalid_event");
    client.emit("asked", "a").emit("asked", "wrong");
    await arrived;
    socket.disconnect();
    test.answer();
    await invalid;
    assert.deepEqual(test.heard, [["connection"], ["disconnect", "server namespace disconnect"]]);
  });
});
