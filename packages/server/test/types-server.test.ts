import { EventEmitter } from "node:events";
import { createServer } from "node:http";
import type { IncomingMessage, ServerResponse } from "node:http";
import { createSecureServer } from "node:http2";
import { createServer as createHttpsServer } from "node:https";
import { expectTypeOf } from "expect-type";
import expressSession from "express-session";
import helmet from "helmet";
import { Adapter } from "socket.io-adapter";
import * as parser from "socket.io-parser";
import type { TemplatedApp } from "uWebSockets.js";
import { Server } from "@tidewire/server";
import type { BroadcastOperator, DefaultEventsMap, Namespace } from "@tidewire/server";
import type { RemoteSocket, ServerOptions, Socket } from "@tidewire/server";
import { checked } from "./types-support.ts";
import type {
  BetweenServers,
  ClientToServer,
  Data,
  ServerToClient,
  TypedServer,
  TypedSocket,
} from "./types-support.ts";

describe("types of a server", () => {
  it("take whatever it can be attached to", () => {
    checked(() => {
      new Server();
      new Server(3000, { path: "/mine" });
      new Server(undefined, {});
      for (const srv of [createServer(), createHttpsServer(), createSecureServer()]) new Server(srv);
      const io = new Server({ path: "/mine" });
      io.attach(3000, { path: "/mine" }).listen(createServer()).bind(io.engine);
      expectTypeOf<TemplatedApp>().toExtend<Parameters<Server["attachApp"]>[0]>();
    });
  });

  it("take every option of the official server", () => {
    checked(() => {
      const options: Partial<ServerOptions> = {
        path: "/mine",
        serveClient: false,
        connectTimeout: 5,
        connectionStateRecovery: { maxDisconnectionDuration: 1, skipMiddlewares: true },
        cleanupEmptyChildNamespaces: true,
        pingTimeout: 1,
        pingInterval: 1,
        upgradeTimeout: 1,
        maxHttpBufferSize: 1,
        httpRequestBodyTimeout: 1,
        maxBufferedChunks: 1,
        allowRequest: (req, callback) => callback(null, req.headers.origin === undefined),
        transports: ["polling", "websocket", "webtransport"],
        allowUpgrades: true,
        perMessageDeflate: { threshold: 1024, zlibDeflateOptions: { chunkSize: 1 } },
        httpCompression: { threshold: 1 },
        wsEngine: null,
        initialPacket: "hello",
        cookie: { name: "io", httpOnly: true, sameSite: "strict", maxAge: 86_400 },
        cors: (req, callback) => callback(null, { origin: req.headers.origin ?? "*" }),
        allowEIO3: true,
        addTrailingSlash: false,
        destroyUpgrade: false,
        destroyUpgradeTimeout: 5,
      };
      new Server(options);
      new Server({ cookie: true, perMessageDeflate: true, httpCompression: false });
      new Server({ cors: { origin: ["https://a.example", /b/], credentials: true } });
    });
  });

  it("take adapters: classes, and functions that make them", () => {
    checked(() => {
      class Mine extends Adapter {}
      const createAdapter = (nsp: object): Mine => new Mine(nsp);
      new Server({ adapter: Mine }).adapter(Mine);
      new Server({ adapter: createAdapter }).adapter(createAdapter);
      new Server({ adapter: (nsp) => new Adapter(nsp) });
    });
  });

  it("take parsers: the official one, and those of the application", () => {
    checked(() => {
      class Encoder {
        encode(packet: { type: number }): unknown[] {
          return [JSON.stringify(packet)];
        }
      }
      class Decoder extends EventEmitter {
        add(chunk: string): void {
          this.emit("decoded", JSON.parse(chunk));
        }
        destroy(): void {}
      }
      new Server({ parser });
      new Server({ parser: { Encoder, Decoder } });
    });
  });

  it("have the members that applications use", () => {
    checked(() => {
      const io = new Server();
      expectTypeOf(io.path()).toBeString();
      expectTypeOf(io.serveClient()).toBeBoolean();
      expectTypeOf(io.connectTimeout()).toBeNumber();
      expectTypeOf(io.path("/x").serveClient(false).connectTimeout(1)).toEqualTypeOf<Server>();
      expectTypeOf(io.close((error) => error?.message)).toEqualTypeOf<Promise<void>>();
      expectTypeOf(io.sockets).toEqualTypeOf(io.of("/"));
      expectTypeOf(io._nsps.get("/")).toEqualTypeOf<Namespace | undefined>();
      io.sockets.adapter.on("create-room", (room: string) => room);
      io.httpServer.listen(3000).address();
      io.removeAllListeners().setMaxListeners(5).listenerCount("x");
    });
  });

  it("have the engine underneath", () => {
    checked(() => {
      const { engine } = new Server();
      engine.on("connection_error", (error) => [error.req, error.code, error.message, error.context]);
      engine.on("initial_headers", (headers: Record<string, string>, req: IncomingMessage) => {
        headers["x-url"] = String(req.url);
      });
      engine.on("connection", (conn) => {
        conn.on("close", (reason: string) => reason);
        delete conn.request;
      });
      engine.generateId = (req: IncomingMessage) => String(req.url);
      engine.use(helmet());
      engine.use(expressSession({ secret: "s", resave: false, saveUninitialized: false }));
      engine.use((req: IncomingMessage, res: ServerResponse, next: () => void) => {
        res.setHeader("x-url", String(req.url));
        next();
      });
      expectTypeOf(engine.clientsCount).toBeNumber();
      engine.close();
    });
  });

  it("are kept by subclasses", () => {
    checked(() => {
      class Mine extends Server<ClientToServer, ServerToClient, BetweenServers, Data> {
        constructor() {
          super({ path: "/mine" });
        }
        tell(): void {
          this.emit("hello");
          // @ts-expect-error there is no such event
          this.emit("shout");
        }
      }
      expectTypeOf(new Mine().of("/x")).toEqualTypeOf<
        Namespace<ClientToServer, ServerToClient, BetweenServers, Data>
      >();
    });
  });

  it("pass for the untyped ones, so that helpers can be written once", () => {
    checked(() => {
      const io: TypedServer = new Server();
      expectTypeOf<TypedServer>().toExtend<Server>();
      expectTypeOf<TypedSocket>().toExtend<Socket>();
      expectTypeOf(io.of("/x")).toExtend<Namespace>();
      const onSocket = (_socket: Socket): void => {};
      const onAnySocket = <A extends DefaultEventsMap>(_socket: Socket<A, A, A, Data>): void => {};
      io.on("connection", onSocket);
      new Server().on("connection", onAnySocket);
      new Server().on("connection", onSocket).off("connection", onSocket);
      const operators: BroadcastOperator<DefaultEventsMap, Data>[] = [new Server().to("x")];
      const sockets: Promise<RemoteSocket<DefaultEventsMap, Data>[]> = new Server().fetchSockets();
      expectTypeOf([operators, sockets]).toBeArray();
    });
  });
});
