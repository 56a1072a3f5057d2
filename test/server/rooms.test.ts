import assert from "node:assert/strict";
import { next } from "../support/waiting/events.ts";
import { onEveryHost } from "../support/hosts/on-every-host.ts";
import { serverHosts } from "../support/server/hosts.ts";
import type { ClientSocket, Socket } from "../support/server/socketio.ts";
import { onEveryTransport, pair, settled } from "../support/server/clients.ts";
import { internals } from "../support/server/internals.ts";

import type { StartedServer } from "../support/server/started-server.ts";

type Mode = Parameters<typeof pair>[1];
type Member = { client: ClientSocket; socket: Socket; heard: unknown[] };

/** Three connected clients that write down what they hear as `ev`. */
async function three(
  running: StartedServer,
  mode: Mode = { transports: ["websocket"] },
): Promise<[Member, Member, Member]> {
  const member = async (): Promise<Member> => {
    const { client, socket } = await pair(running, mode);
    const heard: unknown[] = [];
    client.on("ev", (value) => heard.push(value));
    return { client, socket, heard };
  };
  return [await member(), await member(), await member()];
}

async function heardBy(...members: Member[]): Promise<unknown[][]> {
  for (const { client, socket } of members) await settled(client, socket);
  return members.map(({ heard }) => heard);
}

