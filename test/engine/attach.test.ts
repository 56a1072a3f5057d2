import assert from "node:assert/strict";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { Socket } from "node:net";
import type { Duplex } from "node:stream";
import * as uWS from "uWebSockets.js";
import { Server as TidewireEngine } from "@tidewire/engine";
import type { Engine, EngineOptions } from "../support/engine/types.ts";
import { engineHosts } from "../support/engine/hosts.ts";
import { exchange, NetworkClient } from "../support/wire/network-client.ts";
import { openWebSocket, PollingPeer, until } from "../support/engine/peers.ts";
import { within } from "../support/waiting/queue.ts";
import { serve, serveApp } from "../support/engine/serve.ts";
import { StartedEngine } from "../support/engine/started-engine.ts";

interface NodeEngine extends Engine {
  handleRequest(req: IncomingMessage, res: ServerResponse): void;
  handleUpgrade(req: IncomingMessage, socket: Duplex, head: Buffer): void;
}

type EngineClass = new (options?: EngineOptions) => NodeEngine;

async function assertWorks(server: StartedEngine): Promise<void> {
  const peer = await PollingPeer.open(server);
  peer.session.send("polled");
  assert.deepEqual(await peer.pollPackets(1), ["4polled"]);
  const upgrade = await peer.probe();
  upgrade.sendText("5");
  await until(() => peer.session.upgraded, "the upgrade");
  peer.session.send("upgraded");
  assert.equal(await upgrade.next(), "4upgraded");
  const { socket, session } = await openWebSocket(server);
  session.send("pushed");
  assert.equal(await socket.next(), "4pushed");
}

const UPGRADE = "Host: x\r\nConnection: Upgrade\r\nUpgrade: other\r\n\r\n";

function describeAttach(name: string, Engine: EngineClass): void {
  describe(`attach(httpServer) of ${name}`, () => {
    it("serves its path and leaves all others to the earlier listeners", async () => {
      const httpServer = createServer((_req, res) => res.writeHead(200).end("the application"));
      const engine = new Engine();
      engine.attach(httpServer);
      await using server = await serve(engine, httpServer);
      await assertWorks(server);
      for (const path of ["/", "/engine.io", "/engine.iox/?EIO=4&transport=polling"]) {
        assert.equal((await server.client.get(path)).body, "the application");
      }
    });

    it("leaves other paths to listeners added later", async () => {
      const httpServer = createServer();
      const engine = new Engine();
      engine.attach(httpServer);
      httpServer.on("request", (req: IncomingMessage, res: ServerResponse) => {
        if (!req.url?.startsWith("/engine.io/")) {
          res.end("later");
        }
      });
      await using server = await serve(engine, httpServer);
      await assertWorks(server);
      assert.equal((await server.client.get("/")).body, "later");
    });

    it("serves the path passed to attach()", async () => {
      const httpServer = createServer();
      const engine = new Engine();
      engine.attach(httpServer, { path: "/attached" });
      await using server = await serve(engine, httpServer, "/attached/");
      await assertWorks(server);
    });

    it("serves the bare path with addTrailingSlash: false", async () => {
      const httpServer = createServer();
      const engine = new Engine();
      engine.attach(httpServer, { path: "/bare", addTrailingSlash: false });
      await using server = await serve(engine, httpServer, "/bare");
      await assertWorks(server);
    });

    it("shares an http.Server with another engine on another path", async () => {
      const httpServer = createServer();
      const one = new Engine();
      const two = new Engine();
      one.attach(httpServer, { path: "/one" });
      two.attach(httpServer, { path: "/two" });
      await using first = await serve(one, httpServer, "/one/");
      const parts = { client: first.client, port: first.port, httpServer, stop: async () => {} };
      await using second = new StartedEngine({ ...parts, engine: two, path: "/two/" }, true);
      await assertWorks(first);
      await assertWorks(second);
      assert.equal(one.clientsCount, 2);
      assert.equal(two.clientsCount, 2);
    });

    it("destroys an upgrade that nobody handles, after destroyUpgradeTimeout", async () => {
      const httpServer = createServer();
      const engine = new Engine();
      engine.attach(httpServer, { destroyUpgradeTimeout: 20 });
      await using server = await serve(engine, httpServer);
      assert.equal(await exchange(server.port, `GET /other HTTP/1.1\r\n${UPGRADE}`), "");
    });

    it("leaves an upgrade that another listener answers", async () => {
      const httpServer = createServer();
      const engine = new Engine();
      engine.attach(httpServer, { destroyUpgradeTimeout: 10 });
      httpServer.on("upgrade", (req: IncomingMessage, socket: Socket) => {
        if (req.url === "/other") {
          socket.write("HTTP/1.1 101 Switching Protocols\r\n\r\n");
          setTimeout(() => socket.end("still open"), 60);
        }
      });
      await using server = await serve(engine, httpServer);
      const answer = await exchange(server.port, `GET /other HTTP/1.1\r\n${UPGRADE}`);
      assert.equal(answer, "HTTP/1.1 101 Switching Protocols\r\n\r\nstill open");
    });

    it("leaves every other upgrade alone with destroyUpgrade: false", async () => {
      const httpServer = createServer();
      const engine = new Engine();
      engine.attach(httpServer, { destroyUpgrade: false, destroyUpgradeTimeout: 10 });
      httpServer.on("upgrade", (req: IncomingMessage, socket: Socket) => {
        if (req.url === "/other") {
          setTimeout(() => socket.end("late"), 60);
        }
      });
      await using server = await serve(engine, httpServer);
      assert.equal(await exchange(server.port, `GET /other HTTP/1.1\r\n${UPGRADE}`), "late");
    });

    it("closes its sessions when the http.Server has closed", async () => {
      const httpServer = createServer();
      const engine = new Engine();
      engine.attach(httpServer);
      await using server = await serve(engine, httpServer);
      const peer = await PollingPeer.open(server);
      const closed = new Promise((resolve) => httpServer.close(resolve));
      httpServer.closeIdleConnections();
      await within(closed, "the http.Server to close");
      assert.equal((await server.closed(peer.session)).reason, "forced close");
    });

    it("works with handleRequest and handleUpgrade alone", async () => {
      const engine = new Engine();
      const httpServer = createServer((req, res) => engine.handleRequest(req, res));
      httpServer.on("upgrade", (req: IncomingMessage, socket: Socket, head: Buffer) => {
        engine.handleUpgrade(req, socket, head);
      });
      await using server = await serve(engine, httpServer);
      await assertWorks(server);
    });
  });
}

