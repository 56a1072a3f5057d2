import assert from "node:assert/strict";
import { engineHosts } from "../support/engine/hosts.ts";
import type { EngineHost } from "../support/engine/hosts.ts";
import { onEveryHost } from "../support/hosts/on-every-host.ts";
import { PollingPeer, until } from "../support/engine/peers.ts";
import type { EngineOptions } from "../support/engine/types.ts";
import type { StartedEngine } from "../support/engine/started-engine.ts";
import type { WireResponse } from "../support/wire/client.ts";

interface Refusal {
  title: string;
  options?: EngineOptions;
  prepare?: (server: StartedEngine) => void;
  query: string;
  code: number;
  message: string;
  context: Record<string, unknown>;
}

async function assertEvent(server: StartedEngine, refusal: Refusal): Promise<void> {
  const { code, message, context, req } = await server.nextError();
  assert.equal(code, refusal.code);
  assert.equal(message, refusal.message);
  assert.deepEqual(context, refusal.context);
  assert.equal(req.url, `/engine.io/?${refusal.query}`);
  assert.equal(server.engine.clientsCount, 0);
  assert.deepEqual(server.errors, []);
}

function assertJson(response: WireResponse, status: number, body: string): void {
  assert.equal(response.status, status);
  assert.equal(response.headers["content-type"], "application/json");
  assert.equal(response.body, body);
}

function refusesRequest(host: EngineHost, method: string, refusal: Refusal): void {
  host.it(`answers a request with code ${refusal.code}: ${refusal.title}`, async () => {
    await using server = await host.start(refusal.options);
    refusal.prepare?.(server);
    const response = await server.client.request(method, `/engine.io/?${refusal.query}`);
    assertJson(response, 400, `{"code":${refusal.code},"message":"${refusal.message}"}`);
    await assertEvent(server, refusal);
  });
}

function refusesUpgrade(host: EngineHost, refusal: Refusal): void {
  host.it(`refuses a WebSocket with code ${refusal.code}: ${refusal.title}`, async () => {
    await using server = await host.start(refusal.options);
    refusal.prepare?.(server);
    const response = await server.client.refused(`/engine.io/?${refusal.query}`);
    assert.equal(response.status, 400);
    assert.equal(response.headers["content-type"], "text/html");
    if (host.gaps.tcp === undefined) {
      assert.equal(response.headers["content-length"], String(refusal.message.length));
    }
    assert.equal(response.body, refusal.message);
    await assertEvent(server, refusal);
  });
}

const failure = new Error("no more ids");

const UNKNOWN_TRANSPORT = { code: 0, message: "Transport unknown" };
const UNKNOWN_SID = { code: 1, message: "Session ID unknown" };
const BAD_METHOD = { code: 2, message: "Bad handshake method" };
const BAD_REQUEST = { code: 3, message: "Bad request" };
const UNSUPPORTED = { code: 5, message: "Unsupported protocol version", context: { protocol: 3 } };

function failIds({ engine }: StartedEngine): void {
  engine.generateId = () => {
    throw failure;
  };
}

function failMiddleware({ engine }: StartedEngine): void {
  engine.use((_req, _res, next) => next(new Error("no")));
}

