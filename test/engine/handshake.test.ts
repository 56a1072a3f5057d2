import assert from "node:assert/strict";
import { onEveryHost } from "../support/hosts/on-every-host.ts";
import { engineHosts } from "../support/engine/hosts.ts";
import { openWebSocket, PollingPeer } from "../support/engine/peers.ts";

const SID = /^[A-Za-z0-9_-]{20}$/;

function openPacket(sid: string, upgrades: string[]): string {
  const list = JSON.stringify(upgrades);
  return `0{"sid":"${sid}","upgrades":${list},"pingInterval":25000,"pingTimeout":20000,"maxPayload":1000000}`;
}

onEveryHost("engine: handshake", engineHosts, (host) => {
  host.it("answers a first poll with the open packet and nothing else", async () => {
    await using server = await host.start();
    const response = await server.client.get(server.path("transport=polling"));
    const session = await server.nextSession();
    assert.equal(response.status, 200);
    assert.equal(response.body, openPacket(session.id, ["websocket"]));
  });

  host.it("sends the headers of a polling response", async () => {
    await using server = await host.start();
    const { headers, raw } = await server.client.get(server.path("transport=polling"));
    assert.equal(headers["content-type"], "text/plain; charset=UTF-8");
    assert.equal(headers["cache-control"], "no-store");
    assert.equal(headers["content-length"], String(raw.length));
    assert.equal(headers["set-cookie"], undefined);
    assert.equal(headers["access-control-allow-origin"], undefined);
  });

  host.it("opens a WebSocket with the open packet, which offers no upgrade", async () => {
    await using server = await host.start();
    const socket = await server.client.websocket(server.path("transport=websocket"));
    const session = await server.nextSession();
    assert.equal(await socket.next(), openPacket(session.id, []));
  });

  host.it("gives every session its own id, of 20 URL-safe characters", async () => {
    await using server = await host.start();
    const ids = new Set<string>();
    for (let round = 0; round < 20; round++) {
      const { sid } =
        round % 2 === 0 ? await PollingPeer.open(server) : (await openWebSocket(server)).handshake;
      assert.match(sid, SID);
      ids.add(sid);
    }
    assert.equal(ids.size, 20);
    assert.deepEqual(new Set(Object.keys(server.engine.clients)), ids);
    assert.equal(server.engine.clientsCount, 20);
  });

  host.it("hands over a session that is open and knows its request", async () => {
    await using server = await host.start();
    const { session, sid } = await PollingPeer.open(server, { headers: { "x-test": "1" } });
    assert.equal(session.id, sid);
    assert.equal(session.readyState, "open");
    assert.equal(session.protocol, 4);
    assert.equal(session.transport.name, "polling");
    assert.equal(session.upgraded, false);
    assert.equal(session.request.method, "GET");
    assert.equal(session.request.url, server.path("transport=polling"));
    assert.equal(session.request.headers["x-test"], "1");
    assert.deepEqual({ ...session.request._query }, { EIO: "4", transport: "polling" });
    assert.equal(server.engine.clients[sid], session);
  });

  host.it("hands over a WebSocket session that is open and knows its request", async () => {
    await using server = await host.start();
    const { session } = await openWebSocket(server, { headers: { "x-test": "2" } });
    assert.equal(session.readyState, "open");
    assert.equal(session.transport.name, "websocket");
    assert.equal(session.request.url, server.path("transport=websocket"));
    assert.equal(session.request.headers["x-test"], "2");
    assert.deepEqual({ ...session.request._query }, { EIO: "4", transport: "websocket" });
  });

  host.it("knows the address of the client", { needs: "tcp" }, async () => {
    await using server = await host.start();
    const { session } = await PollingPeer.open(server);
    const other = await openWebSocket(server);
    assert.match(session.remoteAddress, /^(::ffff:)?127\.0\.0\.1$/);
    assert.equal(other.session.remoteAddress, session.remoteAddress);
  });

  host.it("decodes the query", async () => {
    await using server = await host.start();
    const path = server.path("transport=polling&a=%C3%A9+b&c=&__proto__=x");
    await server.client.get(path);
    const { request } = await server.nextSession();
    assert.equal(request._query["a"], "é b");
    assert.equal(request._query["c"], "");
  });

  host.it("ignores the cache buster that browsers add", async () => {
    await using server = await host.start();
    const response = await server.client.get(server.path("transport=polling&t=Q83YZZt"));
    assert.equal(response.status, 200);
  });

  host.it("sends messages of the connection listener right after the open packet", async () => {
    await using server = await host.start();
    server.engine.on("connection", (session: { send(data: string): void }) => {
      session.send("one");
      session.send("two");
    });
    const peer = await PollingPeer.open(server);
    assert.deepEqual(await peer.pollPackets(2), ["4one", "4two"]);
    const { socket } = await openWebSocket(server);
    assert.deepEqual(await socket.take(2), ["4one", "4two"]);
  });
});
