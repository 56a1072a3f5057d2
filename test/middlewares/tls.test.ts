import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { createServer, request as httpsRequest } from "node:https";
import type { IncomingHttpHeaders } from "node:http";
import { fileURLToPath } from "node:url";
import session from "express-session";
import * as uWS from "uWebSockets.js";
import { WebSocket } from "ws";
import { cookieOf, install, use } from "../support/engine/middlewares.ts";
import { within } from "../support/waiting/queue.ts";
import { serve, serveApp } from "../support/server/serve.ts";
import { next } from "../support/waiting/events.ts";
import { socketio } from "../support/server/socketio.ts";

import type { StartedServer } from "../support/server/started-server.ts";

const cert = new URL("../support/tls/cert.pem", import.meta.url);
const key = new URL("../support/tls/key.pem", import.meta.url);

async function overHttps(): Promise<StartedServer> {
  const server = createServer({ cert: readFileSync(cert), key: readFileSync(key) });
  return await serve(new socketio.Server(server), server, "https");
}

async function overSslApp(): Promise<StartedServer> {
  const app = uWS.SSLApp({ cert_file_name: fileURLToPath(cert), key_file_name: fileURLToPath(key) });
  const io = new socketio.Server();
  io.attachApp(app);
  return serveApp(io, app, "https");
}

const path = "/socket.io/?EIO=4&transport=";

/** The headers of the response that opens a session. */
const ways: Record<string, (port: number) => Promise<IncomingHttpHeaders>> = {
  polling: (port) =>
    new Promise((resolve, reject) => {
      const options = {
        host: "127.0.0.1",
        port,
        path: `${path}polling`,
        rejectUnauthorized: false,
        agent: false,
      };
      const request = httpsRequest(options, (response) => {
        response.resume();
        resolve(response.headers);
      });
      request.on("error", reject);
      request.end();
    }),
  websocket: async (port) => {
    const socket = new WebSocket(`wss://127.0.0.1:${port}${path}websocket`, { rejectUnauthorized: false });
    const upgrade = next<[{ headers: IncomingHttpHeaders }]>(socket, "upgrade");
    const opened = next(socket, "open");
    const [{ headers }] = await upgrade;
    await opened;
    socket.terminate();
    return headers;
  },
};

for (const [name, start] of [
  ["https", overHttps],
  ["SSLApp", overSslApp],
] as const) {
  describe(`middlewares: over TLS [${name}]`, () => {
    for (const [way, open] of Object.entries(ways)) {
      it(`express-session sets a secure cookie, by ${way}`, async () => {
        await using running = await start();
        const { io, port } = running;
        let encrypted: unknown;
        use(io.engine, (req, _res, pass) => {
          ({ encrypted } = req.socket as { encrypted?: boolean });
          pass();
        });
        install(
          io.engine,
          session({ secret: "x", resave: false, saveUninitialized: true, cookie: { secure: true } }),
        );
        const headers = await within(open(port), "the handshake");
        assert.equal(encrypted, true);
        assert.ok(cookieOf(headers, "connect.sid"));
        assert.match(headers["set-cookie"]?.[0] ?? "", /; Secure$/);
      });
    }
  });
}
