import assert from "node:assert/strict";
import { once } from "node:events";
import type { IncomingMessage } from "node:http";
import { createServer, request as httpsRequest } from "node:https";
import type { AddressInfo } from "node:net";
import { fileURLToPath } from "node:url";
import { Server } from "@tidewire/engine";
import type { AttachAppOptions, ServerOptions, Session, UwsApp } from "@tidewire/engine";
import * as uWS from "uWebSockets.js";
import { WebSocket } from "ws";
import { tls } from "../support/http2/peers.ts";
import { engineHosts } from "../support/engine/hosts.ts";
import { until } from "../support/engine/peers.ts";
import { needUws } from "../support/uws/absent.ts";
import { Queue, within } from "../support/waiting/queue.ts";

const POLLING = "/engine.io/?EIO=4&transport=polling";
const WEBSOCKET = "/engine.io/?EIO=4&transport=websocket";

interface Secure extends AsyncDisposable {
  engine: Server;
  port: number;
}

async function onNode(options: ServerOptions): Promise<Secure> {
  const http = createServer({ ...tls }, (_request, response) => response.writeHead(404).end());
  const engine = new Server(options).attach(http);
  await new Promise<void>((resolve) => http.listen(0, resolve));
  const dispose = async (): Promise<void> => {
    engine.close();
    const closed = new Promise((resolve) => http.close(resolve));
    http.closeAllConnections();
    await within(closed, "the server to close");
  };
  return { engine, port: (http.address() as AddressInfo).port, [Symbol.asyncDispose]: dispose };
}

function sslApp(): uWS.TemplatedApp {
  const path = (name: string): string =>
    fileURLToPath(new URL(`../support/tls/${name}.pem`, import.meta.url));
  return uWS.SSLApp({ cert_file_name: path("cert"), key_file_name: path("key") });
}

async function onUws(options: ServerOptions): Promise<Secure> {
  const app = sslApp();
  const engine = new Server(options).attachApp(app);
  return listenOn(app, engine);
}

async function listenOn(app: uWS.TemplatedApp, engine: Server): Promise<Secure> {
  const listening = await new Promise<unknown>((resolve) => app.listen(0, resolve));
  assert.ok(listening);
  const dispose = async (): Promise<void> => {
    engine.close();
    app.close();
    await Promise.resolve();
  };
  return { engine, port: uWS.us_socket_local_port(listening), [Symbol.asyncDispose]: dispose };
}

function request(port: number, method: string, path: string, body?: string): Promise<[number, string]> {
  return new Promise((resolve, reject) => {
    const headers = body === undefined ? {} : { "content-length": String(Buffer.byteLength(body)) };
    const sent = httpsRequest({ port, method, path, headers, ca: tls.cert, agent: false }, (response) => {
      let text = "";
      response.setEncoding("utf8").on("data", (chunk: string) => (text += chunk));
      response.once("end", () => resolve([response.statusCode ?? 0, text]));
    });
    sent.once("error", reject);
    sent.end(body);
  });
}

/** A WebSocket client; messages are read as text. */
async function connect(port: number, path: string): Promise<{ socket: WebSocket; messages: Queue<string> }> {
  const socket = new WebSocket(`wss://localhost:${port}${path}`, { ca: tls.cert });
  const messages = new Queue<string>("a WebSocket message");
  socket.on("message", (data: Buffer) => messages.push(data.toString()));
  await within(once(socket, "open"), "the WebSocket to open");
  return { socket, messages };
}

function nextSession(engine: Server): Promise<Session> {
  return within(once(engine, "connection") as Promise<[Session]>, "a session").then(([session]) => session);
}

function isEncrypted(session: Session): unknown {
  return (session.request as unknown as { connection: { encrypted?: boolean } }).connection.encrypted;
}

const names = engineHosts.map(({ name }) => name);

