import assert from "node:assert/strict";
import { onEveryHost } from "../support/hosts/on-every-host.ts";
import { engineHosts } from "../support/engine/hosts.ts";
import { PollingPeer } from "../support/engine/peers.ts";

const ORIGIN = "https://app.example";
const headers = { origin: ORIGIN };
const cors = { origin: ORIGIN, credentials: true };

onEveryHost("engine: CORS", engineHosts, (host) => {
  host.it("adds its headers to the handshake, to polls and to POSTs", async () => {
    await using server = await host.start({ cors });
    const open = await server.client.get(server.path("transport=polling"), { headers });
    const { id } = await server.nextSession();
    const path = server.path(`transport=polling&sid=${id}`);
    const post = await server.client.post(path, "4x", { headers });
    server.engine.clients[id]?.send("y");
    const poll = await server.client.get(path, { headers });
    for (const response of [open, post, poll]) {
      assert.equal(response.status, 200);
      assert.equal(response.headers["access-control-allow-origin"], ORIGIN);
      assert.equal(response.headers["access-control-allow-credentials"], "true");
      assert.equal(response.headers["vary"], "Origin");
    }
  });

  host.it("answers a preflight with 204", async () => {
    await using server = await host.start({ cors });
    const response = await server.client.options(server.path("transport=polling"), {
      headers: {
        ...headers,
        "access-control-request-method": "POST",
        "access-control-request-headers": "content-type,x-token",
      },
    });
    assert.equal(response.status, 204);
    assert.equal(response.body, "");
    assert.equal(response.headers["access-control-allow-origin"], ORIGIN);
    assert.equal(response.headers["access-control-allow-credentials"], "true");
    assert.equal(response.headers["access-control-allow-methods"], "GET,HEAD,PUT,PATCH,POST,DELETE");
    assert.equal(response.headers["access-control-allow-headers"], "content-type,x-token");
    assert.equal(response.headers["vary"], "Origin, Access-Control-Request-Headers");
    assert.deepEqual(server.errors, []);
  });

  host.it("answers a preflight for a session with 204", async () => {
    await using server = await host.start({ cors });
    const peer = await PollingPeer.open(server);
    assert.equal((await server.client.options(peer.path, { headers })).status, 204);
    assert.equal(peer.session.readyState, "open");
  });

  host.it("adds its headers to errors", async () => {
    const allowRequest = (_req: unknown, callback: (message: null, ok: boolean) => void): void =>
      callback(null, false);
    await using server = await host.start({ cors, allowRequest });
    const unknown = await server.client.get(server.path("transport=polling&sid=x"), { headers });
    const refused = await server.client.get(server.path("transport=polling"), { headers });
    assert.equal(unknown.status, 400);
    assert.equal(refused.status, 403);
    assert.equal(unknown.headers["access-control-allow-origin"], ORIGIN);
    assert.equal(refused.headers["access-control-allow-origin"], ORIGIN);
    assert.equal(refused.headers["access-control-allow-credentials"], "true");
  });

  host.it("adds its headers to an accepted WebSocket", async () => {
    await using server = await host.start({ cors });
    const socket = await server.client.websocket(server.path("transport=websocket"), { headers });
    assert.equal(socket.headers["access-control-allow-origin"], ORIGIN);
  });

  for (const [what, origin, expected] of [
    ["true reflects the origin", true, ORIGIN],
    ["* allows any", "*", "*"],
    ["a list allows its members", ["https://x.example", ORIGIN], ORIGIN],
    ["a pattern allows what it matches", /\.example$/, ORIGIN],
    ["a list refuses others", ["https://x.example"], undefined],
  ] as const) {
    host.it(`origin: ${what}`, async () => {
      await using server = await host.start({ cors: { origin: origin as string } });
      const response = await server.client.get(server.path("transport=polling"), { headers });
      assert.equal(response.status, 200);
      assert.equal(response.headers["access-control-allow-origin"], expected);
      assert.equal(response.headers["access-control-allow-credentials"], undefined);
    });
  }

  host.it("exposes headers and takes methods as configured", async () => {
    const options = {
      origin: ORIGIN,
      methods: ["GET", "POST"],
      exposedHeaders: ["x-a", "x-b"],
      maxAge: 60,
    };
    await using server = await host.start({ cors: options });
    const get = await server.client.get(server.path("transport=polling"), { headers });
    assert.equal(get.headers["access-control-expose-headers"], "x-a,x-b");
    const preflight = await server.client.options(server.path("transport=polling"), { headers });
    assert.equal(preflight.headers["access-control-allow-methods"], "GET,POST");
    assert.equal(preflight.headers["access-control-max-age"], "60");
  });

  host.it("takes a function that gives the options for each request", async () => {
    const delegate = (req: unknown, callback: (error: Error | null, options: object) => void): void => {
      const trusted = (req as { headers: Record<string, string> }).headers["x-trusted"] === "1";
      setImmediate(callback, null, trusted ? { origin: true, credentials: true } : { origin: false });
    };
    await using server = await host.start({ cors: delegate as never });
    const path = server.path("transport=polling");
    const trusted = await server.client.get(path, { headers: { ...headers, "x-trusted": "1" } });
    const stranger = await server.client.get(path, { headers });
    assert.equal(trusted.headers["access-control-allow-origin"], ORIGIN);
    assert.equal(trusted.headers["access-control-allow-credentials"], "true");
    assert.equal(stranger.status, 200);
    assert.equal(stranger.headers["access-control-allow-origin"], undefined);
  });

  host.it("takes a function that decides on each origin", async () => {
    const seen: unknown[] = [];
    const origin = (given: string | undefined, callback: (error: null, allow?: boolean) => void): void => {
      seen.push(given);
      setImmediate(callback, null, given === ORIGIN);
    };
    await using server = await host.start({ cors: { origin: origin as never } });
    const path = server.path("transport=polling");
    const good = await server.client.get(path, { headers });
    const bad = await server.client.get(path, { headers: { origin: "https://evil.example" } });
    const preflight = await server.client.options(path, { headers });
    assert.equal(good.headers["access-control-allow-origin"], ORIGIN);
    assert.equal(bad.headers["access-control-allow-origin"], undefined);
    assert.equal(preflight.headers["access-control-allow-origin"], ORIGIN);
    assert.deepEqual(seen, [ORIGIN, "https://evil.example", ORIGIN]);
  });

  host.it("refuses a request when the function for its origin fails", async () => {
    const origin = (_given: unknown, callback: (error: Error) => void): void =>
      callback(new Error("not known here"));
    await using server = await host.start({ cors: { origin: origin as never } });
    const response = await server.client.get(server.path("transport=polling"), { headers });
    assert.equal(`${response.status} ${response.body}`, '400 {"code":3,"message":"Bad request"}');
    assert.deepEqual((await server.nextError()).context, { name: "MIDDLEWARE_FAILURE" });
    const upgrade = await server.client.refused(server.path("transport=websocket"), { headers });
    assert.equal(upgrade.status, 400);
  });

  host.it("adds its headers to the errors of a session", async () => {
    await using server = await host.start({ cors, maxHttpBufferSize: 10 });
    const peer = await PollingPeer.open(server);
    const large = await peer.post(`4${"x".repeat(20)}`, { headers });
    const method = await server.client.request("PUT", peer.path, { headers });
    const { answer } = await peer.park({ headers });
    const overlap = await peer.get({ headers });
    const first = await answer;
    assert.deepEqual([large.status, method.status, overlap.status, first.status], [413, 500, 400, 200]);
    for (const response of [large, method, overlap, first]) {
      assert.equal(response.headers["access-control-allow-origin"], ORIGIN);
    }
  });
  host.it("adds its headers to a refused WebSocket", async () => {
    await using server = await host.start({ cors });
    const response = await server.client.refused(server.path("transport=none"), { headers });
    assert.equal(`${response.status} ${response.body}`, "400 Transport unknown");
    assert.equal(response.headers["access-control-allow-origin"], ORIGIN);
  });

  host.it("answers a preflight with the configured status, or leaves it to be refused", async () => {
    await using server = await host.start({ cors: { ...cors, optionsSuccessStatus: 200 } });
    assert.equal((await server.client.options(server.path("transport=polling"), { headers })).status, 200);
    await using other = await host.start({ cors: { ...cors, preflightContinue: true } });
    const response = await other.client.options(other.path("transport=polling"), { headers });
    assert.equal(`${response.status} ${response.body}`, '400 {"code":2,"message":"Bad handshake method"}');
    assert.equal(response.headers["access-control-allow-origin"], ORIGIN);
  });

  host.it("compresses answers as well", async () => {
    await using server = await host.start({ cors });
    const peer = await PollingPeer.open(server);
    peer.session.send("x".repeat(2000));
    const response = await peer.get({ headers: { ...headers, "accept-encoding": "gzip" } });
    assert.equal(response.headers["content-encoding"], "gzip");
    assert.equal(response.headers["access-control-allow-origin"], ORIGIN);
  });

  host.it("without the option, adds nothing and refuses a preflight", async () => {
    await using server = await host.start();
    const get = await server.client.get(server.path("transport=polling"), { headers });
    assert.equal(get.headers["access-control-allow-origin"], undefined);
    const preflight = await server.client.options(server.path("transport=polling"), { headers });
    assert.equal(`${preflight.status} ${preflight.body}`, '400 {"code":2,"message":"Bad handshake method"}');
  });
});
