import { Server as Engine } from "@tidewire/engine";
import { defaultParser } from "@tidewire/parser";
import type { Packet, Parser } from "@tidewire/parser";
import cors from "cors";
import createDebug from "debug";
import { EventEmitter } from "node:events";
import type { IncomingMessage, Server as HttpServer, ServerResponse } from "node:http";
import type { Http2SecureServer, Http2Server } from "node:http2";
import type { Server as HttpsServer } from "node:https";
import type { Adapter } from "socket.io-adapter";
import { MemoryAdapter, RecoveryAdapter } from "./adapter.ts";
import { BroadcastOperator } from "./broadcast-operator.ts";
import { clientFileOf, fileNameOf, serveClientFile } from "./client-files.ts";
import type { CorsMiddleware, FileExchange } from "./client-files.ts";
import { Client } from "./client.ts";
import type { Connection } from "./connection-port.ts";
import type { Auth } from "./dialect.ts";
import { BroadcastingEmitter } from "./emitter.ts";
import type { Broadcast } from "./emitter.ts";
import { toFileExchange } from "./engine-port.ts";
import type { BindableEngine, Exchange } from "./engine-port.ts";
import { createError } from "./errors.ts";
import type { ExtendedError } from "./extended-error.ts";
import { Namespace } from "./namespace.ts";
import type { ServerReservedEventsMap } from "./namespace.ts";
import { applyRecoveryDefaults, DEFAULT_CONNECT_TIMEOUT, DEFAULT_PATH } from "./options.ts";
import type { AdapterConstructor, ServerOptions } from "./options.ts";
import { ParentNamespace } from "./parent-namespace.ts";
import type { Socket } from "./socket.ts";
import type {
  AllButLast,
  DecorateAcknowledgementsWithTimeoutAndMultipleResponses,
  DefaultEventsMap,
  EventNames,
  EventNamesWithAck,
  EventParams,
  EventsMap,
  FirstNonErrorArg,
  Last,
  RemoveAcknowledgements,
  Untyped,
} from "./typed-events.ts";

const debug = createDebug("socket.io:server");

/** An HTTP server of Node. */
export type HttpServerInstance = HttpServer | HttpsServer | Http2SecureServer | Http2Server;

/** Decides whether a namespace of this name may be created: `fn(null, true)` creates it. */
export type ParentNspNameMatchFn = (
  name: string,
  auth: { [key: string]: Untyped },
  fn: (err: Error | null, success: boolean) => void,
) => void;

/**
 * A Socket.IO server. On a port it listens itself, on uWebSockets.js if that can be loaded; otherwise it answers what comes
 * in under its path on the HTTP server or uWebSockets.js app it is attached to.
 *
 * @example
 * import { Server } from "@tidewire/server";
 *
 * const io = new Server(3000);
 *
 * io.on("connection", (socket) => {
 *   socket.emit("hello", "world");
 *   socket.on("message", (text) => io.emit("message", text));
 * });
 */
export class Server<
  /** the events that clients send */
  ListenEvents extends EventsMap = DefaultEventsMap,
  /** the events that are sent to clients */
  EmitEvents extends EventsMap = ListenEvents,
  /** the events that the servers of a cluster send each other */
  ServerSideEvents extends EventsMap = DefaultEventsMap,
  /** the type of `socket.data` */
  SocketData = Untyped,
> extends BroadcastingEmitter<
  ServerSideEvents,
  RemoveAcknowledgements<EmitEvents>,
  ServerReservedEventsMap<ListenEvents, EmitEvents, ServerSideEvents, SocketData>,
  EmitEvents,
  SocketData
