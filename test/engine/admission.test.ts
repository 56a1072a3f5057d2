import assert from "node:assert/strict";
import type { EngineOptions } from "../support/engine/types.ts";
import { onEveryHost } from "../support/hosts/on-every-host.ts";
import { engineHosts } from "../support/engine/hosts.ts";
import { openWebSocket, PollingPeer } from "../support/engine/peers.ts";

type AllowRequest = NonNullable<EngineOptions["allowRequest"]>;

const later = (action: () => void): void => void setTimeout(action, 10);

const accepting: [string, AllowRequest][] = [
  ["at once", (_req, callback) => callback(null, true)],
  ["later", (_req, callback) => later(() => callback(null, true))],
];

const refusing: [string, string, AllowRequest][] = [
  ["at once, without a message", "Forbidden", (_req, callback) => callback(null, false)],
  ["later, without a message", "Forbidden", (_req, callback) => later(() => callback(undefined, false))],
  ["at once, with a message", "not you", (_req, callback) => callback("not you", false)],
  ["later, with a message", "not you", (_req, callback) => later(() => callback("not you", false))],
];

/** What an application may give by mistake: the body of a plain request as officially, and that of an upgrade. */
const otherMessages: [what: string, message: unknown, body: string, text: string][] = [
  ["an error", new Error("not you"), "{}", "not you"],
  ["a number", 4001, "4001", "4001"],
  ["an object", { reason: "not you" }, '{"reason":"not you"}', '{"reason":"not you"}'],
];

onEveryHost("engine: allowRequest and generateId", engineHosts, (host) => {
  for (const [when, allowRequest] of accepting) {
    host.it(`accepts a client ${when}`, async () => {
      await using server = await host.start({ allowRequest });
      const peer = await PollingPeer.open(server);
      peer.session.send("in");
      assert.equal(await peer.poll(), "4in");
      const { socket, session } = await openWebSocket(server);
      session.send("in");
      assert.equal(await socket.next(), "4in");
    });
  }

  for (const [how, message, allowRequest] of refusing) {
    host.it(`answers 403 when it refuses ${how}`, async () => {
      await using server = await host.start({ allowRequest });
      const response = await server.client.get(server.path("transport=polling"));
      assert.equal(response.status, 403);
      assert.equal(response.headers["content-type"], "application/json");
      assert.equal(response.body, `{"code":4,"message":"${message}"}`);
      const error = await server.nextError();
      assert.equal(error.code, 4);
      assert.equal(error.message, "Forbidden");
      assert.deepEqual(Object.keys(error.context ?? {}), ["message"]);
      assert.equal(error.context?.["message"] ?? "Forbidden", message);
    });

    host.it(`refuses a WebSocket with 400 when it refuses ${how}`, async () => {
      await using server = await host.start({ allowRequest });
      const response = await server.client.refused(server.path("transport=websocket"));
      assert.equal(response.status, 400);
      assert.equal(response.headers["content-type"], "text/html");
      assert.equal(response.body, message);
      assert.equal((await server.nextError()).code, 4);
    });
  }

  host.it("counts the bytes of a message beyond ASCII", async () => {
    const allowRequest: AllowRequest = (_req, callback) => callback("dürfen nicht", false);
    await using server = await host.start({ allowRequest });
    const response = await server.client.refused(server.path("transport=websocket"));
    assert.equal(response.body, "dürfen nicht");
    if (host.gaps.tcp === undefined) {
      assert.equal(response.headers["content-length"], "13");
    }
    const other = await server.client.get(server.path("transport=polling"));
    assert.equal(other.body, '{"code":4,"message":"dürfen nicht"}');
  });

  for (const [what, message, body, text] of otherMessages) {
    host.it(`refuses with ${what} in place of a message`, async () => {
      const allowRequest: AllowRequest = (_req, callback) => callback(message as string, false);
      await using server = await host.start({ allowRequest });
      const response = await server.client.get(server.path("transport=polling"));
      assert.deepEqual([response.status, response.body], [403, `{"code":4,"message":${body}}`]);
      const refused = await server.client.refused(server.path("transport=websocket"));
      assert.deepEqual([refused.status, refused.body], [400, text]);
      assert.equal((await server.nextError()).context?.["message"], message);
    });
  }

  host.it("passes the request to allowRequest", async () => {
    const seen: unknown[] = [];
    const allowRequest: AllowRequest = (req, callback) => {
      const { _query: query } = req as unknown as { _query: Record<string, string> };
      later(() => {
        seen.push(req.method, req.url, req.headers["x-test"], query["token"]);
        callback(null, true);
      });
    };
    await using server = await host.start({ allowRequest });
    const path = server.path("transport=polling&token=t");
    await PollingPeer.open(server);
    await server.client.get(path, { headers: { "x-test": "1" } });
    assert.deepEqual(seen.slice(4), ["GET", path, "1", "t"]);
  });

  host.it("calls allowRequest for the handshake only", async () => {
    let asked = 0;
    const allowRequest: AllowRequest = (_req, callback) => {
      asked++;
      callback(null, true);
    };
    await using server = await host.start({ allowRequest });
    const peer = await PollingPeer.open(server);
    await peer.send("4x");
    peer.session.send("y");
    await peer.poll();
    await peer.probe();
    assert.equal(asked, 1);
  });

  for (const [when, make] of [
    ["at once", () => "chosen-id"],
    ["later", () => new Promise<string>((resolve) => later(() => resolve("chosen-id")))],
  ] as const) {
    host.it(`uses the id that generateId returns ${when}`, async () => {
      await using server = await host.start();
      server.engine.generateId = make;
      const peer = await PollingPeer.open(server);
      assert.equal(peer.sid, "chosen-id");
      assert.equal(peer.session.id, "chosen-id");
      peer.session.send("x");
      assert.equal(await peer.poll(), "4x");
      peer.session.close(true);
      await server.closed(peer.session);
      assert.equal((await openWebSocket(server)).handshake.sid, "chosen-id");
    });
  }

  host.it("passes the request to generateId", async () => {
    await using server = await host.start();
    server.engine.generateId = (req) => `id-${String(req.headers["x-test"])}`;
    const peer = await PollingPeer.open(server, { headers: { "x-test": "7" } });
    assert.equal(peer.sid, "id-7");
  });

  host.it("answers code 3 when generateId rejects", async () => {
    await using server = await host.start();
    const failure = new Error("no more ids");
    server.engine.generateId = () => Promise.reject(failure);
    const response = await server.client.get(server.path("transport=polling"));
    assert.equal(`${response.status} ${response.body}`, '400 {"code":3,"message":"Bad request"}');
    assert.deepEqual((await server.nextError()).context, { name: "ID_GENERATION_ERROR", error: failure });
  });
});
