// The options of the engine, given to the server: each reaches it. What each does is tested in test/engine.
import assert from "node:assert/strict";
import { WebSocketServer } from "ws";
import { RawWebSocket } from "../support/wire/raw-websocket.ts";

import { connected, pair } from "../support/server/clients.ts";
import { next } from "../support/waiting/events.ts";
import { onEveryHost } from "../support/hosts/on-every-host.ts";
import { serverHosts } from "../support/server/hosts.ts";
import type { ServerOptions } from "../support/server/socketio.ts";
import { rawSession } from "../support/server/wires.ts";
import type { StartedServer } from "../support/server/started-server.ts";

const options: Partial<ServerOptions> = {
  pingTimeout: 1_001,
  pingInterval: 1_002,
  upgradeTimeout: 1_003,
  maxHttpBufferSize: 1_004,
  transports: ["websocket", "polling"],
  allowUpgrades: false,
  allowEIO3: true,
  initialPacket: "first",
};

async function poll({ url }: StartedServer, path = "/socket.io/", query = ""): Promise<Response> {
  return fetch(`${url}${path}?EIO=4&transport=polling${query}`);
}

onEveryHost("an option of the engine, given to the server,", serverHosts, (host) => {
  for (const [name, value] of Object.entries(options)) {
    it(`is in io.engine.opts.${name}`, async () => {
      await using running = await host.start({ [name]: value });
      const { io } = running;
      assert.deepEqual(Reflect.get(io.engine.opts, name), value);
    });
  }

  it("is sent to the client in the handshake", async () => {
    await using running = await host.start({ ...options, transports: ["polling"] });
    const text = await (await poll(running)).text();
    const [open, initial] = text.split("\x1e");
    const { sid, ...rest } = JSON.parse(String(open).slice(1)) as Record<string, unknown>;
    assert.match(String(sid), /^[\w-]{20}$/);
    assert.deepEqual(rest, {
      upgrades: [],
      pingInterval: 1_002,
      pingTimeout: 1_001,
      maxPayload: 1_004,
    });
    assert.equal(initial, "4first");
  });

  it("cookie: true sets a cookie named io, and an object configures it", async () => {
    await using withCookie = await host.start({ cookie: true });
    const plain = await poll(withCookie);
    assert.match(String(plain.headers.get("set-cookie")), /^io=[\w-]{20}; Path=\/; HttpOnly; SameSite=Lax$/);
    await using withOptions = await host.start({ cookie: { name: "sid", path: "/x", httpOnly: false } });
    const own = await poll(withOptions);
    assert.match(String(own.headers.get("set-cookie")), /^sid=[\w-]{20}; Path=\/x; SameSite=Lax$/);
    await using without = await host.start();
    assert.equal((await poll(without)).headers.get("set-cookie"), null);
  });

  it("cors lets pages of the origin read the responses", async () => {
    await using running = await host.start({ cors: { origin: "https://example.com", credentials: true } });
    const { headers } = await poll(running);
    assert.equal(headers.get("access-control-allow-origin"), "https://example.com");
    assert.equal(headers.get("access-control-allow-credentials"), "true");
    await using without = await host.start();
    assert.equal((await poll(without)).headers.get("access-control-allow-origin"), null);
  });

  it("transports refuses the others, with code 0", async () => {
    await using running = await host.start({ transports: ["websocket"] });
    const response = await poll(running);
    assert.deepEqual(
      [response.status, await response.json()],
      [400, { code: 0, message: "Transport unknown" }],
    );
    await connected(running.client({ transports: ["websocket"] }));
    const [error] = await next<[Error]>(running.client({ transports: ["polling"] }), "connect_error");
    assert.equal(error.message, "xhr poll error");
  });

  it("perMessageDeflate is negotiated when it is on, and not otherwise", async () => {
    for (const [perMessageDeflate, expected] of [
      [true, /permessage-deflate/],
      [false, /^undefined$/],
    ] as const) {
      await using running = await host.start({ perMessageDeflate });
      using wire = await RawWebSocket.connect(running.port, "/socket.io/?EIO=4&transport=websocket", {
        headers: { "Sec-WebSocket-Extensions": "permessage-deflate" },
      });
      assert.match(String(wire.headers["sec-websocket-extensions"]), expected);
    }
  });

  it("httpCompression compresses responses from its threshold on", async () => {
    await using running = await host.start({ httpCompression: { threshold: 10 } });
    const { headers } = await fetch(`${running.url}/socket.io/?EIO=4&transport=polling`, {
      headers: { "accept-encoding": "gzip" },
    });
    assert.equal(headers.get("content-encoding"), "gzip");
  });

  it("allowRequest decides on each handshake", async () => {
    await using running = await host.start({
      allowRequest: (req, callback) => callback(null, req.headers["x-token"] === "yes"),
    });
    await connected(running.client({ extraHeaders: { "x-token": "yes" } }));
    assert.equal((await poll(running)).status, 403);
  });

  it("addTrailingSlash: false serves the path as it is", async () => {
    await using running = await host.start({ addTrailingSlash: false });
    assert.equal((await poll(running, "/socket.io")).status, 200);
    await connected(running.client({ addTrailingSlash: false }));
  });

  it("wsEngine may be the class of ws", async () => {
    await using running = await host.start({ wsEngine: WebSocketServer });
    const { socket } = await pair(running, { transports: ["websocket"] });
    assert.equal(socket.conn.transport.name, "websocket");
  });

  it("initialPacket comes before any packet of Socket.IO", async () => {
    await using running = await host.start({ initialPacket: "first" });
    const wire = await rawSession(running);
    assert.equal(await wire.next(), "4first");
  });
});