onEveryHost("rooms", serverHosts, (host) => {
  onEveryTransport((_name, mode) => {
    it("delivers only to the members of a room", async () => {
      await using running = await host.start();
      const { io } = running;
      const [a, b, c] = await three(running, mode);
      await a.socket.join("room");
      await b.socket.join("room");
      io.to("room").emit("ev", 1);
      assert.deepEqual(await heardBy(a, b, c), [[1], [1], []]);
    });

    it("excludes the sender from socket.to()", async () => {
      await using running = await host.start();
      const [a, b, c] = await three(running, mode);
      await a.socket.join("room");
      await b.socket.join("room");
      a.socket.to("room").emit("ev", 1);
      assert.deepEqual(await heardBy(a, b, c), [[], [1], []]);
    });
  });

  it("delivers once to a member of several rooms", async () => {
    await using running = await host.start();
    const { io } = running;
    const [a, b, c] = await three(running);
    await a.socket.join(["r1", "r2", "r3"]);
    await b.socket.join("r2");
    io.to("r1").to("r2").in("r3").emit("ev", 1);
    io.to(["r1", "r2"]).emit("ev", 2);
    assert.deepEqual(await heardBy(a, b, c), [[1, 2], [1, 2], []]);
  });

  it("leaves a room", async () => {
    await using running = await host.start();
    const { io } = running;
    const [a, b, c] = await three(running);
    await a.socket.join("room");
    await b.socket.join("room");
    await a.socket.leave("room");
    io.in("room").emit("ev", 1);
    assert.deepEqual(await heardBy(a, b, c), [[], [1], []]);
  });

  it("excludes one or several rooms with except(), also without to()", async () => {
    await using running = await host.start();
    const { io } = running;
    const [a, b, c] = await three(running);
    await a.socket.join("room");
    await b.socket.join(["room", "out"]);
    await c.socket.join("away");
    io.to("room").except("out").emit("ev", 1);
    io.except("out").emit("ev", 2);
    io.except(["out", "away"]).emit("ev", 3);
    io.except("room").except("nobody").emit("ev", 4);
    assert.deepEqual(await heardBy(a, b, c), [[1, 2, 3], [], [2, 4]]);
  });

  it("excludes rooms with socket.except(), the sender included", async () => {
    await using running = await host.start();
    const [a, b, c] = await three(running);
    await b.socket.join("out");
    a.socket.except("out").emit("ev", 1);
    a.socket.broadcast.except("out").emit("ev", 2);
    assert.deepEqual(await heardBy(a, b, c), [[], [], [1, 2]]);
  });

  it("reaches one socket through the room of its id", async () => {
    await using running = await host.start();
    const { io } = running;
    const [a, b, c] = await three(running);
    io.to(b.socket.id).emit("ev", 1);
    a.socket.to(c.socket.id).emit("ev", 2);
    assert.deepEqual(await heardBy(a, b, c), [[], [1], [2]]);
  });

  it("does not reach a socket by id that left the room of its id", async () => {
    await using running = await host.start();
    const { io } = running;
    const [a, b, c] = await three(running);
    await a.socket.leave(a.socket.id);
    io.to(a.socket.id).emit("ev", 1);
    io.emit("ev", 2);
    assert.deepEqual(await heardBy(a, b, c), [[2], [2], [2]]);
  });

  it("delivers nothing for a room that does not exist", async () => {
    await using running = await host.start();
    const { io } = running;
    const [a, b, c] = await three(running);
    io.to("nobody").emit("ev", 1);
    assert.deepEqual(await heardBy(a, b, c), [[], [], []]);
  });

  it("accepts numbers as rooms", async () => {
    await using running = await host.start();
    const { io } = running;
    const [a, b, c] = await three(running);
    const room = 7 as unknown as string;
    await a.socket.join(room);
    io.to(room).emit("ev", 1);
    io.to("7").emit("ev", 2);
    assert.deepEqual(await heardBy(a, b, c), [[1], [], []]);
  });

  it("exposes the rooms of a socket as a live Set", async () => {
    await using running = await host.start();
    const [{ socket }] = await three(running);
    assert.ok(socket.rooms instanceof Set);
    await socket.join(["r1", "r2"]);
    assert.deepEqual([...socket.rooms], [socket.id, "r1", "r2"]);
    await socket.leave("r1");
    assert.deepEqual([...socket.rooms], [socket.id, "r2"]);
  });

  it("still has the rooms while disconnecting, and none after disconnect", async () => {
    await using running = await host.start();
    const { io } = running;
    const [{ client, socket }] = await three(running);
    await socket.join("room");
    const during = new Promise((resolve) => socket.on("disconnecting", () => resolve([...socket.rooms])));
    const after = next(socket, "disconnect");
    client.disconnect();
    assert.deepEqual(await during, [socket.id, "room"]);
    await after;
    assert.deepEqual([...socket.rooms], []);
    assert.equal(io.sockets.adapter.rooms.has("room"), false);
    assert.equal(io.sockets.adapter.rooms.has(socket.id), false);
    assert.equal(io.sockets.adapter.sids.has(socket.id), false);
  });

  it("ignores a join after the disconnection", async () => {
    await using running = await host.start();
    const { io } = running;
    const [{ client, socket }] = await three(running);
    const gone = next(socket, "disconnect");
    client.disconnect();
    await gone;
    await socket.join("room");
    assert.equal(io.sockets.adapter.rooms.has("room"), false);
  });

  it("leaves every room with leaveAll()", async () => {
    await using running = await host.start();
    const { io } = running;
    const [a, b, c] = await three(running);
    await a.socket.join("room");
    internals(a.socket).leaveAll();
    io.to("room").emit("ev", 1);
    assert.deepEqual([...a.socket.rooms], []);
    assert.deepEqual(await heardBy(b, c), [[], []]);
    assert.deepEqual(a.heard, []);
  });

  it("emits the adapter's events for rooms and members", async () => {
    await using running = await host.start();
    const { io } = running;
    const [{ socket }] = await three(running);
    const seen: unknown[][] = [];
    for (const event of ["create-room", "join-room", "leave-room", "delete-room"]) {
      io.sockets.adapter.on(event, (...args: unknown[]) => seen.push([event, ...args]));
    }
    await socket.join("room");
    await socket.join("room");
    await socket.leave("room");
    assert.deepEqual(seen, [
      ["create-room", "room"],
      ["join-room", "room", socket.id],
      ["leave-room", "room", socket.id],
      ["delete-room", "room"],
    ]);
  });

  it("keeps the rooms of namespaces apart", async () => {
    await using running = await host.start();
    const one = await pair(running, {}, "/one");
    const two = await pair(running, {}, "/two");
    await one.socket.join("room");
    await two.socket.join("room");
    const heard: string[] = [];
    one.client.on("ev", () => heard.push("one"));
    two.client.on("ev", () => heard.push("two"));
    running.io.of("/one").to("room").emit("ev");
    await settled(one.client, one.socket);
    await settled(two.client, two.socket);
    assert.deepEqual(heard, ["one"]);
  });

  it("returns operators that can be kept and do not affect each other", async () => {
    await using running = await host.start();
    const { io } = running;
    const [a, b, c] = await three(running);
    await a.socket.join("r1");
    await b.socket.join("r2");
    const first = io.to("r1");
    const both = first.to("r2");
    const none = both.except("r1").except("r2");
    first.emit("ev", 1);
    both.emit("ev", 2);
    none.emit("ev", 3);
    assert.deepEqual(await heardBy(a, b, c), [[1, 2], [2], []]);
  });
});
