import assert from "node:assert/strict";
import { once } from "node:events";
import { createServer } from "node:http";
import type { IncomingMessage, Server as HttpServer } from "node:http";
import type { AddressInfo, Socket } from "node:net";
import * as tidewire from "@tidewire/engine";
import type * as official from "engine.io";
import { Socket as Client } from "engine.io-client";
import type { SocketOptions } from "engine.io-client";
import * as uWS from "uWebSockets.js";
import { WebSocketServer } from "ws";
import type { EngineOptions, Session } from "../support/engine/types.ts";
import { exchange } from "../support/wire/network-client.ts";
import { closing } from "../support/waiting/closing.ts";
import { within } from "../support/waiting/queue.ts";

/** What an application uses of the package. */
type EngineModule = Pick<typeof official, "Server" | "uServer" | "attach" | "listen">;

/** The package as an application of today sees it: with the types of the official one. */
const module = tidewire as unknown as EngineModule;

interface Running extends Disposable {
  engine: official.Server;
  port: number;
}

/** How an application starts the engine. */
type Start = (options: EngineOptions) => Promise<Running>;

async function onHttpServer(engine: official.Server, httpServer: HttpServer): Promise<Running> {
  if (!httpServer.listening) await new Promise((resolve) => httpServer.once("listening", resolve));
  const stop = (): void => {
    engine.close();
    httpServer.close();
    httpServer.closeAllConnections();
  };
  return { engine, port: (httpServer.address() as AddressInfo).port, [Symbol.dispose]: stop };
}

const onNode: Record<string, Start> = {
  "new Server() and attach(httpServer)": (options) => {
    const httpServer = createServer().listen(0);
    const engine = new module.Server(options);
    engine.attach(httpServer);
    return onHttpServer(engine, httpServer);
  },
  "attach(httpServer)": (options) => {
    const httpServer = createServer().listen(0);
    return onHttpServer(module.attach(httpServer, options), httpServer);
  },
  "listen(port)": async (options) => {
    let engine!: official.Server;
    await new Promise<void>((resolve) => (engine = module.listen(0, options, resolve)));
    return onHttpServer(engine, engine.httpServer!);
  },
  "handleRequest and handleUpgrade": (options) => {
    const engine = new module.Server(options);
    const httpServer = createServer((req, res) => engine.handleRequest(req, res)).listen(0);
    httpServer.on("upgrade", (req: IncomingMessage, socket: Socket, head: Buffer) => {
      engine.handleUpgrade(req, socket, head);
    });
    return onHttpServer(engine, httpServer);
  },
};

const onUws: Record<string, Start> = {
  "new uServer() and attach(app)": async (options) => {
    const engine = new module.uServer(options);
    const app = uWS.App();
    engine.attach(app);
    let token: uWS.us_listen_socket | false = false;
    app.listen("127.0.0.1", 0, (given) => {
      token = given;
    });
    assert.ok(token, "the app listens");
    const stop = (): void => {
      engine.close();
      app.close();
    };
    return {
      engine: engine as unknown as official.Server,
      port: uWS.us_socket_local_port(token),
      [Symbol.dispose]: stop,
    };
  },
};

async function connect(port: number, options: Partial<SocketOptions>): Promise<Client> {
  const client = new Client(`http://127.0.0.1:${port}`, options);
  await within(
    new Promise<void>((resolve, reject) => {
      client.on("open", () => resolve());
      client.on("error", (error: string | Error) => reject(new Error("the client failed", { cause: error })));
    }),
    "the client to open",
  );
  return client;
}

async function withClient(
  start: Start,
  options: { engine?: EngineOptions; client: Partial<SocketOptions> },
  test: (client: Client, session: Session, running: Running) => Promise<void>,
): Promise<void> {
  using running = await start(options.engine ?? {});
  const connected = once(running.engine, "connection");
  const client = await connect(running.port, options.client);
  using _client = closing(() => client.close());
  const [session] = (await within(connected, "a connection")) as [Session];
  await test(client, session, running);
}

/** Sends each message both ways and gives what came back to the client. */
async function echo(client: Client, session: Session, messages: (string | Buffer)[]): Promise<unknown[]> {
  session.on("message", (data: string | Buffer) => session.send(data));
  const received: unknown[] = [];
  const all = new Promise<void>((resolve) => {
    client.on("message", (data: unknown) => {
      if (received.push(data) === messages.length) resolve();
    });
  });
  for (const message of messages) client.send(message);
  await within(all, "the echoes");
  return received;
}

const transports = {
  polling: { client: { transports: ["polling"] }, name: "polling" },
  websocket: { client: { transports: ["websocket"] }, name: "websocket" },
} as const;