function describeAttachApp(): void {
  describe("attachApp(app)", () => {
    it("serves its path next to the application's routes", async () => {
      const app = uWS.App();
      app.get("/hello", (res) => void res.end("the application"));
      const engine = new TidewireEngine();
      engine.attachApp(app);
      app.any("/*", (res) => void res.writeStatus("404 Not Found").end("nothing here"));
      await using server = serveApp(engine, app);
      await assertWorks(server);
      assert.equal((await server.client.get("/hello")).body, "the application");
      const other = await server.client.get("/engine.io?EIO=4&transport=polling");
      assert.equal(`${other.status} ${other.body}`, "404 nothing here");
    });

    it("serves the path passed to attachApp()", async () => {
      const app = uWS.App();
      const engine = new TidewireEngine();
      engine.attachApp(app, { path: "/attached" });
      await using server = serveApp(engine, app, "/attached/");
      await assertWorks(server);
    });

    it("shares an app with another engine on another path", async () => {
      const app = uWS.App();
      const one = new TidewireEngine();
      const two = new TidewireEngine();
      one.attachApp(app, { path: "/one" });
      two.attachApp(app, { path: "/two" });
      await using first = serveApp(one, app, "/one/");
      const parts = { client: first.client, port: first.port, httpServer: undefined, stop: async () => {} };
      await using second = new StartedEngine(
        { ...parts, engine: two as unknown as Engine, path: "/two/" },
        true,
      );
      await assertWorks(first);
      await assertWorks(second);
      assert.equal(one.clientsCount, 2);
      assert.equal(two.clientsCount, 2);
    });

    it("shares the server of another engine, also one that listens already, until that closes", async () => {
      const one = new TidewireEngine({ host: "uws" });
      const httpServer = one.listen(0, { path: "/one" });
      const two = new TidewireEngine();
      two.attach(httpServer as never, { path: "/two" });
      assert.equal(two.httpServer, httpServer);
      const { port } = httpServer.address() as { port: number };
      const client = new NetworkClient(port);
      const closed = (): Promise<void> => new Promise((resolve) => void httpServer.close(() => resolve()));
      const parts = { client, port, httpServer: undefined, stop: closed };
      await using first = new StartedEngine(
        { ...parts, engine: one as unknown as Engine, path: "/one/", stop: async () => {} },
        true,
      );
      await using second = new StartedEngine(
        { ...parts, engine: two as unknown as Engine, path: "/two/" },
        true,
      );
      await assertWorks(first);
      await assertWorks(second);
      assert.equal((await client.get("/three/")).status, 404);
      // It waits for the sessions of both.
      for (const session of Object.values(one.clients)) session.close(true);
      const ended = closed();
      for (const session of Object.values(two.clients)) session.close(true);
      await within(ended, "the end of the server");
    });

    it("refuses what is no app of uWebSockets.js", () => {
      const message =
        "attachApp() needs an App or SSLApp of uWebSockets.js; attach() takes a server of Node.js";
      for (const other of [createServer(), () => {}, undefined])
        assert.throws(() => new TidewireEngine().attachApp(other as never), {
          name: "TypeError",
          code: "NO_APP",
          message,
        });
    });

    it("leaves the application's own WebSocket routes alone", async () => {
      const app = uWS.App();
      app.ws("/chat", { message: (ws, message, isBinary) => void ws.send(Buffer.from(message), isBinary) });
      const engine = new TidewireEngine();
      engine.attachApp(app);
      await using server = serveApp(engine, app);
      const socket = await server.client.websocket("/chat");
      socket.sendText("hello");
      assert.equal(await socket.next(), "hello");
      await assertWorks(server);
    });
  });
}

describe("engine: attach", () => {
  const names = engineHosts.map((host) => host.name);
  if (names.includes("node")) {
    describeAttach("ours", TidewireEngine as unknown as EngineClass);
  }
  if (names.includes("uws")) {
    describeAttachApp();
  }
});