onEveryHost("engine: errors", engineHosts, (host) => {
  const both: Refusal[] = [
    {
      title: "no such transport",
      query: "EIO=4&transport=tcp",
      ...UNKNOWN_TRANSPORT,
      context: { transport: "tcp" },
    },
    {
      title: "an inherited name",
      query: "EIO=4&transport=constructor",
      ...UNKNOWN_TRANSPORT,
      context: { transport: "constructor" },
    },
    {
      title: "no transport at all",
      query: "EIO=4",
      ...UNKNOWN_TRANSPORT,
      context: { transport: undefined },
    },
    {
      title: "WebTransport by HTTP",
      options: { transports: ["polling", "websocket", "webtransport"] },
      query: "EIO=4&transport=webtransport",
      ...UNKNOWN_TRANSPORT,
      context: { transport: "webtransport" },
    },
  ];
  for (const refusal of both) {
    refusesRequest(host, "GET", refusal);
    refusesUpgrade(host, refusal);
  }
  for (const sid of ["abc", "__proto__", "constructor"]) {
    refusesRequest(host, "GET", {
      title: `the sid ${sid}`,
      query: `EIO=4&transport=polling&sid=${sid}`,
      ...UNKNOWN_SID,
      context: { sid },
    });
    refusesRequest(host, "POST", {
      title: `POST, the sid ${sid}`,
      query: `EIO=4&transport=polling&sid=${sid}`,
      ...UNKNOWN_SID,
      context: { sid },
    });
    refusesUpgrade(host, {
      title: `the sid ${sid}`,
      query: `EIO=4&transport=websocket&sid=${sid}`,
      ...UNKNOWN_SID,
      context: { sid },
    });
  }
  for (const method of ["POST", "PUT", "DELETE", "OPTIONS"]) {
    refusesRequest(host, method, {
      title: `${method} without a sid`,
      query: "EIO=4&transport=polling",
      ...BAD_METHOD,
      context: { method },
    });
  }
  refusesRequest(host, "GET", {
    title: "a WebSocket handshake that is no upgrade",
    query: "EIO=4&transport=websocket",
    ...BAD_REQUEST,
    context: { name: "TRANSPORT_HANDSHAKE_ERROR" },
  });
  const ids = {
    title: "an id that cannot be made",
    prepare: failIds,
    ...BAD_REQUEST,
    context: { name: "ID_GENERATION_ERROR", error: failure },
  };
  refusesRequest(host, "GET", { ...ids, query: "EIO=4&transport=polling" });
  refusesUpgrade(host, { ...ids, query: "EIO=4&transport=websocket" });
  const middleware = {
    title: "a middleware that fails",
    prepare: failMiddleware,
    ...BAD_REQUEST,
    context: { name: "MIDDLEWARE_FAILURE" },
  };
  refusesRequest(host, "GET", { ...middleware, query: "EIO=4&transport=polling" });
  refusesUpgrade(host, { ...middleware, query: "EIO=4&transport=websocket" });
  for (const version of ["EIO=3&", "EIO=5&", ""]) {
    const title = `a client that says ${JSON.stringify(version)}`;
    refusesRequest(host, "GET", { title, query: `${version}transport=polling`, ...UNSUPPORTED });
    refusesUpgrade(host, { title, query: `${version}transport=websocket`, ...UNSUPPORTED });
  }

  host.it("refuses long-polling for a session on a WebSocket", async () => {
    await using server = await host.start();
    const peer = await PollingPeer.open(server);
    const socket = await peer.probe();
    socket.sendText("5");
    await until(() => peer.session.upgraded, "the upgrade");
    assertJson(await peer.get(), 400, '{"code":3,"message":"Bad request"}');
    const { code, context } = await server.nextError();
    assert.equal(code, 3);
    assert.deepEqual(context, {
      name: "TRANSPORT_MISMATCH",
      transport: "polling",
      previousTransport: "websocket",
    });
  });

  host.it("refuses a request whose protocol version differs from the session's", async () => {
    await using server = await host.start();
    const peer = await PollingPeer.open(server);
    const path = peer.path.replace("EIO=4", "EIO=3");
    assertJson(await server.client.get(path), 400, '{"code":3,"message":"Bad request"}');
    const { code, context } = await server.nextError();
    assert.equal(code, 3);
    assert.deepEqual(context, { name: "PROTOCOL_MISMATCH", protocol: 3, previousProtocol: 4 });
    peer.session.send("x");
    assert.equal(await peer.poll(), "4x");
  });

  host.it("refuses an upgrade whose protocol version differs from the session's", async () => {
    await using server = await host.start();
    const peer = await PollingPeer.open(server);
    const response = await server.client.refused(peer.websocketPath.replace("EIO=4", "EIO=3"));
    assert.equal(`${response.status} ${response.body}`, "400 Bad request");
    assert.deepEqual((await server.nextError()).context, {
      name: "PROTOCOL_MISMATCH",
      protocol: 3,
      previousProtocol: 4,
    });
  });

  host.it("emits nothing for successful requests", async () => {
    await using server = await host.start();
    const peer = await PollingPeer.open(server);
    const socket = await peer.probe();
    socket.sendText("5");
    await until(() => peer.session.upgraded, "the upgrade");
    socket.close();
    await server.closed(peer.session);
    assert.deepEqual(server.errors, []);
  });

  host.it("has the table of codes on the class", () => {
    return host.start().then(async (server) => {
      const { errors, errorMessages } = server.engine.constructor as unknown as Record<string, object>;
      await server.close();
      assert.deepEqual(errors, {
        UNKNOWN_TRANSPORT: 0,
        UNKNOWN_SID: 1,
        BAD_HANDSHAKE_METHOD: 2,
        BAD_REQUEST: 3,
        FORBIDDEN: 4,
        UNSUPPORTED_PROTOCOL_VERSION: 5,
      });
      assert.deepEqual(errorMessages, {
        0: "Transport unknown",
        1: "Session ID unknown",
        2: "Bad handshake method",
        3: "Bad request",
        4: "Forbidden",
        5: "Unsupported protocol version",
      });
    });
  });
});
