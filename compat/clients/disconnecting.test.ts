import assert from "node:assert/strict";
import { next } from "../../test/support/waiting/events.ts";
import { cuttableProxy } from "../../test/support/proxies/tcp.ts";
import { broken, impatient } from "./broken.ts";
import type { Client } from "./client.ts";
import { onEveryClient, type Joined } from "./setting.ts";
import { front } from "../support/workers.ts";

/** Resolves with the reasons of the next disconnect on both sides. */
async function reasons({ client, socket }: Joined): Promise<{ client: unknown; server: unknown }> {
  const [[atClient], [atServer]] = await Promise.all([
    next(client, "disconnect"),
    next(socket, "disconnect"),
  ]);
  return { client: atClient, server: atServer };
}

const isBehindProxy = front !== undefined && front !== "port";

onEveryClient("disconnection", {}, (setting) => {
  it("by the client", async () => {
    const server = await setting.start();
    const joined = await setting.joinFully(server);
    const heard = reasons(joined);
    joined.client.close();
    assert.deepEqual(await heard, {
      client: "io client disconnect",
      server: "client namespace disconnect",
    });
  });

  it("by the client before the upgrade is complete", async () => {
    const server = await setting.start();
    const joined = await setting.join(server);
    const heard = reasons(joined);
    joined.client.close();
    assert.deepEqual(await heard, {
      client: "io client disconnect",
      server: "client namespace disconnect",
    });
  });

  it("by the server, from the namespace", async () => {
    const server = await setting.start();
    const joined = await setting.joinFully(server);
    const heard = reasons(joined);
    joined.socket.disconnect();
    assert.deepEqual(await heard, {
      client: "io server disconnect",
      server: "server namespace disconnect",
    });
  });

  it("by the server, including the connection", async () => {
    const server = await setting.start();
    const joined = await setting.joinFully(server);
    const heard = reasons(joined);
    const closed = next(joined.socket.conn, "close");
    joined.socket.disconnect(true);
    assert.deepEqual(await heard, {
      client: "io server disconnect",
      server: "server namespace disconnect",
    });
    await closed;
  });

  it("arrives after everything that was sent before it", async () => {
    const server = await setting.start();
    const { client, socket } = await setting.joinFully(server);
    const seen: unknown[] = [];
    client.on("number", (number: unknown) => seen.push(number));
    const gone = next(client, "disconnect");
    for (let number = 0; number < 20; number++) socket.emit("number", number);
    socket.disconnect();
    await gone;
    assert.deepEqual(
      seen,
      Array.from({ length: 20 }, (_, number) => number),
    );
  });

  it("by closing the server", async () => {
    const server = await setting.start();
    const joined = await setting.joinFully(server);
    const heard = reasons(joined);
    await server.io.close();
    const { client, server: atServer } = await heard;
    assert.equal(atServer, "server shutting down");
    // workers that close together have each other's polls answered first, and the next poll may still bring a close packet
    if (front === undefined) assert.equal(client, broken[setting.transport]);
    else assert.match(String(client), /^transport (close|error)$/);
  });

  it("by the client's engine", async () => {
    const server = await setting.start();
    const joined = await setting.joinFully(server);
    const heard = reasons(joined);
    joined.client.io.engine.close();
    assert.deepEqual(await heard, { client: "forced close", server: "transport close" });
  });

  it("by the server's engine", async () => {
    const server = await setting.start();
    const joined = await setting.joinFully(server);
    const heard = reasons(joined);
    joined.socket.conn.close();
    assert.deepEqual(await heard, { client: "transport close", server: "forced close" });
  });

  it("by a TCP reset", async () => {
    const server = await setting.start();
    using proxy = await cuttableProxy(server.port);
    const joined = await setting.joinFully({ io: server.io, url: `http://127.0.0.1:${proxy.port}` });
    while (!joined.socket.conn.transport.writable) await new Promise(setImmediate);
    const heard = reasons(joined);
    proxy.reset();
    const { client, server: atServer } = await heard;
    assert.equal(client, broken[setting.transport]);
    // While a proxy tells the server in order, or not at all, the client closes the session over another connection.
    if (isBehindProxy && setting.transport === "polling")
      assert.match(String(atServer), /^transport (close|error)$/);
    else assert.equal(atServer, broken[setting.transport]);
  });

  it("by a ping timeout", async () => {
    const server = await setting.start(impatient);
    using proxy = await cuttableProxy(server.port);
    const joined = await setting.joinFully({ io: server.io, url: `http://127.0.0.1:${proxy.port}` });
    const heard = reasons(joined);
    proxy.freeze();
    assert.deepEqual(await heard, { client: "ping timeout", server: "ping timeout" });
  });

  it("is reported in every namespace of the connection", async () => {
    const server = await setting.start();
    const connections = ["/a", "/b"].map((name) => next(server.io.of(name), "connection"));
    const clients = setting.openAll(server.url, ["/a", "/b"]) as [Client, Client];
    await Promise.all(clients.map((client) => setting.connected(client)));
    const sockets = (await Promise.all(connections)).map(([socket]) => socket);
    const heard = [...clients, ...sockets].map((side) => next(side, "disconnect"));
    clients[0].io.engine.close();
    assert.deepEqual(
      (await Promise.all(heard)).map(([reason]) => reason),
      ["forced close", "forced close", "transport close", "transport close"],
    );
  });
});
