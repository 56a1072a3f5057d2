import assert from "node:assert/strict";
import { next } from "../../test/support/waiting/events.ts";
import type { Namespace } from "../../test/support/server/socketio.ts";
import type { Client } from "./client.ts";
import { onEveryClient, type Joined, type Listening, type Setting } from "./setting.ts";
import { versions } from "./versions.ts";

/** Three clients, each on its final transport. */
async function joinThree(setting: Setting, server: Listening): Promise<[Joined, Joined, Joined]> {
  const join = (): Promise<Joined> => setting.joinFully(server);
  return [await join(), await join(), await join()];
}

/**
 * The indexes of the clients that receive `event`, found with a second event that all of them receive after it.
 *
 * @param from - the server of what is sent
 */
async function hearers(
  joined: readonly Joined[],
  event: string,
  from: Pick<Namespace, "emit">,
  send: () => void,
): Promise<number[]> {
  const heard: number[] = [];
  const all = joined.map(({ client }, number) => {
    client.once(event, () => heard.push(number));
    return next(client, "everyone");
  });
  send();
  from.emit("everyone");
  await Promise.all(all);
  return heard.sort((one, other) => one - other);
}

onEveryClient("broadcasts and rooms", {}, (setting) => {
  it("reach every client", async () => {
    const server = await setting.start();
    const all = await joinThree(setting, server);
    assert.deepEqual(await hearers(all, "news", server.io, () => server.io.emit("news")), [0, 1, 2]);
  });

  it("skip the sender", async () => {
    const server = await setting.start();
    const all = await joinThree(setting, server);
    assert.deepEqual(
      await hearers(all, "news", all[1].socket.nsp, () => all[1].socket.broadcast.emit("news")),
      [0, 2],
    );
  });

  it("reach a room, but not a client that left it", async () => {
    const server = await setting.start();
    const all = await joinThree(setting, server);
    for (const { socket } of all) await socket.join("room");
    await all[0].socket.leave("room");
    assert.deepEqual(await hearers(all, "news", server.io, () => server.io.to("room").emit("news")), [1, 2]);
    assert.deepEqual(
      await hearers(all, "news", all[1].socket.nsp, () => all[1].socket.to("room").emit("news")),
      [2],
    );
  });

  it("skip a room", async () => {
    const server = await setting.start();
    const all = await joinThree(setting, server);
    await all[2].socket.join("quiet");
    assert.deepEqual(
      await hearers(all, "news", server.io, () => server.io.except("quiet").emit("news")),
      [0, 1],
    );
  });

  it("reach a client of several rooms once", async () => {
    const server = await setting.start();
    const all = await joinThree(setting, server);
    await all[0].socket.join(["a", "b"]);
    await all[1].socket.join("b");
    let times = 0;
    all[0].client.on("news", () => times++);
    assert.deepEqual(
      await hearers(all, "news", server.io, () => server.io.to(["a", "b"]).emit("news")),
      [0, 1],
    );
    assert.equal(times, 1);
  });

  it("reach one client by its id", async () => {
    const server = await setting.start();
    const all = await joinThree(setting, server);
    assert.deepEqual(
      await hearers(all, "news", server.io, () => server.io.to(all[2].client.id).emit("news")),
      [2],
    );
  });

  it("stay in order with direct events", async () => {
    const server = await setting.start();
    const { client, socket } = await setting.joinFully(server);
    const heard: unknown[] = [];
    client.on("item", (item: unknown) => heard.push(item));
    const end = next(client, "end");
    for (let index = 0; index < 60; index += 3) {
      socket.emit("item", index);
      socket.nsp.emit("item", index + 1);
      socket.nsp.to(socket.id).emit("item", index + 2);
    }
    socket.emit("end");
    await end;
    assert.deepEqual(
      heard,
      Array.from({ length: 60 }, (_, index) => index),
    );
  });

  it("disconnect all clients of a room", async () => {
    const server = await setting.start();
    const all = await joinThree(setting, server);
    await all[0].socket.join("out");
    await all[1].socket.join("out");
    const gone = all.slice(0, 2).map(({ client }) => next(client, "disconnect"));
    server.io.in("out").disconnectSockets();
    assert.deepEqual(
      (await Promise.all(gone)).map(([reason]) => reason),
      ["io server disconnect", "io server disconnect"],
    );
    assert.equal(all[2].client.connected, true);
  });

  it("reach a writable client even if volatile", async () => {
    const server = await setting.start();
    const { client, socket } = await setting.joinFully(server);
    while (!socket.conn.transport.writable) await new Promise(setImmediate);
    const heard = next(client, "tick");
    server.io.volatile.emit("tick", 1);
    assert.deepEqual(await heard, [1]);
  });

  setting.itWith("volatile", "deliver a client's volatile events while it is connected", async () => {
    const server = await setting.start();
    const { client, socket } = await setting.joinFully(server);
    const seen: unknown[] = [];
    socket.on("tick", (number: unknown) => seen.push(number));
    // the client drops volatile events while a long-polling request is pending; one of many arrives
    const ticks = setInterval(() => client.volatile.emit("tick", 1), 1);
    try {
      await next(socket, "tick");
    } finally {
      clearInterval(ticks);
    }
    assert.ok(seen.length > 0);
  });

  setting.itWith("volatile", "drop a client's volatile events while it is not connected", async () => {
    const server = await setting.start();
    const connection = next<[NodeJS.EventEmitter]>(server.io, "connection");
    const seen: unknown[] = [];
    const client = setting.open(server.url, { autoConnect: false });
    client.volatile.emit("event", "lost");
    client.emit("event", "kept");
    client.open();
    const [socket] = await connection;
    socket.on("event", (text: unknown) => seen.push(text));
    await next(socket, "event");
    assert.deepEqual(seen, ["kept"]);
  });
});

onEveryClient("clients of all versions", { plain: true }, (setting) => {
  it("receive the same broadcast", async () => {
    const server = await setting.start({ allowEIO3: true });
    const own = await setting.joinFully(server);
    const clients: Client[] = [own.client];
    for (const version of versions) clients.push((await setting.as(version).joinFully(server)).client);
    const heard = clients.map((client) => next(client, "news"));
    const news = ["é 😀", { nested: [1, null] }];
    server.io.emit("news", ...news);
    assert.deepEqual(
      await Promise.all(heard),
      clients.map(() => news),
    );
  });
});
