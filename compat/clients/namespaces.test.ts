import assert from "node:assert/strict";
import { next } from "../../test/support/waiting/events.ts";
import type { StartedServer } from "../../test/support/server/started-server.ts";
import type { Socket } from "../../test/support/server/socketio.ts";
import type { Client } from "./client.ts";
import { onEveryClient, type OpenOptions, type Setting } from "./setting.ts";

interface Both {
  clients: [Client, Client];
  sockets: [Socket, Socket];
}

/** One connection with a client in /a and another in /b. */
async function joinBoth(setting: Setting, server: StartedServer, options?: OpenOptions): Promise<Both> {
  const connections = ["/a", "/b"].map((name) => next<[Socket]>(server.io.of(name), "connection"));
  const [a, b] = setting.openAll(server.url, ["/a", "/b"], options) as [Client, Client];
  await Promise.all([setting.connected(a), setting.connected(b)]);
  const [[one], [other]] = (await Promise.all(connections)) as [[Socket], [Socket]];
  return { clients: [a, b], sockets: [one, other] };
}

onEveryClient("namespaces", {}, (setting) => {
  it("share one connection", async () => {
    const server = await setting.start();
    const { clients, sockets } = await joinBoth(setting, server);
    assert.equal(server.io.engine.clientsCount, 1);
    assert.equal(sockets[0].conn, sockets[1].conn);
    assert.notEqual(sockets[0].id, sockets[1].id);
    assert.deepEqual(
      clients.map(({ id }) => id),
      sockets.map(({ id }) => id),
    );
  });

  it("receive only their own events", async () => {
    const server = await setting.start();
    const { clients, sockets } = await joinBoth(setting, server);
    const heard: string[] = [];
    sockets[0].on("event", (text: string) => heard.push(`server a ${text}`));
    sockets[1].on("event", (text: string) => heard.push(`server b ${text}`));
    clients[0].on("event", (text: string) => heard.push(`client a ${text}`));
    clients[1].on("event", (text: string) => heard.push(`client b ${text}`));
    clients[0].emit("event", "to a");
    clients[1].emit("event", "to b");
    sockets[0].nsp.emit("event", "from a");
    sockets[1].emit("event", "from b");
    const ends = [
      next(sockets[0], "end"),
      next(sockets[1], "end"),
      next(clients[0], "end"),
      next(clients[1], "end"),
    ];
    for (const side of [...clients, ...sockets]) side.emit("end");
    await Promise.all(ends);
    assert.deepEqual(heard.sort(), ["client a from a", "client b from b", "server a to a", "server b to b"]);
  });

  it("each receive the credentials", async () => {
    const server = await setting.start();
    const names = new Map<string, unknown>();
    for (const name of ["/a", "/b"]) {
      server.io.of(name).use((socket, proceed) => {
        names.set(name, setting.credentialsOf(socket)["name"]);
        proceed();
      });
    }
    await joinBoth(setting, server, { credentials: { name: "kim" } });
    assert.deepEqual(Object.fromEntries(names), { "/a": "kim", "/b": "kim" });
  });

  it("can be left one at a time", async () => {
    const server = await setting.start();
    const { clients, sockets } = await joinBoth(setting, server);
    const left = next(sockets[0], "disconnect");
    clients[0].close();
    assert.equal((await left)[0], "client namespace disconnect");
    const heard = next(clients[1], "still");
    sockets[1].emit("still", "here");
    assert.deepEqual(await heard, ["here"]);
    assert.equal(clients[0].connected, false);
  });

  it("can be disconnected by the server one at a time", async () => {
    const server = await setting.start();
    const { clients, sockets } = await joinBoth(setting, server);
    const gone = next(clients[0], "disconnect");
    sockets[0].disconnect();
    assert.equal((await gone)[0], "io server disconnect");
    const heard = next(sockets[1], "still");
    clients[1].emit("still", "here");
    assert.deepEqual(await heard, ["here"]);
  });

  it("can be rejoined over the same connection", async () => {
    const server = await setting.start();
    const { clients, sockets } = await joinBoth(setting, server);
    const left = next(sockets[0], "disconnect");
    clients[0].close();
    await left;
    const connection = next<[Socket]>(server.io.of("/a"), "connection");
    clients[0].open();
    const [[socket]] = await Promise.all([connection, setting.connected(clients[0])]);
    assert.equal(socket.conn, sockets[1].conn);
  });
});