> {
  /** The root namespace, which the server itself stands for. */
  readonly sockets: Namespace<ListenEvents, EmitEvents, ServerSideEvents, SocketData>;
  /** The engine underneath; undefined until the server is attached to something. */
  engine!: Engine;
  /** The same as {@link engine}. */
  eio!: Engine;
  /** What accepts the connections: the given server, or the one made for the given port. */
  httpServer!: HttpServerInstance;
  /** The namespaces that exist, by name. */
  readonly _nsps: Map<string, Namespace<ListenEvents, EmitEvents, ServerSideEvents, SocketData>> = new Map();
  /** The parent namespaces, by what decides on the names of their children. */
  readonly parentNsps: Map<
    ParentNspNameMatchFn,
    ParentNamespace<ListenEvents, EmitEvents, ServerSideEvents, SocketData>
  > = new Map();
  /** Those of them that were given as a regular expression. */
  readonly parentNamespacesFromRegExp: Map<
    RegExp,
    ParentNamespace<ListenEvents, EmitEvents, ServerSideEvents, SocketData>
  > = new Map();
  readonly opts: Partial<ServerOptions>;
  readonly _parser: Parser;
  readonly encoder: { encode(packet: Packet): unknown[] };
  /** in ms */
  _connectTimeout!: number;
  private _path!: string;
  private _serveClient!: boolean;
  private _adapter!: AdapterConstructor;
  private readonly _corsMiddleware: CorsMiddleware | undefined;

  /**
   * @example
   * new Server(); // then listen(), attach() or attachApp()
   * new Server(3000);
   * new Server(httpServer, { cors: { origin: "https://example.com" } });
   *
   * @throws Error if it is given an express application instead of the HTTP server in front of it
   */
  constructor(opts?: Partial<ServerOptions>);
  constructor(srv?: HttpServerInstance | number | string, opts?: Partial<ServerOptions>);
  constructor(
    srv?: HttpServerInstance | number | string | Partial<ServerOptions>,
    opts: Partial<ServerOptions> = {},
  ) {
    super();
    const target = isOptions(srv) ? undefined : srv;
    const options = isOptions(srv) ? srv : opts;
    applyRecoveryDefaults(options);
    this.opts = options;
    this.path(options.path || DEFAULT_PATH);
    this.connectTimeout(options.connectTimeout || DEFAULT_CONNECT_TIMEOUT);
    this.serveClient(options.serveClient !== false);
    this._parser = options.parser || defaultParser;
    this.encoder = new this._parser.Encoder();
    this.adapter(
      options.adapter ||
        (options.connectionStateRecovery ? RecoveryAdapter : (MemoryAdapter as typeof Adapter)),
    );
    this.sockets = this.of("/");
    if (options.cors) {
      // The package's types tell its two forms of options apart, and do not take either.
      this._corsMiddleware = cors(options.cors as cors.CorsOptions) as CorsMiddleware;
    }
    if (target || typeof target === "number") {
      this.attach(target);
    }
  }

  /** The options, live. */
  get _opts(): Partial<ServerOptions> {
    return this.opts;
  }

  /** Whether the files of the client are served; read or set before the server is attached. */
  serveClient(v: boolean): this;
  serveClient(): boolean;
  serveClient(v?: boolean): this | boolean {
    if (v === undefined) return this._serveClient;
    this._serveClient = v;
    return this;
  }

  /** The path of all requests, without a slash at its end; read or set before the server is attached. */
  path(v: string): this;
  path(): string;
  path(v?: string): this | string {
    if (v === undefined) return this._path;
    this._path = v.replace(/\/$/, "");
    return this;
  }

  /** How long a client may be connected without joining a namespace, in ms; read or set. */
  connectTimeout(v: number): this;
  connectTimeout(): number;
  connectTimeout(v?: number): this | number {
    if (v === undefined) return this._connectTimeout;
    this._connectTimeout = v;
    return this;
  }

  /** What makes the adapter of each namespace; setting it gives every namespace a new one. */
  adapter(): AdapterConstructor | undefined;
  adapter(v: AdapterConstructor): this;
  adapter(v?: AdapterConstructor): AdapterConstructor | undefined | this {
    if (v === undefined) return this._adapter;
    this._adapter = v;
    for (const nsp of this._nsps.values()) {
      nsp._initAdapter();
    }
    return this;
  }

  /** Makes the adapter of a namespace. */
  _createAdapter(nsp: object): Adapter {
    const make = this._adapter;
    const isArrowFunction = make.prototype === undefined;
    return isArrowFunction
      ? (make as (nsp: object) => Adapter)(nsp)
      : new (make as new (nsp: object) => Adapter)(nsp);
  }

  /** The same as {@link attach}. */
  listen(srv: HttpServerInstance | number | string, opts: Partial<ServerOptions> = {}): this {
    return this.attach(srv, opts);
  }

  /**
   * Attaches the server to an HTTP server, or lets it listen on a port.
   *
   * @example
   * io.attach(3000);
   * io.attach(createServer().listen(3000));
   *
   * @throws Error if it is given an express application instead of the HTTP server in front of it
   */
  attach(srv: HttpServerInstance | number | string, opts: Partial<ServerOptions> = {}): this {
    if (typeof srv === "function") {
      throw createError("REQUEST_HANDLER");
    }
    this.initEngine(srv, this.mergedWith(opts));
    return this;
  }

  /**
   * Attaches the server to a uWebSockets.js app, which the application lets listen.
   *
   * @example
   * const app = App();
   * io.attachApp(app);
   * app.listen(3000, () => {});
   */
  attachApp(app: object, opts: Partial<ServerOptions> = {}): void {
    const options = this.mergedWith(opts);
    const engine = new Engine(options as Untyped);
    engine.attachApp(app as Untyped, options);
    this.useEngine(engine);
  }

  /** The options of the server win, as they always have. */
  private mergedWith(opts: Partial<ServerOptions>): Partial<ServerOptions> {
    Object.assign(opts, this.opts);
    opts.path ||= this._path;
    return opts;
  }

  private initEngine(srv: HttpServerInstance | number | string, opts: Partial<ServerOptions>): void {
    const engine = new Engine(opts as Untyped);
    if (typeof srv === "object") {
      engine.attach(srv as HttpServer, opts);
      this.httpServer = srv;
    } else {
      engine.listen(Number(srv), opts);
    }
    this.useEngine(engine);
  }

  private useEngine(engine: Engine): void {
    if (engine.httpServer !== undefined) {
      this.httpServer = engine.httpServer as unknown as HttpServerInstance;
    }
    this.eio = engine;
    if (this._serveClient) {
      engine.intercept((exchange) => this.interceptFile(exchange));
    }
    this.bind(engine);
  }

  private interceptFile(exchange: Exchange): boolean {
    const file = clientFileOf(exchange.request.head.url, this._path);
    if (file !== undefined) {
      serveClientFile(file, toFileExchange(exchange), this._corsMiddleware);
    }
    return file !== undefined;
  }

  /** Serves the files of the client in front of the listeners of an HTTP server, for engines given to {@link bind}. */
  attachServe(srv: HttpServer): void {
    const listeners = srv.listeners("request");
    srv.removeAllListeners("request");
    srv.on("request", (req: IncomingMessage, res: ServerResponse) => {
      const file = clientFileOf(req.url as string, this._path);
      if (file === undefined) {
        for (const listener of listeners) listener.call(srv, req, res);
      } else {
        this.serve(file, req, res);
      }
    });
  }

  /** Answers a request of `node:http` with a file of the client. */
  serve(filename: string, req: IncomingMessage, res: ServerResponse): void {
    const respond: FileExchange["respond"] = (status, headers, body) =>
      void res.writeHead(status, headers).end(body);
    serveClientFile(filename, { req, res, respond }, this._corsMiddleware);
  }

  /** The file a URL under the path names. */
  extractFilename(url: string): string {
    return fileNameOf(url, this._path);
  }

  /**
   * Takes the connections of any engine that is like that of `engine.io`.
   *
   * @example
   * const engine = new Engine();
   * engine.attach(httpServer, { path: "/socket.io/" });
   * io.bind(engine);
   */
  bind(engine: BindableEngine): this {
    this.engine = engine as unknown as Engine;
    engine.on("connection", (conn: Connection) => this.onconnection(conn));
    return this;
  }

  /** Called with each connection of the engine. */
  onconnection(conn: Connection): this {
    debug("incoming connection with id %s", conn.id);
    const client = new Client(this, conn);
    if (client.dialect.opensRoot) {
      client.connect("/");
    }
    return this;
  }

  /**
   * The namespace of this name, created if it does not exist; or, for a regular expression or a function, a parent
   * namespace, whose children are created when clients ask for them.
   *
   * @example
   * const orders = io.of("/orders");
   *
   * const dynamic = io.of(/^\/dynamic-\d+$/).on("connection", (socket) => {
   *   socket.nsp.emit("hello"); // "/dynamic-101"
   * });
   *
   * @param name - with or without the slash in front
   * @param fn - a listener of `connect`
   * @throws Error if a regular expression has a state (`g` or `y`)
   */
  of(
    name: string | RegExp | ParentNspNameMatchFn,
    fn?: (socket: Socket<ListenEvents, EmitEvents, ServerSideEvents, SocketData>) => void,
  ): Namespace<ListenEvents, EmitEvents, ServerSideEvents, SocketData> {
    const nsp =
      typeof name === "function" || name instanceof RegExp ? this.createParent(name) : this.namespaceOf(name);
    if (fn) {
      nsp.on("connect", fn);
    }
    return nsp;
  }

  private createParent(
    name: RegExp | ParentNspNameMatchFn,
  ): ParentNamespace<ListenEvents, EmitEvents, ServerSideEvents, SocketData> {
    if (typeof name !== "function" && (name.global || name.sticky)) {
      throw createError("STATEFUL_REGEXP");
    }
    const parent = new ParentNamespace(this);
    debug("initializing parent namespace %s", parent.name);
    if (typeof name === "function") {
      this.parentNsps.set(name, parent);
    } else {
      this.parentNsps.set((nsp, _auth, next) => next(null, name.test(nsp)), parent);
      this.parentNamespacesFromRegExp.set(name, parent);
    }
    return parent;
  }

  private namespaceOf(given: string): Namespace<ListenEvents, EmitEvents, ServerSideEvents, SocketData> {
    const name = String(given).startsWith("/") ? String(given) : `/${given}`;
    const existing = this._nsps.get(name);
    if (existing) {
      return existing;
    }
    for (const [regexp, parent] of this.parentNamespacesFromRegExp) {
      if (regexp.test(name)) {
        return parent.createChild(name);
      }
    }
    debug("initializing namespace %s", name);
    const nsp = new Namespace(this, name);
    this._nsps.set(name, nsp);
    if (name !== "/") {
      this.sockets._announceNamespace(nsp);
    }
    return nsp;
  }

  /** Asks the parent namespaces, in turn, whether one of them will have a child of this name. */
  _checkNamespace(
    name: string,
    auth: Auth,
    fn: (nsp: Namespace<ListenEvents, EmitEvents, ServerSideEvents, SocketData> | false) => void,
  ): void {
    const parents = this.parentNsps.entries();
    const askNext = (): void => {
      const next = parents.next();
      if (next.done) {
        return fn(false);
      }
      const [match, parent] = next.value;
      match(name, auth, (error, allowed) => {
        if (error || !allowed) {
          return askNext();
        }
        // It may have been created while the application was deciding.
        fn(this._nsps.get(name) ?? parent.createChild(name));
      });
    };
    askNext();
  }

  /**
   * Disconnects all clients and stops listening. The HTTP server is closed, too.
   * @param fn - called when that is done, with the error of the HTTP server if it was not listening
   * @returns when that is done; rejects with a TypeError if the server was never attached
   *
   * @example
   * await io.close();
   */
  async close(fn?: (err?: Error) => void): Promise<void> {
    await Promise.allSettled(
      [...this._nsps.values()].map(async (nsp) => {
        for (const socket of nsp.sockets.values()) {
          socket._onclose("server shutting down");
        }
        await nsp.adapter.close();
      }),
    );
    if (this.engine === undefined) {
      throw createError("NOT_ATTACHED");
    }
    this.engine.close();
    const { httpServer } = this;
    if (httpServer === undefined) {
      return fn?.();
    }
    await new Promise<void>((resolve) => {
      httpServer.close((error) => {
        fn?.(error);
        resolve();
      });
    });
  }

  /**
   * Adds a middleware of the root namespace: it sees every socket before it joins, and lets it in by `next()`, or refuses it
   * by `next(error)`, which the client gets as `connect_error`.
   *
   * @example
   * io.use((socket, next) => {
   *   next(isAllowed(socket.handshake.auth) ? undefined : new Error("forbidden"));
   * });
   */
  use(
    fn: (
      socket: Socket<ListenEvents, EmitEvents, ServerSideEvents, SocketData>,
      next: (err?: ExtendedError) => void,
    ) => void,
  ): this {
    this.sockets.use(fn);
    return this;
  }

  /**
   * Sends an event to the other servers of the cluster. If the last argument is a function, they are asked for an answer.
   *
   * @example
   * io.serverSideEmit("hello", "world");
   * io.on("hello", (arg) => console.log(arg));
   *
   * @returns always true
   * @throws Error if the event name is reserved
   */
  serverSideEmit<Ev extends EventNames<ServerSideEvents>>(
    ev: Ev,
    ...args: EventParams<DecorateAcknowledgementsWithTimeoutAndMultipleResponses<ServerSideEvents>, Ev>
  ): boolean {
    return this.sockets.serverSideEmit(ev, ...args);
  }

  /**
   * Sends an event to the other servers of the cluster and waits for their answers.
   *
   * @example
   * const responses = await io.serverSideEmitWithAck("ping");
   *
   * @returns one response per server, without this one
   */
  serverSideEmitWithAck<Ev extends EventNamesWithAck<ServerSideEvents>>(
    ev: Ev,
    ...args: AllButLast<EventParams<ServerSideEvents, Ev>>
  ): Promise<FirstNonErrorArg<Last<EventParams<ServerSideEvents, Ev>>>[]> {
    return this.sockets.serverSideEmitWithAck(ev, ...args);
  }

  protected override newBroadcastOperator(): Broadcast<EmitEvents, SocketData> {
    return new BroadcastOperator(this.sockets.adapter);
  }
}

function isOptions(
  srv: HttpServerInstance | number | string | Partial<ServerOptions> | undefined,
): srv is Partial<ServerOptions> {
  return typeof srv === "object" && srv !== null && !("listen" in srv && srv.listen);
}

/** Listeners, and `emit`, of the server are those of the root namespace. */
const delegated = Server.prototype as unknown as Record<string, unknown>;
for (const [name, method] of Object.entries(EventEmitter.prototype)) {
  if (typeof method === "function") {
    delegated[name] = function (this: Server, ...args: unknown[]): unknown {
      const sockets = this.sockets as unknown as Record<string, (...args: unknown[]) => unknown>;
      return sockets[name]?.(...args);
    };
  }
}
