import assert from "node:assert/strict";
import { connected, onEveryTransport, pair, settled, upgraded } from "../support/server/clients.ts";
import { next } from "../support/waiting/events.ts";
import { onEveryHost } from "../support/hosts/on-every-host.ts";
import { serverHosts } from "../support/server/hosts.ts";
import type { Socket } from "../support/server/socketio.ts";

onEveryHost("connect", serverHosts, (host) => {
  onEveryTransport((name, mode) => {
    it("connects, and both sides know the same id of 20 characters", async () => {
      await using running = await host.start();
      const { client, socket } = await pair(running, mode);
      assert.equal(client.id, socket.id);
      assert.match(socket.id, /^[A-Za-z0-9_-]{20}$/);
      assert.notEqual(socket.id, (socket.conn as unknown as { id: string }).id);
    });

    it("passes the client's auth to the handshake", async () => {
      await using running = await host.start();
      const { socket } = await pair(running, {
        ...mode,
        auth: { token: "abc", n: [1, { b: null }] },
      });
      assert.deepEqual(socket.handshake.auth, { token: "abc", n: [1, { b: null }] });
    });

    it("reads the auth from a function", async () => {
      await using running = await host.start();
      const { socket } = await pair(running, { ...mode, auth: (done) => done({ late: true }) });
      assert.deepEqual(socket.handshake.auth, { late: true });
    });

    it("serves another path", async () => {
      await using running = await host.start({ path: "/chat/" });
      const { client } = await pair(running, { ...mode, path: "/chat/" });
      assert.equal(client.connected, true);
    });

    it("connects again with a new id after a disconnection", async () => {
      await using running = await host.start();
      const { client, socket } = await pair(running, mode);
      client.disconnect();
      const again = next<[Socket]>(running.io, "connection");
      client.connect();
      const [second] = await again;
      await connected(client);
      assert.equal(client.id, second.id);
      assert.notEqual(second.id, socket.id);
    });

    it(`reports the transport of the connection`, async () => {
      await using running = await host.start();
      const { client, socket } = await pair(running, mode);
      if (name === "upgrade") {
        const changed = socket.conn.transport.name === "websocket" ? undefined : next(socket.conn, "upgrade");
        await upgraded(client);
        await changed;
      }
      assert.equal(socket.conn.transport.name, name === "polling" ? "polling" : "websocket");
    });
  });

  it("emits connect and connection, in this order", async () => {
    await using running = await host.start();
    const seen: string[] = [];
    running.io.on("connection", () => seen.push("connection"));
    running.io.on("connect", () => seen.push("connect"));
    await connected(running.client());
    assert.deepEqual(seen, ["connect", "connection"]);
  });

  it("has the socket in its own room, and in the namespace, when connection is emitted", async () => {
    await using running = await host.start();
    const seen = new Promise<unknown[]>((resolve) => {
      running.io.on("connection", (socket) => {
        resolve([socket.connected, [...socket.rooms], running.io.sockets.sockets.get(socket.id) === socket]);
      });
    });
    const client = running.client();
    await connected(client);
    assert.deepEqual(await seen, [true, [client.id], true]);
  });

  it("keeps the client on long-polling when upgrades are not allowed", async () => {
    await using running = await host.start({ allowUpgrades: false });
    const { client, socket } = await pair(running);
    await settled(client, socket);
    assert.equal(client.io.engine.transport.name, "polling");
  });

  it("counts the connections, not the sockets", async () => {
    await using running = await host.start();
    running.io.of("/other");
    const { client } = await pair(running, { forceNew: false });
    const other = client.io.socket("/other", {});
    await connected(other);
    assert.equal(running.io.engine.clientsCount, 1);
    const closed = next(running.io.sockets.sockets.get(client.id as string)?.conn, "close");
    client.io.engine.close();
    await closed;
    assert.equal(running.io.engine.clientsCount, 0);
  });
});