function describeApplications(starts: Record<string, Start>): void {
  for (const [how, start] of Object.entries(starts)) {
    describe(how, () => {
      for (const { client: options, name } of Object.values(transports)) {
        const client = { ...options, transports: [...options.transports] };

        it(`serves the official client over ${name}`, async () => {
          await withClient(start, { client }, async (socket, session) => {
            assert.equal(session.transport.name, name);
            assert.equal(session.id, socket.id);
            const messages = ["text", "", "ünïcødé", Buffer.from([0, 1, 255]), "x".repeat(2_000), "end"];
            const echoes = await echo(socket, session, messages);
            // An empty message carries no data.
            assert.deepEqual(echoes, ["text", undefined, ...messages.slice(2)]);
          });
        });

        it(`sends initialPacket over ${name}`, async () => {
          using running = await start({ initialPacket: "welcome" });
          const socket = new Client(`http://127.0.0.1:${running.port}`, client);
          using _socket = closing(() => socket.close());
          const first = new Promise((resolve) => socket.on("message", resolve));
          assert.equal(await within(first, "the initial packet"), "welcome");
        });

        it(`notifies both sides when the server closes, over ${name}`, async () => {
          await withClient(start, { client }, async (socket, session) => {
            const there = new Promise((resolve) => socket.on("close", resolve));
            const here = new Promise((resolve) => session.on("close", resolve));
            session.close();
            assert.equal(await within(here, "the session to close"), "forced close");
            assert.equal(await within(there, "the client to close"), "transport close");
          });
        });

        it(`notifies both sides when the client closes, over ${name}`, async () => {
          await withClient(start, { client }, async (socket, session, { engine }) => {
            const here = new Promise((resolve) => session.on("close", resolve));
            socket.close();
            assert.equal(await within(here, "the session to close"), "transport close");
            assert.equal(engine.clientsCount, 0);
          });
        });
      }

      it("upgrades the official client, without losing messages", async () => {
        await withClient(start, { client: {} }, async (socket, session) => {
          const upgraded = new Promise<void>((resolve) => session.once("upgrade", () => resolve()));
          const messages = Array.from({ length: 200 }, (_, index) => String(index));
          const echoes = echo(socket, session, messages);
          await within(upgraded, "the upgrade");
          assert.deepEqual(await echoes, messages);
          assert.equal(session.transport.name, "websocket");
          assert.equal(socket.transport.name, "websocket");
        });
      });

      it("refuses a client with allowRequest", async () => {
        using running = await start({ allowRequest: (_req, callback) => callback("no", false) });
        const failed = once(running.engine, "connection_error");
        await assert.rejects(connect(running.port, { transports: ["polling"] }), /the client failed/);
        const [{ code, context }] = (await failed) as [{ code: number; context: unknown }];
        assert.deepEqual({ code, context }, { code: 4, context: { message: "no" } });
      });
    });
  }
}

function describeOnNode(): void {
  describe("on node:http", () => {
    it("answers everything else with 501 when it listens by itself", async () => {
      using running = await onNode["listen(port)"]!({});
      const response = await fetch(`http://127.0.0.1:${running.port}/`);
      assert.equal(`${response.status} ${await response.text()}`, "501 Not Implemented");
    });

    it("accepts listen(port, callback)", async () => {
      let engine!: official.Server;
      const listen = module.listen as unknown as (port: number, callback: () => void) => official.Server;
      await new Promise<void>((resolve) => (engine = listen(0, resolve)));
      using running = await onHttpServer(engine, engine.httpServer!);
      assert.ok(running.port > 0);
    });

    it("creates its WebSocket server from wsEngine, and exposes it as engine.ws", async () => {
      const made: object[] = [];
      class Engine extends WebSocketServer {
        constructor(options: ConstructorParameters<typeof WebSocketServer>[0] & object) {
          super(options);
          made.push(options);
        }
      }
      const options: EngineOptions = { wsEngine: Engine, maxHttpBufferSize: 12_345 };
      const start = onNode["new Server() and attach(httpServer)"]!;
      const client: Partial<SocketOptions> = { transports: ["websocket"] };
      await withClient(start, { engine: options, client }, async (socket, session, { engine }) => {
        assert.deepEqual(await echo(socket, session, ["hello"]), ["hello"]);
        const { ws } = engine as unknown as { ws: unknown };
        assert.ok(ws instanceof Engine);
        const [given] = made as [Record<string, unknown>];
        assert.equal(given["noServer"], true);
        assert.equal(given["maxPayload"], 12_345);
      });
    });

    it("accepts a wsEngine that is not an EventEmitter", async () => {
      class Bare {
        readonly #inner: WebSocketServer;

        constructor(options: ConstructorParameters<typeof WebSocketServer>[0] & object) {
          this.#inner = new WebSocketServer(options);
        }

        handleUpgrade(...args: Parameters<WebSocketServer["handleUpgrade"]>): void {
          this.#inner.handleUpgrade(...args);
        }

        close(): void {
          this.#inner.close();
        }
      }
      const options: EngineOptions = { wsEngine: Bare };
      const client: Partial<SocketOptions> = { transports: ["websocket"] };
      await withClient(
        onNode["attach(httpServer)"]!,
        { engine: options, client },
        async (socket, session) => {
          assert.deepEqual(await echo(socket, session, ["hello"]), ["hello"]);
        },
      );
    });

    it("ends an upgrade to another path after destroyUpgradeTimeout, and not before", async () => {
      const httpServer = createServer().listen(0);
      const engine = module.attach(httpServer, { destroyUpgradeTimeout: 50 });
      using running = await onHttpServer(engine, httpServer);
      let isOver = false;
      const seen = once(httpServer, "upgrade").then(([, socket]) => {
        (socket as NodeJS.EventEmitter).once("close", () => (isOver = true));
        return new Promise((resolve) => setImmediate(resolve));
      });
      const answer = exchange(
        running.port,
        "GET /x HTTP/1.1\r\nHost: x\r\nConnection: upgrade\r\nUpgrade: x\r\n\r\n",
      );
      await seen;
      assert.equal(isOver, false);
      assert.equal(await answer, "");
    });
  });
}

describe("engine: drop-in", () => {
  describeApplications({ ...onNode, ...onUws });
  describeOnNode();
});
