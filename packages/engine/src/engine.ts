import cors from "cors";
import { EventEmitter } from "node:events";
import type { OutgoingHttpHeaders } from "node:http";
import { Admission } from "./admission/admission.ts";
import type { EngineCluster } from "./admission/cluster.ts";
import { generatePrefixedId } from "./admission/ids.ts";
import type { Middleware } from "./admission/middlewares.ts";
import type { RouteTable } from "./admission/route.ts";
import { ConnectionErrorCode } from "./errors.ts";
import { CLOSE_GRACE } from "./host/host.ts";
import type { Host, HttpExchange, HttpServerLike, RequestSource } from "./host/host.ts";
import { serverNotRunning } from "./host/not-running.ts";
import { clearTimeout, setImmediate, setTimeout } from "./host/timers.ts";
import { sessionCookie } from "./http/cookie.ts";
import { parseQuery, toIncomingMessage } from "./http/query.ts";
import type { EngineRequest } from "./http/query.ts";
import { AddressLimits } from "./limits/address-limits.ts";
import { LimitMonitor } from "./limits/monitor.ts";
import { Clock } from "./loop/clock.ts";
import { Contexts } from "./loop/contexts.ts";
import { NodeEventLoop } from "./loop/event-loop.ts";
import type { EventLoop } from "./loop/event-loop.ts";
import { safeEmit } from "./loop/safe-call.ts";
import { Turns } from "./loop/turns.ts";
import { resolveOptions } from "./options.ts";
import type { ResolvedOptions, ServerOptions } from "./options.ts";
import type { Broadcasts } from "./session/broadcasts.ts";
import { FlushQueue } from "./session/flush-queue.ts";
import { OpenData } from "./session/open-data.ts";
import { Session } from "./session/session.ts";
import type { SessionOwner } from "./session/types.ts";
import { EngineCounters } from "./stats/counters.ts";
import { engineStats } from "./stats/engine-stats.ts";
import type { EngineStats } from "./stats/engine-stats.ts";
import { Traffic } from "./stats/traffic.ts";
import type { Transport } from "./transport/transport.ts";
import type { WebTransportSession } from "./transport/webtransport-session.ts";

/**
 * The sessions of one server, whatever hosts their requests come from. What `admission/` lets in opens a session here, or
 * goes to the session it names.
 *
 * Events: `connection(session)`, `connection_error({ req, code, message, context })`, `initial_headers(headers, req)`,
 * `headers(headers, req)`, `flush(session, packets)`, `drain(session)`, `limit_exceeded({ code, limit, address, times })`.
 */
