import assert from "node:assert/strict";
import { once } from "node:events";
import { createServer, request } from "node:http";
import type { IncomingMessage } from "node:http";

import { Server } from "@tidewire/engine";
import { serve } from "../support/engine/serve.ts";
import { onEveryHost } from "../support/hosts/on-every-host.ts";
import { engineHosts } from "../support/engine/hosts.ts";
import { PollingPeer } from "../support/engine/peers.ts";
import { Queue, within } from "../support/waiting/queue.ts";
import { RawWebSocket } from "../support/wire/raw-websocket.ts";

const spellings: Readonly<Record<string, Record<string, string>>> = {
  // As `curl --http2` and the HttpClient of Java send.
  h2c: {
    connection: "Upgrade, HTTP2-Settings",
    upgrade: "h2c",
    "http2-settings": "AAMAAABkAAQAoAAAAAIAAAAA",
  },
  // Of a proxy that puts it into every request.
  websocket: { connection: "Upgrade", upgrade: "websocket" },
};

onEveryHost(
  "engine: a request with an Upgrade header that is no WebSocket handshake",
  engineHosts,
  (host) => {
    for (const [name, headers] of Object.entries(spellings)) {
      host.it(`opens a session, with Upgrade: ${name}`, { needs: "tcp" }, async () => {
        await using server = await host.start();
        const { status, body } = await server.client.get(server.path("transport=polling"), { headers });
        assert.equal(status, 200);
        assert.match(body, /^0\{"sid":/);
      });

      host.it(`polls and posts, with Upgrade: ${name}`, { needs: "tcp" }, async () => {
        await using server = await host.start();
        const peer = await PollingPeer.open(server);
        const messages = new Queue<string>("a message");
        peer.session.on("message", (data: string) => messages.push(data));
        const posted = await server.client.post(peer.path, "4grüß dich", { headers });
        assert.deepEqual([posted.status, posted.body], [200, "ok"]);
        assert.equal(await messages.next(), "grüß dich");
        peer.session.send("hello");
        const polled = await server.client.get(peer.path, { headers });
        assert.deepEqual([polled.status, polled.body], [200, "4hello"]);
      });
    }

    host.it("gets a JSON error: it is not a WebSocket", { needs: "tcp" }, async () => {
      await using server = await host.start();
      const headers = spellings["websocket"]!;
      const { status, body } = await server.client.get(server.path("transport=websocket"), { headers });
      assert.equal(status, 400);
      assert.deepEqual(JSON.parse(body), { code: 3, message: "Bad request" });
      assert.deepEqual((await server.nextError()).context, { name: "TRANSPORT_HANDSHAKE_ERROR" });
    });
  },
);

/** What a proxy may leave of a handshake. */
const incomplete: Readonly<Record<string, Record<string, string>>> = {
  "no Upgrade header": { connection: "Upgrade" },
  "no Connection header": { upgrade: "websocket" },
  "a Connection header that names something else": {
    connection: "keep-alive, upgraded",
    upgrade: "websocket",
  },
};

for (const [missing, others] of Object.entries(incomplete))
  onEveryHost(`engine: a request with a Sec-WebSocket-Key, but ${missing}`, engineHosts, (host) => {
    const key = { "sec-websocket-key": "dGhlIHNhbXBsZSBub25jZQ==", "sec-websocket-version": "13" };
    const headers = { ...key, ...others };

    host.it("opens a session on long-polling, and polls", { needs: "tcp" }, async () => {
      await using server = await host.start();
      const peer = await PollingPeer.open(server, { headers });
      assert.equal((peer.session.request as { upgrade?: boolean }).upgrade, false);
      peer.session.send("hello");
      const polled = await peer.get({ headers });
      assert.deepEqual([polled.status, polled.body], [200, "4hello"]);
    });

    host.it("is no WebSocket", { needs: "tcp" }, async () => {
      await using server = await host.start();
      const { status, body } = await server.client.get(server.path("transport=websocket"), { headers });
      assert.equal(status, 400);
      assert.deepEqual(JSON.parse(body), { code: 3, message: "Bad request" });
    });
  });

onEveryHost("engine: a WebSocket handshake", engineHosts, (host) => {
  for (const connection of ["upgrade", "keep-alive, Upgrade", "Upgrade,keep-alive"])
    host.it(`is one with Connection: ${connection}`, { needs: "tcp" }, async () => {
      await using server = await host.start();
      using socket = await RawWebSocket.connect(server.port, server.path("transport=websocket"), {
        headers: { connection },
      });
      assert.match((await socket.next()) as string, /^0\{"sid":/);
    });
});

describe("engine: a request with an Upgrade header for another path of a node:http server", () => {
  it("goes to the application's listeners if it offers h2c and no other listener handles upgrades", async () => {
    const engine = new Server();
    const httpServer = createServer((incoming, response) => response.end(`own ${incoming.url}`));
    engine.attach(httpServer);
    await using server = await serve(engine, httpServer);
    const { port } = server;
    const headers = spellings["h2c"]!;
    const asked = request({ port, host: "127.0.0.1", path: "/other", headers }).end();
    const [answer] = (await within(once(asked, "response"), "the answer")) as [IncomingMessage];
    assert.equal((await answer.toArray()).join(""), "own /other");

    httpServer.on("upgrade", (_request, socket) => socket.end("HTTP/1.1 204 No Content\r\n\r\n"));
    const other = request({ port, host: "127.0.0.1", path: "/other", headers }).end();
    const [theirs] = (await within(once(other, "response"), "the answer")) as [IncomingMessage];
    assert.equal(theirs.statusCode, 204);
  });
});
