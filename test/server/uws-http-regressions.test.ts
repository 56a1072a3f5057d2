// Bugs of the official server on uWebSockets.js over HTTP, as tests of the correct behaviour.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import type { ServerResponse } from "node:http";
import { createServer as createSecureServer } from "node:https";
import { fileURLToPath } from "node:url";
import * as uWS from "uWebSockets.js";
import { NetworkClient } from "../support/wire/network-client.ts";

import { connected, pair, settled } from "../support/server/clients.ts";
import { serverHosts, serverHostsAndApp } from "../support/server/hosts.ts";
import { serve, serveApp } from "../support/server/serve.ts";
import { next } from "../support/waiting/events.ts";
import { onEveryHost } from "../support/hosts/on-every-host.ts";
import { socketio } from "../support/server/socketio.ts";
import type { Socket } from "../support/server/socketio.ts";
import { rawPair } from "../support/server/wires.ts";
import type { StartedServer } from "../support/server/started-server.ts";

const tls = {
  cert: new URL("../support/tls/cert.pem", import.meta.url),
  key: new URL("../support/tls/key.pem", import.meta.url),
};

type LateResponse = ServerResponse & { _implicitHeader(): void; _header: unknown };

/** Wraps a response as express-session does with on-headers. */
function addHeaderLate(_req: unknown, res: LateResponse, done: () => void): void {
  const writeHead = res.writeHead.bind(res) as (...args: unknown[]) => LateResponse;
  const end = res.end.bind(res) as (...args: unknown[]) => LateResponse;
  res.writeHead = function (this: LateResponse, ...args: unknown[]) {
    if (!this.getHeader("x-late")) this.setHeader("x-late", "1");
    return writeHead(...args);
  };
  res.end = function (this: LateResponse, ...args: unknown[]) {
    if (!this._header) this._implicitHeader();
    return end(...args);
  };
  done();
}

async function secureNode(): Promise<StartedServer> {
  const server = createSecureServer({ cert: readFileSync(tls.cert), key: readFileSync(tls.key) });
  return await serve(new socketio.Server(server), server, "https");
}

async function secureUws(): Promise<StartedServer> {
  const app = uWS.SSLApp({ cert_file_name: fileURLToPath(tls.cert), key_file_name: fileURLToPath(tls.key) });
  const io = new socketio.Server();
  io.attachApp(app);
  return serveApp(io, app, "https");
}

onEveryHost("attachApp() over HTTP, where the official server has bugs", serverHostsAndApp, (host) => {
  it("accepts a chunked POST", async () => {
    await using running = await host.start();
    const { client, socket } = await pair(running, { transports: ["polling"] });
    const heard = next(socket, "chunked");
    const body = new ReadableStream({
      start(stream) {
        for (const part of ['42["chu', 'nked"]']) stream.enqueue(new TextEncoder().encode(part));
        stream.close();
      },
    });
    const url = `${running.url}/socket.io/?EIO=4&transport=polling&sid=${client.io.engine.id}`;
    const answer = await fetch(url, { method: "POST", body, duplex: "half" } as RequestInit);
    assert.equal(answer.status, 200);
    await heard;
  });

  it("keeps the session after an oversized POST", async () => {
    await using running = await host.start({ maxHttpBufferSize: 1_000 });
    const { client, socket } = await pair(running, { transports: ["polling"] });
    using wire = new NetworkClient(running.port);
    const path = `/socket.io/?EIO=4&transport=polling&sid=${client.io.engine.id}`;
    const answer = await wire.post(path, `42["ev","${"x".repeat(2_000)}"]`);
    assert.equal(answer.status, 413);
    await settled(client, socket);
  });

  it("keeps the query in handshake.url", async () => {
    for (const transports of [["polling"], ["websocket"]] as ("polling" | "websocket")[][]) {
      await using running = await host.start();
      const { socket } = await pair(running, { transports, query: { x: "1" } });
      assert.equal(new URL(socket.handshake.url, "http://h").searchParams.get("x"), "1");
      assert.equal(new URL(String(socket.request.url), "http://h").searchParams.get("x"), "1");
    }
  });

  it("has socket.request.socket", async () => {
    await using running = await host.start();
    const { socket } = await pair(running);
    assert.match(String(socket.request.socket.remoteAddress), /127\.0\.0\.1$/);
  });

  it("has io.httpServer", async () => {
    await using running = await host.start();
    const { io } = running;
    for (const method of ["address", "close", "on"] as const)
      assert.equal(typeof io.httpServer[method], "function");
  });

  for (const transport of ["polling", "websocket"] as const) {
    it(`sends headers that a middleware adds just before the response, over ${transport}`, async () => {
      await using running = await host.start();
      running.io.engine.use(addHeaderLate);
      using wire = new NetworkClient(running.port);
      const path = `/socket.io/?EIO=4&transport=${transport}`;
      const { headers } = transport === "polling" ? await wire.get(path) : await wire.websocket(path);
      assert.equal(headers["x-late"], "1");
      await connected(running.client({ transports: [transport] }));
    });
  }

  it("serves the client bundle compressed and with CORS headers", async () => {
    await using running = await host.start({ cors: { origin: "http://app.test" } });
    using wire = new NetworkClient(running.port);
    const { headers } = await wire.get("/socket.io/socket.io.js", { headers: { "accept-encoding": "br" } });
    assert.equal(headers["content-encoding"], "br");
    assert.equal(headers["access-control-allow-origin"], "http://app.test");
  });

  it("compresses a long text response to a poll", async () => {
    await using running = await host.start();
    const url = `${running.url}/socket.io/?EIO=4&transport=polling`;
    const { sid } = JSON.parse((await (await fetch(url)).text()).slice(1)) as { sid: string };
    const connection = next<[Socket]>(running.io, "connection");
    await fetch(`${url}&sid=${sid}`, { method: "POST", body: "40" });
    const [socket] = await connection;
    await (await fetch(`${url}&sid=${sid}`)).text();
    socket.emit("long", "x".repeat(10_000));
    const answer = await fetch(`${url}&sid=${sid}`, { headers: { "accept-encoding": "gzip" } });
    assert.equal(answer.headers.get("content-encoding"), "gzip");
    assert.equal((await answer.text()).length, '42["long",""]'.length + 10_000);
  });

  it("emits initial_headers and headers for WebSocket", async () => {
    await using running = await host.start();
    running.io.engine.on(
      "initial_headers",
      (headers: Record<string, string>) => (headers["x-initial"] = "1"),
    );
    running.io.engine.on("headers", (headers: Record<string, string>) => (headers["x-each"] = "2"));
    const { wire } = await rawPair(running);
    assert.equal(wire.headers["x-initial"], "1");
    assert.equal(wire.headers["x-each"], "2");
  });
});

describe("handshake.secure over TLS", () => {
  const starts = {
    "node:https": secureNode,
    ...(serverHosts.length === 1 && serverHosts[0]?.name === "node" ? {} : { "uWS.SSLApp": secureUws }),
  };
  for (const [name, start] of Object.entries(starts)) {
    for (const transport of ["polling", "websocket"] as const) {
      it(`is true on ${name} over ${transport}`, async () => {
        await using running = await start();
        const { socket } = await pair(running, { transports: [transport], rejectUnauthorized: false });
        assert.equal(socket.handshake.secure, true);
      });
    }
  }
});
