import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import cookieParser from "cookie-parser";
import { expectTypeOf } from "expect-type";
import expressSession from "express-session";
import helmet from "helmet";
import passport from "passport";
import * as tidewire from "@tidewire/engine";
import type * as official from "engine.io";

/** These are checked by the compiler; running them shows only that nothing throws. */
describe("engine: types of the drop-in", () => {
  it("take the options of the official package", () => {
    expectTypeOf<official.ServerOptions>().toExtend<
      NonNullable<ConstructorParameters<typeof tidewire.Server>[0]>
    >();
    expectTypeOf<official.AttachOptions>().toExtend<NonNullable<Parameters<tidewire.Server["attach"]>[1]>>();
  });

  it("take hooks that are written for node:http", () => {
    const engine = new tidewire.Server({
      allowRequest: (req: IncomingMessage, callback) => callback(null, req.socket.remoteAddress !== ""),
    });
    engine.generateId = (req: IncomingMessage) => String(req.url);
    engine.on("connection", (socket: tidewire.Socket) => {
      socket.send("x", { compress: true }, (transport) => transport.name);
      socket.on("message", (data: string | Buffer) => socket.write(data));
      expectTypeOf(socket.request).toExtend<IncomingMessage>();
      expectTypeOf(socket.remoteAddress).toBeString();
      expectTypeOf(socket.transport).toExtend<tidewire.Transport>();
      socket.request.socket.remoteAddress?.trim();
      socket.close();
    });
  });

  it("take middlewares of Express", () => {
    const engine = new tidewire.Server();
    engine.use(helmet());
    engine.use(cookieParser());
    engine.use(expressSession({ secret: "s", resave: false, saveUninitialized: false }));
    engine.use(passport.initialize());
    engine.use((req: IncomingMessage, res: ServerResponse, next: () => void) => {
      res.setHeader("x-url", String(req.url));
      next();
    });
    engine.use((_req, _res, next) => next());
  });

  it("have the members that applications use", () => {
    expectTypeOf<tidewire.Server>().toHaveProperty("clientsCount");
    expectTypeOf<tidewire.Server["clients"]>().toExtend<Record<string, tidewire.Socket>>();
    expectTypeOf<(typeof tidewire.Server)["errors"]["FORBIDDEN"]>().toEqualTypeOf<4>();
    expectTypeOf<Parameters<tidewire.Server["handleRequest"]>>().toEqualTypeOf<
      Parameters<official.Server["handleRequest"]>
    >();
    expectTypeOf<Parameters<tidewire.Server["handleUpgrade"]>>().toEqualTypeOf<
      Parameters<official.Server["handleUpgrade"]>
    >();
    const httpServer = createServer();
    expectTypeOf(tidewire.attach(httpServer, { path: "/x" })).toExtend<tidewire.Server>();
    expectTypeOf<typeof tidewire.protocol>().toEqualTypeOf<4>();
  });
});
