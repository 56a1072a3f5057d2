import assert from "node:assert/strict";
import { next } from "../support/waiting/events.ts";
import { onEveryHost } from "../support/hosts/on-every-host.ts";
import { serverHosts } from "../support/server/hosts.ts";
import type { Socket } from "../support/server/socketio.ts";
import { onEveryTransport, pair } from "../support/server/clients.ts";

onEveryHost("handshake", serverHosts, (host) => {
  onEveryTransport((name, mode) => {
    it("has its nine fields", async () => {
      await using running = await host.start();
      const { socket } = await pair(running, mode);
      const fields = ["address", "auth", "headers", "issued", "query", "secure", "time", "url", "xdomain"];
      assert.deepEqual(Object.keys(socket.handshake).toSorted(), fields);
    });

    it("keeps the query in url, and parses it into query", async () => {
      await using running = await host.start();
      const { socket } = await pair(running, { ...mode, query: { token: "a b&c", x: "1" } });
      const { url, query } = socket.handshake;
      assert.match(url, /^\/socket\.io\/\?/);
      assert.equal(new URL(url, "http://h").searchParams.get("token"), "a b&c");
      assert.equal(query["token"], "a b&c");
      assert.equal(query["x"], "1");
      assert.equal(query["EIO"], "4");
      assert.equal(query["transport"], name === "websocket" ? "websocket" : "polling");
    });

    it("has the headers, in lower case", async () => {
      await using running = await host.start();
      const { socket } = await pair(running, {
        ...mode,
        extraHeaders: { "X-Mine": "yes", Cookie: "a=1; b=2" },
      });
      assert.equal(socket.handshake.headers["x-mine"], "yes");
      assert.equal(socket.handshake.headers.cookie, "a=1; b=2");
      assert.match(String(socket.handshake.headers.host), /^127\.0\.0\.1:\d+$/);
    });

    it("has the address of the client", async () => {
      await using running = await host.start();
      const { socket } = await pair(running, mode);
      assert.match(socket.handshake.address, /^(::ffff:)?127\.0\.0\.1$/);
      assert.equal(socket.conn.remoteAddress, socket.handshake.address);
    });
  });

  it("is not secure and not cross-domain for a plain client", async () => {
    await using running = await host.start();
    const { socket } = await pair(running);
    assert.equal(socket.handshake.secure, false);
    assert.equal(socket.handshake.xdomain, false);
  });

  it("is cross-domain when there is an Origin", async () => {
    await using running = await host.start();
    const { socket } = await pair(running, { extraHeaders: { Origin: "http://elsewhere.test" } });
    assert.equal(socket.handshake.xdomain, true);
    assert.equal(socket.handshake.headers.origin, "http://elsewhere.test");
  });

  it("has the time in two formats", async () => {
    const before = Date.now();
    await using running = await host.start();
    const { socket } = await pair(running);
    const { issued, time } = socket.handshake;
    assert.ok(issued >= before && issued <= Date.now());
    assert.equal(Math.floor(Date.parse(time) / 1_000), Math.floor(issued / 1_000));
  });

  it("has the time at which the socket joined, whenever it is first read", async () => {
    await using running = await host.start();
    const { socket } = await pair(running);
    const connectedAt = Date.now();
    while (Date.now() < connectedAt + 20) await new Promise(setImmediate);
    assert.ok(socket.handshake.issued <= connectedAt);
    assert.equal(socket.handshake, socket.handshake);
  });

  it("is complete when it is first read after the client has left", async () => {
    await using running = await host.start();
    const { client, socket } = await pair(running, { auth: { a: 1 }, query: { x: "1" } });
    const closed = next(socket.conn, "close");
    client.io.engine.close();
    await closed;
    const { address, auth, headers, query, url } = socket.handshake;
    assert.match(address, /127\.0\.0\.1$/);
    assert.match(String(headers.host), /^127\.0\.0\.1:\d+$/);
    assert.deepEqual(
      [auth, query["x"], new URL(url, "http://h").searchParams.get("x")],
      [{ a: 1 }, "1", "1"],
    );
  });

  it("is complete when it is first read after the application deleted the request", async () => {
    for (const take of [
      (conn: { request?: unknown }) => delete conn.request,
      (conn: { request?: unknown }) => (conn.request = null),
    ]) {
      await using running = await host.start();
      const { socket } = await pair(running, { query: { x: "1" } });
      take(socket.conn);
      assert.match(String(socket.handshake.headers.host), /^127\.0\.0\.1:\d+$/);
      assert.deepEqual([socket.handshake.query["x"], socket.handshake.secure], ["1", false]);
    }
  });

  it("has the auth that the client sent, the same object that the namespace function got", async () => {
    await using running = await host.start();
    let asked: unknown;
    running.io.of((_name, auth, done) => {
      asked = auth;
      auth["checked"] = true;
      done(null, true);
    });
    const arrival = new Promise<Socket>((resolve) => {
      running.io.on("new_namespace", (nsp) => nsp.on("connection", resolve));
    });
    running.client({ auth: { a: 1 } }, "/any");
    const socket = await arrival;
    assert.equal(socket.handshake.auth, asked);
    assert.deepEqual(socket.handshake.auth, { a: 1, checked: true });
  });

  it("is per namespace for auth, and shared for headers", async () => {
    await using running = await host.start();
    const { client, socket } = await pair(running, { auth: { a: 1 } });
    const connection = next<[Socket]>(running.io.of("/b"), "connection");
    client.io.socket("/b", { auth: { b: 2 } });
    const [other] = await connection;
    assert.deepEqual(other.handshake.auth, { b: 2 });
    assert.deepEqual(socket.handshake.auth, { a: 1 });
    assert.equal(other.handshake.headers, socket.handshake.headers);
  });

  it("is the request of the connection, with what middlewares added", async () => {
    await using running = await host.start();
    const { socket } = await pair(running, { query: { x: "1" } });
    const request = socket.request as typeof socket.request & { _query: Record<string, string> };
    assert.equal(request.method, "GET");
    assert.equal(request.url, socket.handshake.url);
    assert.equal(request.headers, socket.handshake.headers);
    assert.equal(request._query["x"], "1");
    assert.match(String(request.connection.remoteAddress), /127\.0\.0\.1$/);
    assert.match(String(request.socket.remoteAddress), /127\.0\.0\.1$/);
    assert.equal(socket.request, socket.client.request);
  });

  it("still has the request after the upgrade, and keeps what was set on it", async () => {
    await using running = await host.start();
    const { client, socket } = await pair(running);
    Object.assign(socket.request, { user: "ann" });
    if (client.io.engine.transport.name !== "websocket") await next(client.io.engine, "upgrade");
    assert.equal((socket.request as unknown as { user: string }).user, "ann");
  });
});

onEveryHost("socket.data", serverHosts, (host) => {
  it("starts empty, for the application to use", async () => {
    await using running = await host.start();
    const { socket } = await pair(running);
    assert.equal(Object.keys(socket.data).length, 0);
    socket.data.name = "ann";
    assert.equal(socket.data.name, "ann");
    socket.data = { other: true };
    assert.deepEqual(socket.data, { other: true });
    socket.data = null;
    assert.equal(socket.data, null);
    socket.data = undefined;
    assert.equal(socket.data, undefined);
  });

  it("belongs to one socket", async () => {
    await using running = await host.start();
    const [a, b] = [await pair(running), await pair(running)];
    a.socket.data.x = 1;
    assert.deepEqual(b.socket.data, {});
  });

  it("survives the disconnection", async () => {
    await using running = await host.start();
    const { client, socket } = await pair(running);
    socket.data.x = 1;
    const gone = next(socket, "disconnect");
    client.disconnect();
    await gone;
    assert.deepEqual(socket.data, { x: 1 });
  });
});
