import { Engine as BaseEngine, internals, Server as Engine } from "@tidewire/engine";
import type { HttpExchange } from "@tidewire/engine";
import { defaultParser } from "@tidewire/parser";
import type { Packet, Parser } from "@tidewire/parser";
import cors from "cors";
import createDebug from "debug";
import { EventEmitter } from "node:events";
import type { IncomingMessage, Server as HttpServer, ServerResponse } from "node:http";
import type { Adapter } from "socket.io-adapter";
import type { AdapterConstructor } from "./adapter-constructor.ts";
import { isOptions, portOf } from "./attachment.ts";
import type { HttpServerInstance } from "./attachment.ts";
import type { Expiries } from "./auth/expiries.ts";
import { BroadcastOperator } from "./broadcast-operator.ts";
import { BroadcastingEmitter } from "./broadcasting-emitter.ts";
import type { Broadcast } from "./broadcasting-emitter.ts";
import { clientFileOf, fileExchangeOf, fileNameOf, serveClientFile } from "./client-files/files.ts";
import type { CorsMiddleware, FileExchange } from "./client-files/files.ts";
import { Client } from "./client.ts";
import type { Cluster, ClusterOption } from "./cluster.ts";
import type { Auth } from "./connection/dialect.ts";
import type { BindableEngine, Connection } from "./connection/port.ts";
import { Drain, readDrainOptions } from "./drain.ts";
import type { DrainOptions } from "./drain.ts";
import { EmptyBuffers } from "./connection/empty-buffers.ts";
import type { SlowConsumer } from "./connection/waiting.ts";
import type { Carriage } from "./context/carriage.ts";
import { createError } from "./errors.ts";
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
} from "./events/typed-events.ts";
import { unheardEventsFor } from "./events/unheard-events.ts";
import type { UnheardEvents } from "./events/unheard-events.ts";
import { GuardedCalls, plainCalls } from "./events/user-code.ts";
import type { ErrorHandler, UserCode } from "./events/user-code.ts";
import { CheckedEvents, checkServerEvent } from "./events/contract.ts";
import type { AnyContract, CheckHandlers } from "./events/contract.ts";
import type { ExtendedError } from "./extended-error.ts";
import type { ClientNamespaces } from "./limits/client-namespaces.ts";
import { decodersFor } from "./limits/decoders.ts";
import type { Decoders } from "./limits/decoders.ts";
import { resolveLimits } from "./limits/options.ts";
import type { ResolvedLimits } from "./limits/options.ts";
import type { ServerRefusal } from "./limits/report.ts";
import { loadInspector } from "../load-inspector.js";
import { Attachments } from "./inspection/attachments.ts";
import type { Inspector, InspectorModule, InspectorOptions } from "./inspection/options.ts";
import { lookups } from "./inspection/view.ts";
import type { ServerView } from "./inspection/view.ts";
import { NamespaceRegistry } from "./namespace-registry.ts";
import type { ParentNspNameMatchFn } from "./namespace-registry.ts";
import { Namespace } from "./namespace.ts";
import type { ServerReservedEventsMap } from "./namespace.ts";
import {
  applyRecoveryDefaults,
  connectTimeoutRule,
  DEFAULT_CONNECT_TIMEOUT,
  DEFAULT_PATH,
  readServerOptions,
} from "./options.ts";
import type { ContractOptions, ServerOptions } from "./options.ts";
import { ParentNamespace } from "./parent-namespace.ts";
import { RecoveryAdapter } from "./recovery/adapter.ts";
import { MemoryAdapter } from "./rooms/memory-adapter.ts";
import type { Socket } from "./socket.ts";
import { Counters } from "./stats/counters.ts";
import { EventLoopDelay } from "./stats/event-loop-delay.ts";
import { serverStats } from "./stats/server-stats.ts";
import type { ServerStats } from "./stats/server-stats.ts";
import { currentWorker } from "./worker.ts";
import type { Worker } from "./worker.ts";

const debug = createDebug("socket.io:server");