export class Engine extends EventEmitter implements SessionOwner, RouteTable<Session> {
  /** The options, with every default filled in. */
  readonly opts: ResolvedOptions;
  readonly #sessions: Map<string, Session> = new Map();
  /** The same as an object, created on first use: its keys cost more than those of the map. */
  #clients: Record<string, Session> | undefined = undefined;
  /** The middlewares of {@link use}. */
  readonly middlewares: Middleware[] = [];
  /** @internal */ readonly loop: EventLoop;
  /** @internal */ readonly clock: Clock;
  /** @internal */ readonly contexts: Contexts = new Contexts();
  /** @internal */ readonly flushQueue: FlushQueue<Session>;
  /** @internal */ readonly broadcasts: Broadcasts<Session>;
  /** @internal */ readonly turns: Turns;
  /** @internal Counts and reports what the limits refuse. */
  limitMonitor: Pick<LimitMonitor, "exceeded">;
  /** @internal undefined if there are none */
  readonly addressLimits: AddressLimits | undefined;
  /** @internal */ readonly openData: OpenData = new OpenData();
  /** @internal */ readonly counters: EngineCounters = new EngineCounters();
  /** @internal Counts messages and bytes; undefined unless the option `stats` asks for it. */
  readonly traffic: Traffic | undefined;
  readonly #hosts: Host[] = [];
  /** Set by `stopListening()`: resolves once the HTTP server has closed, with the error that the next `io.close()` reports. */
  #closed: Promise<Error | undefined> | undefined = undefined;
  #cluster: EngineCluster | undefined = undefined;
  readonly #admission: Admission = new Admission({
    engine: this,
    newId: (request) => this.#newId(request),
    openSession: (id, transport, request, greeting) => this.#open(id, transport, request, greeting),
  });

  /** @param loop - Node's event loop unless a test drives its own */
  constructor(opts: ServerOptions = {}, loop: EventLoop = new NodeEventLoop()) {
    super();
    this.loop = loop;
    this.clock = new Clock(loop);
    this.flushQueue = new FlushQueue(Session.flushHandlers, loop, this.contexts);
    this.broadcasts = this.flushQueue.broadcasts;
    this.turns = new Turns(loop);
    this.opts = resolveOptions(opts);
    this.traffic = this.opts.stats ? new Traffic() : undefined;
    this.addressLimits = AddressLimits.of(this.opts.limits, loop);
    this.limitMonitor = new LimitMonitor(
      () => this.clock,
      (report) => safeEmit(this, loop, "limit_exceeded", report),
    );
    if (this.opts.cors) this.use(cors(this.opts.cors));
  }

  /** @internal The same as {@link clients}, without the object. */
  get sessions(): ReadonlyMap<string, Session> {
    return this.#sessions;
  }

  /** Open sessions by id. */
  get clients(): Record<string, Session> {
    return (this.#clients ??= Object.fromEntries(this.#sessions));
  }

  /** How many sessions are open. */
  get clientsCount(): number {
    return this.#sessions.size;
  }

  /**
   * Returns what the engine has done and what it holds now, as plain data. It visits every session.
   *
   * @example
   * engine.stats().connections; // { polling: 2, websocket: 40 }
   */
  stats(): EngineStats {
    return engineStats(this.#sessions.values(), this.counters, this.traffic);
  }

  /** The names of the transports that clients may use. */
  get transports(): readonly string[] {
    return this.opts.transports;
  }

  /**
   * Returns the open session of this id.
   *
   * @example
   * engine.find("8zh2JJP3lQZPTDHNAAAA")?.close();
   */
  find(sid: string): Session | undefined {
    return this.#sessions.get(sid);
  }

  /**
   * Returns the names of the transports that a session on the given one may change to.
   *
   * @example
   * engine.upgrades("polling"); // ["websocket"]
   */
  upgrades(transport: string): string[] {
    if (!this.opts.allowUpgrades || transport !== "polling") return [];
    return this.opts.transports.filter((name) => name !== "polling");
  }

  /**
   * Adds a middleware that runs before anything else looks at a request: `(req, res, next) => void`, as for Express.
   *
   * @example
   * engine.use(helmet());
   */
  use(middleware: Middleware): this {
    this.middlewares.push(middleware);
    return this;
  }

  /**
   * Returns the id of a new session, or a promise of it: 20 characters unless overridden or assigned. An id must be hard to
   * guess. If another session has it, or if it does not begin with `idPrefix`, the handshake is refused with
   * `ID_GENERATION_ERROR`.
   *
   * @example
   * engine.generateId = () => engine.idPrefix + randomUUID();
   */
  generateId(_req: EngineRequest): string | PromiseLike<string> {
    return generatePrefixedId(this.idPrefix);
  }

  /** The characters with which the ids of its sessions begin: the id of the node in a cluster, otherwise empty. */
  get idPrefix(): string {
    return this.#cluster?.idPrefix ?? "";
  }

  /**
   * Joins the engines of other processes: requests of their sessions may come here, and those of its own there. It can join one.
   * The option `cluster` of a Socket.IO server does this.
   *
   * @example
   * engine.joinCluster(directory);
   */
  joinCluster(cluster: EngineCluster): this {
    this.#cluster = cluster;
    this.#admission.joinCluster(cluster);
    return this;
  }

  /**
   * Offers every request under the path to the handler first, which returns whether it answers it, now or later. Of the
   * headers of a session's request it may see only those that long-polling reads.
   *
   * @example
   * engine.intercept((exchange) => {
   *   if (exchange.request.head.url !== "/engine.io/health") return false;
   *   exchange.respond(200, {}, "ok");
   *   return true;
   * });
   */
  intercept(handler: (exchange: HttpExchange) => boolean): void {
    this.#admission.intercept(handler);
  }

  /**
   * Serves everything that the host receives, such as a `MemoryHost`.
   *
   * @example
   * const host = new MemoryHost();
   * const engine = new Engine().attachHost(host);
   */
  attachHost(host: Host): this {
    host.bind(this.#admission);
    this.#hosts.push(host);
    this.startAgain();
    return this;
  }

  /** Whether new clients are turned away: from `io.close()` on, until the HTTP server listens again. */
  get isShutDown(): boolean {
    return this.#admission.isShutDown;
  }

  /**
   * Refuses whatever belongs to no open session, with 503, and ends its connection. In a cluster, another node takes new clients if
   * there is one.
   *
   * @example
   * engine.shutDown();
   */
  shutDown(): void {
    this.#admission.isShutDown = true;
  }

  /**
   * Accepts new clients again.
   *
   * @example
   * engine.startAgain();
   */
  startAgain(): void {
    this.#admission.isShutDown = false;
    this.#closed = undefined;
  }

  /** @internal For `stopListening()`. A server of Node begins to close; sessions go on, and so does whatever else is open. */
  stopServer(server: HttpServerLike): void {
    if (server.stopListening !== undefined) server.stopListening();
    else if (server.listening)
      this.#closed = new Promise((resolve) => server.close(() => resolve(undefined)));
  }

  /**
   * Closes every session, and connections of HTTP/2 that no request needs. Hosts go on listening.
   *
   * @example
   * engine.close();
   */
  close(): this {
    this.#admission.closeHeld();
    const sessions = [...this.#sessions.values()];
    for (const session of sessions) session.close(true);
    for (const host of this.#hosts) host.close?.();
    return this;
  }

  /**
   * For `io.close()`: refuses new clients and closes the HTTP server. Calls back when that has closed, or after a second, when
   * only requests of the application are left, which may take as long as they like.
   *
   * @example
   * engine.shutDownServer(httpServer, (error) => console.log("closed", error));
   */
  shutDownServer(server: HttpServerLike, done: (error?: Error) => void): void {
    // It may have begun to listen since.
    this.shutDown();
    let isDone = false;
    const finish = (error?: Error): void => {
      if (isDone) return;
      isDone = true;
      clearTimeout(timer);
      done(error);
    };
    const timer = setTimeout(() => {
      if (this.isShutDown) {
        for (const host of this.#hosts) host.cut?.();
        server.closeIdleConnections?.();
      }
      // Connections emit `close` a turn later.
      setImmediate(() => setImmediate(() => finish()));
    }, CLOSE_GRACE);
    const closed = this.#closed;
    if (closed === undefined) {
      server.close(finish);
      return;
    }
    void closed.then(finish);
    this.#closed = closed.then(serverNotRunning);
  }

  /** @internal */
  upgraded(session: { readonly id: string }): void {
    this.#cluster?.onUpgraded(session.id);
  }

  /** @internal */
  forget(session: { readonly id: string }): void {
    this.contexts.forget(session);
    if (this.#sessions.get(session.id) !== session) return;
    this.#sessions.delete(session.id);
    this.#cluster?.onEnded(session.id);
    this.addressLimits?.closed(session.id);
    if (this.#clients !== undefined) delete this.#clients[session.id];
  }

  /**
   * Serves a WebTransport session from whatever server accepted it, whether or not `transports` names `"webtransport"`: that
   * only offers the upgrade to clients on long-polling. There is no request, so middlewares, `allowRequest` and an overridden
   * `generateId` are not called, and the `request` of the Engine.IO session is null. A session that does not send a valid open
   * packet within `upgradeTimeout` is closed and reported by `connection_error`.
   *
   * @returns once the client has opened its stream, or has gone
   *
   * @example
   * for await (const session of http3Server.sessionStream("/engine.io/")) {
   *   void engine.onWebTransportSession(session);
   * }
   */
  onWebTransportSession(session: WebTransportSession): Promise<void> {
    return this.#admission.onWebTransportSession(session);
  }

  #newId(request: RequestSource): unknown {
    // Requests of a session that began earlier could come to nodes that do not know this one.
    return this.#cluster?.starting?.then(() => this.#generateId(request)) ?? this.#generateId(request);
  }

  #generateId(request: RequestSource): unknown {
    // The default needs no request: it would be created for nothing.
    return this.generateId === Engine.prototype.generateId
      ? generatePrefixedId(this.idPrefix)
      : this.generateId(toIncomingMessage(request));
  }

  #open(
    id: string,
    transport: Transport,
    request: RequestSource | undefined,
    greeting?: HttpExchange | "greeted",
  ): void {
    this.flushQueue.revive();
    const isGreeted = greeting === "greeted";
    const session = new Session(id, this, transport, request, isGreeted);
    this.contexts.keep(session);
    this.#sessions.set(id, session);
    this.counters.handshakes.add(transport.name);
    if (request !== undefined) this.addressLimits?.opened(id, request);
    if (this.#clients !== undefined) this.#clients[id] = session;
    if (greeting !== undefined && !isGreeted) transport.onRequest(greeting);
    // A listener of `flush` may have closed it already. Listeners of `connection` would miss its end.
    if (session.readyState === "closed") return;
    safeEmit(this, this.loop, "connection", session);
    // Messages that a listener has sent leave with the handshake. On long-polling, the poll was answered by the open packet.
    Session.control.opened(session);
  }

  /** @internal */
  onRefusal(request: RequestSource, context: Record<string, unknown>): void {
    this.#admission.report(request, ConnectionErrorCode.BAD_REQUEST, context);
  }

  /** @internal */
  get decorates(): boolean {
    return Boolean(this.opts.cookie) || this.#hasHeaderListeners;
  }

  get #hasHeaderListeners(): boolean {
    return this.listenerCount("headers") > 0 || this.listenerCount("initial_headers") > 0;
  }

  /** @internal */
  decorate(headers: OutgoingHttpHeaders, request: RequestSource, sid?: string): void {
    const { cookie } = this.opts;
    const setsCookie = cookie && sid !== undefined;
    const isListened = this.#hasHeaderListeners;
    if (!setsCookie && !isListened) return;
    const isInitial = !parseQuery(request.head.url)["sid"];
    if (isInitial && setsCookie) headers["Set-Cookie"] = [sessionCookie(sid, cookie)];
    if (!isListened) return;
    if (isInitial) safeEmit(this, this.loop, "initial_headers", headers, toIncomingMessage(request));
    safeEmit(this, this.loop, "headers", headers, toIncomingMessage(request));
  }
}

/** The clock of an engine, for the server above it. */
export function clockOf(engine: Engine): Clock {
  return engine.clock;
}

/** The open sessions of an engine by id, for the server above it. */
export function sessionsOf(engine: Engine): ReadonlyMap<string, Session> {
  return engine.sessions;
}

/** Lets the monitor of a Socket.IO server count what the limits of its engine refuse, and emit the events. */
export function setLimitMonitor(engine: Engine, monitor: Pick<LimitMonitor, "exceeded">): void {
  engine.limitMonitor = monitor;
}
