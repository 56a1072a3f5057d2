import assert from "node:assert/strict";
import { failure, ways } from "../support/server/on-error.ts";
import { collect, next } from "../support/waiting/events.ts";
import { connected, onEveryTransport, pair, settled } from "../support/server/clients.ts";
import { onEveryHost } from "../support/hosts/on-every-host.ts";
import { serverHosts } from "../support/server/hosts.ts";
import { rawPair } from "../support/server/wires.ts";
import { uncaught } from "../support/process/uncaught.ts";

onEveryHost("a listener that throws", serverHosts, (host) => {
  onEveryTransport((_name, mode) => {
    it("raises uncaughtException, as with the official server, and the connection stays", async () => {
      await using running = await host.start();
      const { client, socket } = await pair(running, mode);
      const error = new Error("thrown by a listener");
      socket.on("bad", () => {
        throw error;
      });
      const thrown = uncaught(1);
      client.emit("bad");
      assert.deepEqual(await thrown, [error]);
      await settled(client, socket);
      assert.equal(socket.connected, true);
    });
  });

  it("does not disturb the rest of a batch", async () => {
    await using running = await host.start();
    const { wire, socket } = await rawPair(running);
    socket.on("bad", () => {
      throw new Error("thrown by a listener");
    });
    const heard = collect(socket, "n", 3);
    const thrown = uncaught(2);
    wire.sendTogether('42["n",1]', '42["bad"]', '42["n",2]', '42["bad"]', '42["n",3]');
    assert.deepEqual(await heard, [[1], [2], [3]]);
    assert.equal((await thrown).length, 2);
  });

  it("keeps what it wrote before it threw", async () => {
    await using running = await host.start();
    const { wire, socket } = await rawPair(running);
    socket.on("bad", () => {
      socket.emit("before");
      throw new Error("thrown by a listener");
    });
    const thrown = uncaught(1);
    wire.sendText('42["bad"]');
    assert.equal(await wire.next(), '42["before"]');
    await thrown;
  });

  it("in an ack callback does not affect the connection", async () => {
    await using running = await host.start();
    const { client, socket } = await pair(running, { transports: ["websocket"] });
    client.on("q", (ack: () => void) => ack());
    const thrown = uncaught(1);
    socket.emit("q", () => {
      throw new Error("thrown by an ack");
    });
    assert.equal(((await thrown)[0] as Error).message, "thrown by an ack");
    await settled(client, socket);
  });

  it("of onAny keeps the event from its own listeners, and the connection stays", async () => {
    await using running = await host.start();
    const { client, socket } = await pair(running, { transports: ["websocket"] });
    socket.onAny((event) => {
      if (event === "ev") throw failure;
    });
    socket.on("ev", () => assert.fail("heard"));
    const thrown = uncaught(1);
    client.emit("ev");
    assert.deepEqual(await thrown, [failure]);
    await settled(client, socket);
  });

  it("of onAnyOutgoing is thrown by emit()", async () => {
    await using running = await host.start();
    const { client, socket } = await pair(running, { transports: ["websocket"] });
    socket.onAnyOutgoing((event) => {
      if (event === "ev") throw failure;
    });
    assert.throws(() => socket.emit("ev"), failure);
    await settled(client, socket);
  });

  it("of new_namespace is thrown by of(), and the namespace exists", async () => {
    await using running = await host.start();
    running.io.once("new_namespace", ways.throws);
    assert.throws(() => running.io.of("/new"), failure);
    await pair(running, { transports: ["websocket"] }, "/new");
  });

  for (const [how, fail] of Object.entries(ways)) {
    it(`or middleware of a socket: one that ${how} drops the event, and the connection goes on`, async () => {
      await using running = await host.start();
      const { client, socket } = await pair(running, { transports: ["websocket"] });
      socket.use(([event], pass) => (event === "ev" ? (fail() as void) : pass()));
      socket.on("ev", () => assert.fail("heard"));
      const thrown = uncaught(1);
      client.emit("ev");
      assert.deepEqual(await thrown, [failure]);
      await settled(client, socket);
    });
  }

  it("for connection does not affect the connection", async () => {
    await using running = await host.start();
    const thrown = uncaught(1);
    running.io.once("connection", () => {
      throw new Error("thrown by connection");
    });
    const client = running.client({ transports: ["websocket"] });
    await connected(client);
    const [socket] = [...running.io.sockets.sockets.values()];
    assert.ok(socket);
    await thrown;
    await settled(client, socket);
  });

  it("of the adapter does not leave a socket half in its namespace", async () => {
    await using running = await host.start();
    const { adapter } = running.io.sockets;
    const surfaced = uncaught(1);
    adapter.once("join-room", () => {
      throw new Error("of the adapter");
    });
    const { client, socket } = await pair(running);
    assert.match(String((await surfaced)[0]), /of the adapter/);
    await settled(client, socket);
    const gone = next(socket, "disconnect");
    client.disconnect();
    await gone;
    assert.deepEqual([running.io.sockets.sockets.size, adapter.sids.size, adapter.rooms.size], [0, 0, 0]);
  });

  it("for disconnect does not keep the other sockets from their disconnection", async () => {
    await using running = await host.start();
    const [a, b] = [
      await pair(running, { transports: ["websocket"] }),
      await pair(running, { transports: ["websocket"] }),
    ];
    a.socket.on("disconnect", () => {
      throw new Error("thrown by disconnect");
    });
    const thrown = uncaught(1);
    const gone = next(b.socket, "disconnect");
    a.client.io.engine.close();
    await thrown;
    b.client.io.engine.close();
    assert.equal((await gone)[0], "transport close");
    assert.equal(running.io.sockets.sockets.size, 0);
    assert.equal(running.io.engine.clientsCount, 0);
  });
});
