import assert from "node:assert/strict";
import { createServer } from "node:http";
import { next } from "../../test/support/waiting/events.ts";
import { Queue } from "../../test/support/waiting/queue.ts";
import { listen } from "../support/after-test.ts";
import type { Server, Socket } from "../../test/support/server/socketio.ts";
import { cuttableProxy } from "../../test/support/proxies/tcp.ts";
import { RestartableServer } from "../support/restartable.ts";
import type { Client } from "./client.ts";
import { onEveryClient, type Setting } from "./setting.ts";

/** Short delays, which keep the tests fast. */
const soon = { reconnection: true, reconnectionDelay: 20, reconnectionDelayMax: 60 };

/** Starts a server that can restart on its port. */
function startRestartable(setting: Setting, prepare?: (io: Server) => void): Promise<RestartableServer> {
  const server = setting.serverOptions();
  return RestartableServer.start(setting.cell.host, prepare === undefined ? { server } : { server, prepare });
}

onEveryClient("reconnection", {}, (setting) => {
  it("succeeds after the server restarts", async () => {
    const server = await startRestartable(setting);
    const { client, socket } = await setting.joinFully(server, soon);
    const gone = next(client, "disconnect");
    await server.stop();
    assert.match(String((await gone)[0]), /^transport (close|error)$/);
    const back = next(client.io, "reconnect");
    const connected = next(client, "connect");
    await server.start();
    await Promise.all([back, connected]);
    assert.notEqual(client.id, socket.id);
    assert.equal(server.socket(client.id).id, client.id);
  });

  it("sends the events emitted in the meantime, in order", async () => {
    const heard = new Queue<string>("an event");
    // the client may be back before the server has started as a whole
    const server = await startRestartable(setting, (io) =>
      io.on("connection", (socket) => void socket.on("meanwhile", (text: string) => heard.push(text))),
    );
    const { client } = await setting.joinFully(server, soon);
    const gone = next(client, "disconnect");
    await server.stop();
    await gone;
    for (const text of ["one", "two", "three"]) client.emit("meanwhile", text);
    await server.start();
    assert.deepEqual(await heard.take(3), ["one", "two", "three"]);
  });

  it("follows a TCP reset", async () => {
    const server = await setting.start();
    using proxy = await cuttableProxy(server.port);
    const through = { io: server.io, url: `http://127.0.0.1:${proxy.port}` };
    const first = await setting.joinFully(through, soon);
    while (!first.socket.conn.transport.writable) await new Promise(setImmediate);
    const connection = next<[Socket]>(server.io, "connection");
    const connected = next(first.client, "connect");
    proxy.reset();
    const [[socket]] = await Promise.all([connection, connected]);
    assert.equal(first.client.id, socket.id);
    const heard = next(first.client, "hello");
    socket.emit("hello", "again");
    assert.deepEqual(await heard, ["again"]);
  });

  it("follows a close by the server's engine", async () => {
    const server = await setting.start();
    const { client, socket } = await setting.joinFully(server, soon);
    const connected = next(client, "connect");
    socket.conn.close();
    await connected;
    assert.notEqual(client.id, socket.id);
  });

  it("rejoins every namespace", async () => {
    const server = await setting.start();
    const first = ["/a", "/b"].map((name) => next<[Socket]>(server.io.of(name), "connection"));
    const clients = setting.openAll(server.url, ["/a", "/b"], soon) as [Client, Client];
    await Promise.all(clients.map((client) => setting.connected(client)));
    const [[socket]] = (await Promise.all(first)) as [[Socket], [Socket]];
    await setting.onLastTransport(socket);
    const again = ["/a", "/b"].map((name) => next<[Socket]>(server.io.of(name), "connection"));
    const connected = clients.map((client) => next(client, "connect"));
    socket.conn.close();
    await Promise.all([...again, ...connected]);
    assert.equal(server.io.engine.clientsCount, 1);
  });

  it("does not follow a disconnect by the server", async () => {
    const server = await setting.start();
    const { client, socket } = await setting.joinFully(server, soon);
    let attempts = 0;
    client.io.on("reconnect_attempt", () => attempts++);
    const gone = next(client, "disconnect");
    const closed = next(client.io.engine, "close");
    socket.disconnect();
    await Promise.all([gone, closed]);
    client.open();
    await setting.connected(client);
    assert.equal(attempts, 0);
  });

  it("stops after reconnectionAttempts attempts", async () => {
    const http = createServer();
    const port = await listen(http);
    await new Promise((resolve) => http.close(resolve));
    const client = setting.open(`http://127.0.0.1:${port}`, {
      ...soon,
      reconnectionAttempts: 2,
      autoConnect: false,
    });
    const attempts: number[] = [];
    client.io.on("reconnect_attempt", (attempt: number) => attempts.push(attempt));
    const failed = next(client.io, "reconnect_failed");
    client.open();
    await failed;
    assert.deepEqual(attempts, [1, 2]);
  });
});
