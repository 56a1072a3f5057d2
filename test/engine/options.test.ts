import assert from "node:assert/strict";
import { gunzipSync } from "node:zlib";
import type { IncomingMessage } from "node:http";
import { onEveryHost } from "../support/hosts/on-every-host.ts";
import { engineHosts } from "../support/engine/hosts.ts";
import { openWebSocket, packetsOf, PollingPeer } from "../support/engine/peers.ts";

onEveryHost("engine: options", engineHosts, (host) => {
  host.it("sends pingInterval, pingTimeout and maxHttpBufferSize to the client", async () => {
    await using server = await host.start({ pingInterval: 1234, pingTimeout: 567, maxHttpBufferSize: 89 });
    const { handshake } = await PollingPeer.open(server);
    const { sid, ...rest } = handshake;
    assert.equal(typeof sid, "string");
    assert.deepEqual(rest, {
      upgrades: ["websocket"],
      pingInterval: 1234,
      pingTimeout: 567,
      maxPayload: 89,
    });
  });

  host.it("offers no upgrade when allowUpgrades is false", async () => {
    await using server = await host.start({ allowUpgrades: false });
    assert.deepEqual((await PollingPeer.open(server)).handshake.upgrades, []);
  });

  host.it("offers no upgrade to a transport that is not among the transports", async () => {
    await using server = await host.start({ transports: ["polling"] });
    assert.deepEqual((await PollingPeer.open(server)).handshake.upgrades, []);
    const response = await server.client.refused(server.path("transport=websocket"));
    assert.equal(response.status, 400);
    assert.match(response.body, /Transport unknown/);
    assert.equal((await server.nextError()).code, 0);
  });

  host.it("refuses long-polling when only WebSocket is among the transports", async () => {
    await using server = await host.start({ transports: ["websocket"] });
    const response = await server.client.get(server.path("transport=polling"));
    assert.equal(response.body, '{"code":0,"message":"Transport unknown"}');
    const { handshake } = await openWebSocket(server);
    assert.deepEqual(handshake.upgrades, []);
  });

  for (const path of ["/custom", "/custom/", "/deep/er"]) {
    host.it(`serves the path ${path}`, async () => {
      await using server = await host.start({ path });
      const peer = await PollingPeer.open(server);
      const socket = await peer.probe();
      socket.sendText("5");
      peer.session.send("x");
      assert.equal(await socket.next(), "4x");
    });
  }

  host.it("leaves requests outside its path alone", { needs: "tcp" }, async () => {
    await using server = await host.start();
    for (const path of ["/", "/engine.io?EIO=4&transport=polling", "/other/?EIO=4&transport=polling"]) {
      const response = await server.client.get(path);
      assert.ok(response.status >= 400, path);
      assert.notEqual(response.headers["content-type"], "application/json");
    }
    assert.equal(server.engine.clientsCount, 0);
    assert.deepEqual(server.errors, []);
  });

  host.it("sets no cookie by default", async () => {
    await using server = await host.start();
    const response = await server.client.get(server.path("transport=polling"));
    assert.equal(response.headers["set-cookie"], undefined);
  });

  host.it("sets the cookie io with cookie: true, in the handshake of long-polling only", async () => {
    await using server = await host.start({ cookie: true });
    const response = await server.client.get(server.path("transport=polling"));
    const session = await server.nextSession();
    assert.deepEqual(response.headers["set-cookie"], [`io=${session.id}; Path=/; HttpOnly; SameSite=Lax`]);
    session.send("x");
    const next = await server.client.get(server.path(`transport=polling&sid=${session.id}`));
    assert.equal(next.headers["set-cookie"], undefined);
    const { socket } = await openWebSocket(server);
    assert.equal(socket.headers["set-cookie"], undefined);
  });

  host.it("sets the configured cookie", async () => {
    const cookie = { name: "sid", path: "/app", httpOnly: false, sameSite: "strict", maxAge: 60 } as const;
    await using server = await host.start({ cookie });
    const response = await server.client.get(server.path("transport=polling"));
    const { id } = await server.nextSession();
    assert.deepEqual(response.headers["set-cookie"], [`sid=${id}; Max-Age=60; Path=/app; SameSite=Strict`]);
  });

  host.it("sends initialPacket after the open packet", async () => {
    await using server = await host.start({ initialPacket: "welcome" });
    const response = await server.client.get(server.path("transport=polling"));
    const { id } = await server.nextSession();
    const packets = packetsOf(response.body);
    if (packets.length === 1) {
      const next = await server.client.get(server.path(`transport=polling&sid=${id}`));
      packets.push(...packetsOf(next.body));
    }
    assert.equal(packets[1], "4welcome");
    const { socket } = await openWebSocket(server);
    assert.equal(await socket.next(), "4welcome");
  });

  host.it("compresses a long poll response for clients that accept gzip", async () => {
    await using server = await host.start();
    const peer = await PollingPeer.open(server);
    peer.session.send("x".repeat(2_000));
    const response = await peer.get({ headers: { "accept-encoding": "gzip, deflate" } });
    assert.equal(response.headers["content-encoding"], "gzip");
    assert.equal(gunzipSync(response.raw).toString(), `4${"x".repeat(2_000)}`);
  });

  host.it("compresses no response that is short, unwanted, or sent with compress: false", async () => {
    await using server = await host.start();
    const peer = await PollingPeer.open(server);
    const headers = { "accept-encoding": "gzip" };
    peer.session.send("x".repeat(1_000));
    assert.equal((await peer.get({ headers })).headers["content-encoding"], undefined);
    peer.session.send("x".repeat(2_000));
    assert.equal((await peer.get()).headers["content-encoding"], undefined);
    peer.session.send("x".repeat(2_000), { compress: false });
    assert.equal((await peer.get({ headers })).headers["content-encoding"], undefined);
  });

  host.it("compresses nothing when httpCompression is false", async () => {
    await using server = await host.start({ httpCompression: false });
    const peer = await PollingPeer.open(server);
    peer.session.send("x".repeat(2_000));
    const response = await peer.get({ headers: { "accept-encoding": "gzip" } });
    assert.equal(response.body, `4${"x".repeat(2_000)}`);
  });

  host.it("lets listeners of initial_headers and headers add headers to long-polling", async () => {
    await using server = await host.start();
    server.engine.on("initial_headers", (headers: Record<string, string>, req: IncomingMessage) => {
      headers["x-initial"] = req.method ?? "";
    });
    server.engine.on("headers", (headers: Record<string, string>, req: IncomingMessage) => {
      headers["x-every"] = req.url ?? "";
    });
    const first = await server.client.get(server.path("transport=polling"));
    assert.equal(first.headers["x-initial"], "GET");
    assert.equal(first.headers["x-every"], server.path("transport=polling"));
    const { id } = await server.nextSession();
    const path = server.path(`transport=polling&sid=${id}`);
    const second = await server.client.post(path, "4x");
    assert.equal(second.headers["x-initial"], undefined);
    assert.equal(second.headers["x-every"], path);
  });

  host.it("lets listeners of initial_headers and headers add headers to a WebSocket", async () => {
    await using server = await host.start();
    server.engine.on("initial_headers", (headers: Record<string, string>) => {
      headers["x-initial"] = "1";
    });
    server.engine.on("headers", (headers: Record<string, string>) => {
      headers["x-every"] = "2";
    });
    const { socket } = await openWebSocket(server);
    assert.equal(socket.headers["x-initial"], "1");
    assert.equal(socket.headers["x-every"], "2");
    const peer = await PollingPeer.open(server);
    const upgrade = await peer.probe();
    assert.equal(upgrade.headers["x-initial"], undefined);
    assert.equal(upgrade.headers["x-every"], "2");
  });
});
