import assert from "node:assert/strict";
import { next } from "../support/waiting/events.ts";
import { onEveryHost } from "../support/hosts/on-every-host.ts";
import { serverHosts } from "../support/server/hosts.ts";
import { pair, settled } from "../support/server/clients.ts";
import { internals } from "../support/server/internals.ts";

onEveryHost("operators on sockets", serverHosts, (host) => {
  it("fetches all sockets, those of rooms, and no others", async () => {
    await using running = await host.start();
    const [a, b, c] = [await pair(running), await pair(running), await pair(running)];
    await a.socket.join(["r1", "out"]);
    await b.socket.join(["r1", "r2"]);
    const ids = async (sockets: Promise<{ id: string }[]>): Promise<string[]> =>
      (await sockets).map(({ id }) => id);
    assert.deepEqual(await ids(running.io.fetchSockets()), [a.socket.id, b.socket.id, c.socket.id]);
    assert.deepEqual(await ids(running.io.in("r1").fetchSockets()), [a.socket.id, b.socket.id]);
    assert.deepEqual(await ids(running.io.in(["r1", "r2"]).except("out").fetchSockets()), [b.socket.id]);
    assert.deepEqual(await ids(running.io.of("/empty").fetchSockets()), []);
    assert.deepEqual(await ids(a.socket.broadcast.fetchSockets()), [b.socket.id, c.socket.id]);
    assert.deepEqual(await ids(running.io.local.fetchSockets()), [a.socket.id, b.socket.id, c.socket.id]);
  });

  it("fetches the sockets themselves, with handshake, rooms and data", async () => {
    await using running = await host.start();
    const { socket } = await pair(running);
    socket.data.name = "ann";
    const [fetched] = await running.io.fetchSockets();
    assert.equal(fetched, socket);
    assert.deepEqual(fetched?.data, { name: "ann" });
  });

  it("lists ids with allSockets()", async () => {
    await using running = await host.start();
    const { socket } = await pair(running);
    assert.deepEqual(await running.io.allSockets(), new Set([socket.id]));
    assert.deepEqual(await running.io.in("nobody").allSockets(), new Set());
  });

  it("moves sockets into and out of rooms", async () => {
    await using running = await host.start();
    const [a, b] = [await pair(running), await pair(running)];
    running.io.socketsJoin("all");
    running.io.in(a.socket.id).socketsJoin(["r1", "r2"]);
    assert.deepEqual([...a.socket.rooms], [a.socket.id, "all", "r1", "r2"]);
    assert.deepEqual([...b.socket.rooms], [b.socket.id, "all"]);
    running.io.in("r1").socketsLeave(["r2", "all"]);
    running.io.socketsLeave("r1");
    assert.deepEqual([...a.socket.rooms], [a.socket.id]);
    assert.deepEqual([...b.socket.rooms], [b.socket.id, "all"]);
  });

  it("disconnects the sockets of a room, leaving the connection", async () => {
    await using running = await host.start();
    const [a, b] = [await pair(running), await pair(running)];
    await a.socket.join("out");
    const gone = next(a.client, "disconnect");
    running.io.in("out").disconnectSockets();
    assert.equal(internals(a.socket.conn).readyState, "open");
    assert.equal((await gone)[0], "io server disconnect");
    await settled(b.client, b.socket);
    assert.equal(a.socket.connected, false);
    assert.equal(b.socket.connected, true);
  });

  it("disconnects the connections too when asked", async () => {
    await using running = await host.start();
    const { socket } = await pair(running);
    const closed = next(socket.conn, "close");
    running.io.disconnectSockets(true);
    await closed;
    assert.equal(running.io.engine.clientsCount, 0);
  });

  it("disconnects all sockets in one call, although each one leaves the list", async () => {
    await using running = await host.start();
    const pairs = await Promise.all([1, 2, 3, 4].map(() => pair(running)));
    running.io.disconnectSockets(true);
    assert.deepEqual(
      pairs.map(({ socket }) => socket.connected),
      [false, false, false, false],
    );
    assert.equal(running.io.sockets.sockets.size, 0);
  });

  it("knows a single server", async () => {
    await using running = await host.start();
    const { io } = running;
    assert.equal(await io.sockets.adapter.serverCount(), 1);
  });

  it("refuses serverSideEmit() of a reserved name", async () => {
    await using running = await host.start();
    const { io } = running;
    for (const name of ["connect", "connection", "new_namespace"]) {
      assert.throws(() => io.serverSideEmit(name), { message: `"${name}" is a reserved event name` });
    }
  });
});