/**
 * A Socket.IO server. Given a port, it listens itself, on uWebSockets.js if that can be loaded. Otherwise it handles the requests
 * under its path on the HTTP server or uWebSockets.js app that it is attached to.
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
  /** The root namespace, whose members the server offers as its own. */
  readonly sockets: Namespace<ListenEvents, EmitEvents, ServerSideEvents, SocketData>;
  /** The options, with what was set later. */
  readonly opts: Partial<ServerOptions>;
  readonly _parser: Parser;
  readonly encoder: { encode(packet: Packet): unknown[] };
  /** @internal How application code is called. */
  _userCode: UserCode = plainCalls;
  /** @internal Times how long clients take to join a namespace: the clock of the engine, if it is ours. */
  _clock: internals.Clock = new internals.Clock();
  /** @internal in ms; Infinity for no limit, undefined where callbacks take no error either */
  readonly _ackTimeout: number | undefined;
  /** @internal undefined where no warnings are wanted */
  readonly _unheardEvents: UnheardEvents | undefined;
  /** @internal What becomes of volatile events that a client cannot take. */
  readonly _slowConsumer: SlowConsumer | undefined;
  /** @internal Waits until connections have taken everything. */
  readonly _emptyBuffers: EmptyBuffers = new EmptyBuffers();
  /** @internal The sockets whose credentials end at a date; undefined until there is one. */
  _expiries: Expiries | undefined = undefined;
  /** @internal How the events of all namespaces carry the context of the application. */
  _ownCarriage: Carriage | undefined = undefined;
  /** @internal What clients may do. */
  readonly _limits: ResolvedLimits;
  /** @internal Checks what clients send, if there is a contract. */
  readonly _checkedEvents:
    | CheckedEvents<Socket<ListenEvents, EmitEvents, ServerSideEvents, SocketData>>
    | undefined;
  /** @internal */
  readonly _decoders: Decoders;
  /** @internal What {@link stats} says of the past. */
  readonly _counters: Counters = new Counters();
  /** @internal Counts and reports what the limits refuse. */
  readonly _limitMonitor: internals.LimitMonitor<ServerRefusal> = new internals.LimitMonitor<ServerRefusal>(
    () => this._clock,
    (report) => this.sockets._announceLimit(report),
  );
  /** in ms */
  _connectTimeout!: number;
  private _path!: string;
  private _serveClient!: boolean;
  private _adapter!: AdapterConstructor;
  /** The engines whose connections were accepted: several, if the server is attached to several HTTP servers. */
  private readonly engines: Set<BaseEngine> = new Set();
  /** Undefined unless the option `stats` asks for it. */
  private readonly eventLoopDelay: EventLoopDelay | undefined;
  private readonly attachments: Attachments = new Attachments();
  private drainage: Promise<void> | undefined = undefined;
  private readonly _corsMiddleware: CorsMiddleware | undefined;
  private readonly _cluster: ClusterOption | undefined;
  /** Undefined unless the process is one of several, and the server one of their cluster. */
  private readonly _worker: Worker | undefined;
  /** The Engine.IO server; undefined until the server is attached. */
  engine!: Engine;
  /** The same as {@link engine}. */
  eio!: Engine;
  /** The server that accepts the connections: the given one, or the one created for the given port. */
  httpServer!: HttpServerInstance;
  private readonly registry: NamespaceRegistry<
    Namespace<ListenEvents, EmitEvents, ServerSideEvents, SocketData>,
    ParentNamespace<ListenEvents, EmitEvents, ServerSideEvents, SocketData>
  >;
  /** The namespaces, by name. */
  readonly _nsps: Map<string, Namespace<ListenEvents, EmitEvents, ServerSideEvents, SocketData>>;
  /** The parent namespaces, by the function that decides about the names of their children. */
  readonly parentNsps: Map<
    ParentNspNameMatchFn,
    ParentNamespace<ListenEvents, EmitEvents, ServerSideEvents, SocketData>
  >;
  /** The parent namespaces that were given as a regular expression. */
  readonly parentNamespacesFromRegExp: Map<
    RegExp,
    ParentNamespace<ListenEvents, EmitEvents, ServerSideEvents, SocketData>
  >;

  private readonly contract: AnyContract | undefined;

  /**
   * Given a port, the server listens on uWebSockets.js if it loads. uWebSockets.js rejects HTTP/1.0 with 505, so nginx needs
   * `proxy_http_version 1.1`, and a health check of HAProxy `ver HTTP/1.1`. With the option `host: "node"` it listens on node:http.
   *
   * @example
   * new Server(); // then listen(), attach() or attachApp()
   * new Server(3000);
   * new Server(httpServer, { cors: { origin: "https://example.com" } });
   *
   * @throws Error for an Express application in place of its HTTP server; TypeError or RangeError (`INVALID_OPTION`) for an invalid
   * option; RangeError (`ERR_SOCKET_BAD_PORT`) for an invalid port
   */
  constructor(opts?: Partial<ServerOptions>);
  constructor(srv?: HttpServerInstance | number | string, opts?: Partial<ServerOptions>);
  constructor(opts: ContractOptions<ListenEvents, EmitEvents, ServerSideEvents, SocketData>);
  constructor(
    srv: HttpServerInstance | number | string | undefined,
    opts: ContractOptions<ListenEvents, EmitEvents, ServerSideEvents, SocketData>,
  );
  constructor(
    srv?: HttpServerInstance | number | string | Partial<ServerOptions>,
    opts: Partial<ServerOptions> = {},
  ) {
    super();
    const options = isOptions(srv) ? srv : opts;
    const target = isOptions(srv) ? undefined : srv;
    const read = readServerOptions(options);
    applyRecoveryDefaults(options, read);
    this.opts = options;
    this._unheardEvents = unheardEventsFor(read);
    this._ackTimeout = read.ackTimeout;
    this._slowConsumer = read.slowConsumer;
    this._limits = resolveLimits(read.limits);
    this.eventLoopDelay = read.stats ? new EventLoopDelay() : undefined;
    this.contract = (read as { contract?: AnyContract }).contract;
    this._checkedEvents =
      this.contract && new CheckedEvents(this.contract, this.checkHandlers(), () => this._clock);
    this.registry = new NamespaceRegistry(
      {
        namespace: (name) => new Namespace(this, name),
        parent: () => new ParentNamespace(this),
        announce: (nsp) => this.sockets._announceNamespace(nsp),
      },
      this._limits,
    );
    this._nsps = this.registry.namespaces;
    this.parentNsps = this.registry.parents;
    this.parentNamespacesFromRegExp = this.registry.parentsByRegExp;
    this.path(options.path || DEFAULT_PATH);
    this.connectTimeout(read.connectTimeout || DEFAULT_CONNECT_TIMEOUT);
    this.serveClient(options.serveClient !== false);
    this._parser = (options.parser as Parser | undefined) || defaultParser;
    this.encoder = new this._parser.Encoder();
    const { attachments } = read.limits ?? {};
    const decoderOptions = attachments === undefined ? undefined : { maxAttachments: attachments };
    this._decoders = decodersFor(this._parser, decoderOptions, this._limits.rates);
    if (options.cors) {
      // The types of the package accept either form of the options, but not the union.
      this._corsMiddleware = cors(options.cors as cors.CorsOptions) as CorsMiddleware;
    }
    this._worker = read.cluster === false ? undefined : currentWorker();
    this._cluster = read.cluster || this._worker?.cluster();
    this.cluster?.on("gap", ({ missed }) => (this._counters.clusterMissed += missed));
    this.adapter(options.adapter || this._cluster?.adapter || defaultAdapter(options));
    this.sockets = this.of("/");
    if (target || typeof target === "number") {
      this.attach(target);
    }
  }

  /** The cluster of the option `cluster`, or of the workers of `tidewire start`: its nodes and its events. Undefined without one. */
  get cluster(): Cluster | undefined {
    return this._cluster?.handle;
  }

  private checkHandlers(): CheckHandlers<Socket<ListenEvents, EmitEvents, ServerSideEvents, SocketData>> {
    return {
      onInvalid: (report) => this.sockets._announceInvalid(report),
      onError: (error, event, socket) => this._userCode.report(error, { source: "listener", event, socket }),
    };
  }

  /** @internal Checks an event of another server before its listeners are called. */
  _checkServerEvent(args: readonly unknown[], deliver: (args: unknown[]) => void): void {
    if (this.contract === undefined || this.contract.definition.serverToServer === undefined)
      deliver([...args]);
    else checkServerEvent(this.contract.fromServers, args, deliver, this.checkHandlers());
  }

  /** The same as {@link opts}. */
  get _opts(): Partial<ServerOptions> {
    return this.opts;
  }

  /** Merges options given later with those of the server, which take precedence, as officially. */
  private mergedWith(opts: Partial<ServerOptions>): Partial<ServerOptions> {
    Object.assign(opts, this.opts);
    opts.path ||= this._path;
    return opts;
  }

  /**
   * Gets or sets whether the files of the client are served; to be set before the server is attached.
   *
   * @example
   * io.serveClient(false).attach(3000);
   */
  serveClient(v: boolean): this;
  serveClient(): boolean;
  serveClient(v?: boolean): this | boolean {
    if (v === undefined) return this._serveClient;
    this._serveClient = v;
    return this;
  }

  /**
   * Gets or sets the path of all requests, without a slash at its end; to be set before the server is attached.
   *
   * @example
   * io.path("/my-path").attach(3000);
   */
  path(v: string): this;
  path(): string;
  path(v?: string): this | string {
    if (v === undefined) return this._path;
    this._path = v.replace(/\/$/, "");
    return this;
  }

  /**
   * Gets or sets how long a client may be connected without joining a namespace, in ms.
   *
   * @throws TypeError or RangeError (`INVALID_OPTION`) if the time is invalid
   *
   * @example
   * io.connectTimeout(10_000);
   */
  connectTimeout(v: number): this;
  connectTimeout(): number;
  connectTimeout(v?: number): this | number {
    if (v === undefined) return this._connectTimeout;
    this._connectTimeout = internals.optionRules.readOption(
      "connectTimeout",
      connectTimeoutRule,
      v,
    ) as number;
    return this;
  }

  /**
   * Gets or sets the class or function that creates the adapters. Setting it gives every namespace a new adapter.
   *
   * @example
   * io.adapter(createAdapter(pubClient, subClient));
   */
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

  /** @internal Creates the adapter of a namespace. */
  _createAdapter(nsp: object): Adapter {
    const make = this._adapter;
    const isArrowFunction = make.prototype === undefined;
    return isArrowFunction
      ? (make as (nsp: object) => Adapter)(nsp)
      : new (make as new (nsp: object) => Adapter)(nsp);
  }

  /**
   * The same as {@link attach}.
   *
   * @example
   * io.listen(3000);
   */
  listen(srv: HttpServerInstance | number | string, opts: Partial<ServerOptions> = {}): this {
    return this.attach(srv, opts);
  }

  /**
   * Attaches the server to an HTTP server, or listens on a port. On uWebSockets.js it handles HTTP/1.1 only.
   *
   * @example
   * io.attach(3000);
   * io.attach(createServer().listen(3000));
   *
   * @throws Error for an Express application in place of its HTTP server; TypeError for anything else that is neither a server nor a
   * port
   */
  attach(srv: HttpServerInstance | number | string, opts: Partial<ServerOptions> = {}): this {
    if (typeof srv === "function") {
      throw createError("REQUEST_HANDLER");
    }
    this.initEngine(srv, this.mergedWith(opts));
    return this;
  }

  /**
   * Attaches the server to a uWebSockets.js app, on which the application calls `listen`.
   *
   * @throws TypeError if it is something else, such as a server of Node.js or an application of Express
   *
   * @example
   * const app = App();
   * io.attachApp(app);
   * app.listen(3000, () => {});
   */
  attachApp(app: object, opts: Partial<ServerOptions> = {}): void {
    const options = this.mergedWith(opts);
    const engine = new Engine(options);
    engine.attachApp(app as Untyped, options);
    this.useEngine(engine);
  }

  private initEngine(srv: HttpServerInstance | number | string, opts: Partial<ServerOptions>): void {
    const engine = new Engine(opts);
    if (typeof srv === "object") {
      if (this.eio?.isShutDown) this.eio.detach(srv);
      engine.attach(srv, opts);
      this.httpServer = srv;
    } else {
      const isShared = this._worker !== undefined || this._cluster !== undefined;
      engine.listen(portOf(srv), isShared ? { reusePort: true, ...opts } : opts);
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

  private interceptFile(exchange: HttpExchange): boolean {
    const { request } = exchange;
    const file = clientFileOf(request.head.url, this._path);
    if (file === undefined) return false;
    const respond: FileExchange["respond"] = (status, headers, body) =>
      exchange.respond(status, headers, body);
    // Both are created on first use.
    serveClientFile(file, { req: request.message, res: exchange.response, respond }, this._corsMiddleware);
    return true;
  }

  /**
   * Serves the files of the client on an HTTP server, before its other listeners; for engines given to {@link bind}.
   *
   * @example
   * io.bind(engine);
   * io.attachServe(httpServer);
   */
  attachServe(srv: HttpServer): void {
    const listeners = srv.listeners("request");
    srv.removeAllListeners("request");
    srv.on("request", (req: IncomingMessage, res: ServerResponse) => {
      const file = clientFileOf(req.url ?? "", this._path);
      if (file === undefined) {
        for (const listener of listeners) listener.call(srv, req, res);
      } else {
        this.serve(file, req, res);
      }
    });
  }

  /**
   * Responds to a request of `node:http` with a file of the client.
   *
   * @example
   * io.serve("socket.io.min.js", req, res);
   */
  serve(filename: string, req: IncomingMessage, res: ServerResponse): void {
    serveClientFile(filename, fileExchangeOf(req, res), this._corsMiddleware);
  }

  /**
   * The same as {@link serve}, without the headers of `cors`.
   *
   * @example
   * Server.sendFile("socket.io.min.js", req, res);
   */
  static sendFile(filename: string, req: IncomingMessage, res: ServerResponse): void {
    serveClientFile(filename, fileExchangeOf(req, res), undefined);
  }

  /**
   * Returns the name of the file that a URL under the path refers to.
   *
   * @example
   * io.extractFilename("/socket.io/socket.io.js?v=1"); // "socket.io.js"
   */
  extractFilename(url: string): string {
    return fileNameOf(url, this._path);
  }

  /**
   * Accepts the connections of an engine: of this project, of `engine.io`, or one like them.
   *
   * @example
   * const engine = new Engine();
   * engine.attach(httpServer, { path: "/socket.io/" });
   * io.bind(engine);
   */
  bind(engine: BindableEngine): this {
    this.engine = engine as unknown as Engine;
    this.attachments.attached(engine);
    if (engine instanceof BaseEngine) {
      engine.startAgain();
      this.engines.add(engine);
      this.eventLoopDelay?.start();
      this.drainage = undefined;
      this._clock = internals.clockOf(engine);
      internals.setLimitMonitor(engine, this._limitMonitor);
      this._cluster?.joinEngine(engine);
    }
    if (engine instanceof Engine) this._worker?.onAttached(this);
    engine.on("connection", (conn: Connection) => this.onconnection(conn));
    return this;
  }

  /**
   * Accepts a connection of an engine.
   *
   * @example
   * engine.on("connection", (conn) => io.onconnection(conn));
   */
  onconnection(conn: Connection): this {
    debug("incoming connection with id %s", conn.id);
    const client = new Client(this, conn);
    if (client.dialect.opensRoot) {
      client.connect("/");
    }
    return this;
  }

  /**
   * Returns the namespace of this name, and creates it if it does not exist. For a regular expression or a function, creates a
   * parent namespace, whose children are created when clients ask for them.
   *
   * @example
   * const orders = io.of("/orders");
   *
   * const dynamic = io.of(/^\/dynamic-\d+$/).on("connection", (socket) => {
   *   socket.nsp.emit("hello"); // "/dynamic-101"
   * });
   *
   * @param name - with or without the leading slash
   * @param fn - a listener of `connect`
   * @throws Error if a regular expression is stateful (`g` or `y`)
   */
  of(
    name: string | RegExp | ParentNspNameMatchFn,
    fn?: (socket: Socket<ListenEvents, EmitEvents, ServerSideEvents, SocketData>) => void,
  ): Namespace<ListenEvents, EmitEvents, ServerSideEvents, SocketData> {
    const nsp =
      typeof name === "function" || name instanceof RegExp
        ? this.registry.createParent(name)
        : this.registry.of(name);
    if (fn) {
      nsp.on("connect", fn);
    }
    return nsp;
  }

  /** @internal The namespaces that exist because clients have asked for them. */
  get _clientMade(): ClientNamespaces<Namespace<ListenEvents, EmitEvents, ServerSideEvents, SocketData>> {
    return this.registry.clientMade;
  }

  /** Asks the parent namespaces in turn whether one of them accepts a child of this name. */
  _checkNamespace(
    name: string,
    auth: Auth,
    fn: (
      nsp: Namespace<ListenEvents, EmitEvents, ServerSideEvents, SocketData> | false | "exhausted",
    ) => void,
    isWanted: () => boolean = () => true,
  ): void {
    this.registry.askParents(name, auth, fn, { isWanted, userCode: this._userCode });
  }

  /**
   * Disconnects all clients, refuses new ones and closes the HTTP server. Once the adapters have closed, this takes at most a second;
   * requests of the application that are still open continue.
   * @param fn - called at the end, with the error of the HTTP server if it was not listening
   * @returns a promise that resolves at the end, or rejects with a TypeError if the server was never attached
   *
   * @example
   * await io.close();
   */
  async close(fn?: (err?: Error) => void): Promise<void> {
    try {
      await this.closeAll(fn);
    } finally {
      this.eventLoopDelay?.stop();
      await this._cluster?.leave();
    }
  }

  private async closeAll(fn: ((err?: Error) => void) | undefined): Promise<void> {
    const own = this.engine instanceof BaseEngine ? this.engine : undefined;
    own?.shutDown();
    this.attachments.detached();
    if (this._cluster?.retire !== undefined) await this._cluster.retire();
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
      const done = (error?: Error): void => {
        fn?.(error);
        resolve();
      };
      if (own === undefined) httpServer.close(done);
      else own.shutDownServer(httpServer, done);
    });
  }

  /**
   * Returns what the server has done since it was created, and what it holds now, as plain data. It visits every connection and every
   * socket. With the option `stats` it includes the traffic and the delay of the event loop.
   *
   * @example
   * io.stats().connections; // { polling: 2, websocket: 40 }
   */
  stats(): ServerStats {
    return this.statsWith(this.eventLoopDelay);
  }

  /** @param eventLoopDelay - undefined where a reader must not begin a new measurement */
  private statsWith(eventLoopDelay: EventLoopDelay | undefined): ServerStats {
    return serverStats({
      engines: this.engines,
      namespaces: this._nsps.values(),
      counters: this._counters,
      limits: this._limitMonitor.counts,
      cluster: this.cluster,
      eventLoopDelay,
    });
  }

  /**
   * Serves a page that shows what the server does while somebody looks at it: clients, rooms, events, why clients leave. Unless it is
   * `readonly`, one can also emit, join, leave and disconnect. It needs the package `@tidewire/inspector`, which is loaded here and
   * not before. Without `auth`, only this machine may open the page.
   *
   * @returns a promise that resolves once the page is served, or will be as soon as the server is attached. It rejects with an Error
   * (`INSPECTOR_NOT_INSTALLED`) without the package; TypeError (`INVALID_OPTION`) for an invalid option; Error (`NO_HTTP_SERVER`) for
   * an engine in memory
   *
   * @example
   * await io.inspect({ auth: { username: "ops", password: process.env.INSPECTOR_PASSWORD } });
   */
  async inspect(options: InspectorOptions = {}): Promise<Inspector> {
    let loaded: InspectorModule;
    try {
      loaded = (await loadInspector()) as InspectorModule;
    } catch (error) {
      throw Object.assign(createError("INSPECTOR_NOT_INSTALLED"), { cause: error });
    }
    return loaded.inspect(this, options);
  }

  /** @internal What the inspector sees of the server. */
  _view(): ServerView {
    return {
      namespaces: this._nsps as unknown as ServerView["namespaces"],
      path: this._path,
      trustProxy: this.opts.limits?.trustProxy,
      cluster: () => this.cluster,
      stats: () => this.statsWith(undefined),
      engines: () => [...this.engines],
      attachments: this.attachments,
      ...lookups,
    };
  }

  /** Whether the server takes no new clients because of {@link drain}: from its call on, until the server is attached again. */
  get draining(): boolean {
    return this.drainage !== undefined;
  }

  /** Whether new clients are accepted: the server is attached, not closed, not draining, and its cluster is ready. */
  get ready(): boolean {
    const { engine } = this;
    if (engine === undefined || this.draining) return false;
    if (engine instanceof BaseEngine && engine.isShutDown) return false;
    return this._cluster?.handle.ready ?? true;
  }

  /**
   * Returns a handler for the readiness probe of a load balancer: it answers 200 while {@link ready}, else 503. The body is JSON:
   * `{ "ready": true, "draining": false, "clients": 7 }`. For a liveness probe, any answer will do.
   *
   * @example
   * app.get("/ready", io.readiness()); // Express
   */
  readiness(): (req: IncomingMessage, res: ServerResponse) => void {
    return (_req, res) => {
      const { ready, draining } = this;
      res.writeHead(ready ? 200 : 503, { "Content-Type": "application/json", "Cache-Control": "no-store" });
      res.end(JSON.stringify({ ready, draining, clients: this.engine?.clientsCount ?? 0 }));
    };
  }

  /**
   * Prepares the end of this process without a herd of reconnections: refuses new clients with 503 and `Retry-After`, or passes them to
   * the other processes of its cluster, and lets the connected ones leave in batches. They get what was sent to them, see the reason
   * `transport close`, and reconnect by themselves, to another server. Sockets emit `disconnect` with the reason
   * `server shutting down`, from which a client can recover. Emits `drain` first. The server goes on listening; call {@link close}
   * afterwards. Calls while it drains return the same promise.
   *
   * @returns a promise that resolves once every client has left, at the latest after `within`; it rejects with the reason of the
   * signal if that stops it, and with a TypeError (`NOT_ATTACHED`) if the server was never attached
   * @throws TypeError or RangeError (`INVALID_OPTION`) for an invalid option
   *
   * @example
   * process.once("SIGTERM", async () => {
   *   await io.drain({ within: 30_000 });
   *   await io.close();
   * });
   */
  drain(options: DrainOptions = {}): Promise<void> {
    if (this.drainage !== undefined) return this.drainage;
    const { engine } = this;
    const read = readDrainOptions(options);
    if (engine === undefined) return Promise.reject(createError("NOT_ATTACHED"));
    if (read.signal?.aborted) return Promise.reject(read.signal.reason);
    if (engine instanceof BaseEngine) engine.shutDown();
    this._cluster?.drain?.(true);
    const drain = new Drain({ engine, namespaces: this._nsps }, read);
    this.drainage = this.finishDraining(drain, read.signal);
    this.sockets._announceDrain();
    return this.drainage;
  }

  private async finishDraining(drain: Drain, signal: AbortSignal | undefined): Promise<void> {
    const stop = (): void => drain.stop();
    signal?.addEventListener("abort", stop, { once: true });
    await drain.run();
    signal?.removeEventListener("abort", stop);
    if (signal?.aborted !== true) {
      drain.cut();
      return;
    }
    if (this.engine instanceof BaseEngine) this.engine.startAgain();
    this._cluster?.drain?.(false);
    this.drainage = undefined;
    throw signal.reason;
  }

  /**
   * Adds a middleware of the root namespace, which is called with every socket before it joins. It calls `next()` to admit the
   * socket, or `next(error)` to refuse it, which the client receives as `connect_error`.
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
   * Registers a handler for errors thrown or rejected by your listeners, middlewares and acknowledgement callbacks; they no
   * longer crash the process. Without a handler they are uncaught exceptions and unhandled rejections.
   *
   * @example
   * io.onError((error, { source, event, socket }) => log.error({ error, source, event, id: socket?.id }));
   */
  onError(handler: ErrorHandler<Socket<ListenEvents, EmitEvents, ServerSideEvents, SocketData>>): this {
    const guarded = this._userCode instanceof GuardedCalls ? this._userCode : new GuardedCalls();
    guarded.add(handler);
    this._userCode = guarded;
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

function defaultAdapter(options: Partial<ServerOptions>): AdapterConstructor {
  return (options.connectionStateRecovery ? RecoveryAdapter : MemoryAdapter) as typeof Adapter;
}

/** The methods of EventEmitter act on the root namespace. */
const delegated = Server.prototype as unknown as Record<string, unknown>;
for (const [name, method] of Object.entries(EventEmitter.prototype)) {
  if (typeof method === "function") {
    delegated[name] = function (this: Server, ...args: unknown[]): unknown {
      const sockets = this.sockets as unknown as Record<string, (...args: unknown[]) => unknown>;
      return sockets[name]?.(...args);
    };
  }
}