for (const { name, start } of [
  { name: "node", start: onNode },
  { name: "uws", start: onUws },
] as const) {
  if (!names.includes(name)) continue;
  describe(`TLS on ${name === "uws" ? "uWS.SSLApp" : "node:https"}`, () => {
    it("carries messages by long-polling", async () => {
      await using server = await start({});
      const opened = nextSession(server.engine);
      const [status, body] = await request(server.port, "GET", POLLING);
      assert.equal(status, 200);
      const session = await opened;
      assert.match(body, new RegExp(`^0\\{"sid":"${session.id}"`));
      assert.equal(isEncrypted(session), true);
      const path = `${POLLING}&sid=${session.id}`;
      const message = once(session, "message");
      assert.deepEqual(await request(server.port, "POST", path, "4hi"), [200, "ok"]);
      assert.deepEqual(await message, ["hi"]);
      session.send("there");
      assert.deepEqual(await request(server.port, "GET", path), [200, "4there"]);
    });

    it("serves a request with an Upgrade header that is no WebSocket handshake", async () => {
      await using server = await start({});
      const headers = { connection: "Upgrade", upgrade: "h2c" };
      const sent = httpsRequest({ port: server.port, path: POLLING, headers, ca: tls.cert, agent: false });
      const [response] = (await within(once(sent.end(), "response"), "the answer")) as [IncomingMessage];
      assert.equal(response.statusCode, 200);
      assert.match((await response.toArray()).join(""), /^0\{"sid":/);
    });

    it("carries messages over a WebSocket", async () => {
      await using server = await start({});
      const opened = nextSession(server.engine);
      const { socket, messages } = await connect(server.port, WEBSOCKET);
      const session = await opened;
      assert.match(await messages.next(), /^0\{"sid"/);
      assert.equal(isEncrypted(session), true);
      session.on("message", (data: string) => session.send(data));
      socket.send("4hi");
      assert.equal(await messages.next(), "4hi");
      socket.send(`4${"x".repeat(300_000)}`);
      assert.equal((await messages.next()).length, 300_001);
      const closed = once(session, "close");
      socket.close();
      assert.equal((await closed)[0], "transport close");
    });

    it("upgrades from polling", async () => {
      await using server = await start({});
      const opened = nextSession(server.engine);
      await request(server.port, "GET", POLLING);
      const session = await opened;
      const { socket, messages } = await connect(server.port, `${WEBSOCKET}&sid=${session.id}`);
      socket.send("2probe");
      assert.equal(await messages.next(), "3probe");
      socket.send("5");
      await until(() => session.upgraded, "the upgrade");
      session.send("up");
      assert.equal(await messages.next(), "4up");
      socket.terminate();
    });

    it("refuses with a status", async () => {
      await using server = await start({ allowRequest: (_req, done) => done("not you", false) });
      assert.deepEqual(await request(server.port, "GET", POLLING), [403, '{"code":4,"message":"not you"}']);
      const socket = new WebSocket(`wss://localhost:${server.port}${WEBSOCKET}`, { ca: tls.cert });
      const [error] = (await within(once(socket, "error"), "the refusal")) as [Error];
      assert.match(error.message, /400/);
    });
  });
}

/** An app in front of another, as frameworks on uWebSockets.js put one there. */
function wrapped(app: uWS.TemplatedApp): UwsApp {
  return {
    any: (pattern, handler) => app.any(pattern, handler),
    ws: (pattern, behavior) => app.ws(pattern, behavior as Parameters<typeof app.ws>[1]),
    close: () => app.close(),
  };
}

describe("TLS on uWebSockets.js", () => {
  const cases: [name: string, isTls: boolean, options: AttachAppOptions, expected: boolean][] = [
    ["is known of an SSLApp", true, {}, true],
    ["is known of an App", false, {}, false],
    ["is what the option `secure` says, such as behind a proxy", false, { secure: true }, true],
    ["is what the option `secure` says, on an SSLApp too", true, { secure: false }, false],
  ];
  for (const [name, isTls, options, expected] of cases) {
    for (const transport of ["polling", "websocket"]) {
      it(`${name}, by ${transport}`, async () => {
        needUws();
        const app = isTls ? sslApp() : uWS.App();
        await using server = await listenOn(app, new Server().attachApp(wrapped(app), options));
        const opened = nextSession(server.engine);
        const address = `${isTls ? "s" : ""}://localhost:${server.port}${transport === "polling" ? POLLING : WEBSOCKET}`;
        if (transport === "websocket") {
          const socket = new WebSocket(`ws${address}`, { ca: tls.cert });
          await within(once(socket, "open"), "the WebSocket to open");
          assert.equal(isEncrypted(await opened), expected);
          socket.terminate();
        } else {
          if (isTls) await request(server.port, "GET", POLLING);
          else await fetch(`http${address}`);
          assert.equal(isEncrypted(await opened), expected);
        }
      });
    }
  }
});
