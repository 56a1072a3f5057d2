import cors from "cors";
import { EventEmitter } from "node:events";
import type { OutgoingHttpHeaders } from "node:http";
import { RequestAdmission, UpgradeAdmission } from "./admission/requests.ts";
import type { Admission } from "./admission/requests.ts";
import { Clock } from "./loop/clock.ts";
import { Contexts } from "./loop/contexts.ts";
import { ConnectionErrorCode, connectionErrorMessages } from "./errors.ts";
import type { ConnectionError } from "./errors.ts";
import { NodeEventLoop } from "./loop/event-loop.ts";
import type { EventLoop } from "./loop/event-loop.ts";
import { Turns } from "./loop/turns.ts";
import { FlushQueue } from "./session/flush-queue.ts";
import type { HostTarget, HttpExchange, RequestSource, UpgradeExchange } from "./host/host.ts";
import type { WebSocketHandlers, WebSocketPort } from "./host/host.ts";
import { askAllowRequest, checkId, isPromiseLike } from "./admission/hooks.ts";
import { sessionCookie } from "./http/cookie.ts";
import { generateId } from "./admission/ids.ts";
import { runMiddlewares } from "./admission/middlewares.ts";
import type { Middleware } from "./admission/middlewares.ts";
import { resolveOptions } from "./options.ts";
import type { ResolvedOptions, ServerOptions } from "./options.ts";
import type { Protocol } from "./protocol/protocol.ts";
import { parseQuery, toIncomingMessage } from "./http/query.ts";
import type { EngineRequest, Query } from "./http/query.ts";
import { route } from "./admission/route.ts";
import type { RouteTable } from "./admission/route.ts";
import { Session } from "./session/session.ts";
import type { SessionOwner } from "./session/types.ts";
import { PollingTransport } from "./transport/polling.ts";
import type { Transport } from "./transport/transport.ts";
import { safeEmit } from "./loop/safe-emit.ts";
import { closeSession } from "./transport/webtransport.ts";
import { WebSocketTransport } from "./transport/websocket.ts";
import type { WebTransportSession } from "./transport/webtransport-session.ts";
import { WebTransportHandshake } from "./admission/webtransport-handshake.ts";
import { queueMicrotask } from "./host/timers.ts";

/**
 * The sessions of one server, whatever hosts its requests come from: decides on each request, opens sessions, and hands the
 * others to the session they belong to.
 *
 * Events: `connection(session)`, `connection_error({ req, code, message, context })`, `initial_headers(headers, req)`,
 * `headers(headers, req)`, `flush(session, packets)`, `drain(session)`.
 */
export class Engine extends EventEmitter implements HostTarget, SessionOwner, RouteTable<Session> {
  readonly opts: ResolvedOptions;
  readonly #sessions: Map<string, Session> = new Map();
  /** The same as an object, once somebody has asked for it: its keys cost more than those of the map. */
  #clients: Record<string, Session> | undefined = undefined;
  readonly middlewares: Middleware[] = [];
  /** @internal */ readonly loop: EventLoop;
  /** @internal */ readonly clock: Clock;
  /** @internal */ readonly contexts: Contexts = new Contexts();
  /** @internal */ readonly flushQueue: FlushQueue;
  /** @internal */ readonly turns: Turns;
  #lastUrl = "";
  #lastQuery: Query = parseQuery("");
  #isShutDown = false;
  #interceptor: ((exchange: HttpExchange) => boolean) | undefined = undefined;

  /** @param loop - Node's event loop unless a test drives its own */
  constructor(opts: ServerOptions = {}, loop: EventLoop = new NodeEventLoop()) {
    super();
    this.loop = loop;
    this.clock = new Clock(loop);
    this.flushQueue = new FlushQueue(loop, this.contexts);
    this.turns = new Turns(loop);
    this.opts = resolveOptions(opts);
    if (this.opts.cors) this.use(cors(this.opts.cors));
  }

  /** Open sessions by id. */
  get clients(): Record<string, Session> {
    return (this.#clients ??= Object.fromEntries(this.#sessions));
  }

  get clientsCount(): number {
    return this.#sessions.size;
  }

  get transports(): readonly string[] {
    return this.opts.transports;
  }

  get maxPayload(): number {
    return this.opts.maxHttpBufferSize;
  }

  find(sid: string): Session | undefined {
    return this.#sessions.get(sid);
  }

  /** Names of the transports a session on the given one may change to. */
  upgrades(transport: string): string[] {
    if (!this.opts.allowUpgrades || transport !== "polling") return [];
    return this.opts.transports.filter((name) => name !== "polling");
  }

  /** Adds a middleware, run before each request is looked at: `(req, res, next) => void`, as for Express. */
  use(middleware: Middleware): this {
    this.middlewares.push(middleware);
    return this;
  }

  /**
   * Makes the id of a new session: 20 characters unless overridden. May be assigned; may answer with a promise. An id must
   * be hard to guess; the handshake is refused with `ID_GENERATION_ERROR` if it is another session's.
   */
  generateId(_req: EngineRequest): string | PromiseLike<string> {
    return generateId();
  }

  /**
   * Offers every request under the path to the handler first; `true` means it has answered, or will. Of the headers of a
   * session's request it may see only those that long-polling reads.
   */
  intercept(handler: (exchange: HttpExchange) => boolean): void {
    this.#interceptor = handler;
  }

  /** Whether new clients are refused: from `io.close()` on, until the HTTP server listens again. */
  get isShutDown(): boolean {
    return this.#isShutDown;
  }

  /** Refuses all that belongs to no open session: with 503, and the end of the connection. */
  shutDown(): void {
    this.#isShutDown = true;
  }

  /** Takes new clients again. */
  startAgain(): void {
    this.#isShutDown = false;
  }

  /** Closes every session. Hosts go on listening, and new clients are taken. */
  close(): this {
    const sessions = [...this.#sessions.values()];
    for (const session of sessions) session.close(true);
    return this;
  }

  /** @internal */
  forget(session: { readonly id: string }): void {
    this.contexts.forget(session);
    if (this.#sessions.get(session.id) !== session) return;
    this.#sessions.delete(session.id);
    if (this.#clients !== undefined) delete this.#clients[session.id];
  }

  /** @internal That of a handshake is kept, and what listens, or runs before, may look at any. */
  needsWholeHead(url: string): boolean {
    return (
      this.middlewares.length > 0 ||
      this.listenerCount("headers") > 0 ||
      this.listenerCount("initial_headers") > 0 ||
      this.listenerCount("connection_error") > 0 ||
      !this.#queryOf(url)["sid"]
    );
  }

  /** Hosts may ask about a request right before they hand it over. */
  #queryOf(url: string): Query {
    if (this.#lastUrl !== url) {
      this.#lastQuery = parseQuery(url);
      this.#lastUrl = url;
    }
    return this.#lastQuery;
  }

  onRequest(exchange: HttpExchange): void {
    const query = this.#queryOf(exchange.request.head.url);
    if (this.#isShutDown && this.#refusesAll(new RequestAdmission(exchange, query))) return;
    if (this.#interceptor?.(exchange)) return;
    const admission = new RequestAdmission(exchange, query);
    if (this.middlewares.length === 0) this.#serve(admission);
    else this.#admit(admission, () => this.#serve(admission));
  }

  /** Once shut down; answers whether it has refused the request. */
  #refusesAll(admission: Admission): boolean {
    const { sid } = admission.query;
    if (sid && this.find(sid) !== undefined) return false;
    admission.unavailable();
    return true;
  }

  #serve(admission: RequestAdmission): void {
    if (this.#isShutDown && this.#refusesAll(admission)) return;
    const { exchange, query } = admission;
    const routed = route(exchange.request.head, query, false, this);
    if (routed.kind === "refuse") {
      this.#refuse(admission, routed.code, routed.context);
    } else if (routed.kind === "continue") {
      routed.session.transport.onRequest(exchange);
    } else {
      this.#handshake(admission, routed.protocol, (id) => {
        const transport = new PollingTransport(routed.protocol, query, this);
        this.#open(id, transport, exchange.request, () => transport.onRequest(exchange));
      });
    }
  }

  onUpgrade(exchange: UpgradeExchange): void {
    const admission = new UpgradeAdmission(exchange, parseQuery(exchange.request.head.url));
    if (this.#isShutDown && this.#refusesAll(admission)) return;
    if (this.middlewares.length === 0) this.#serveUpgrade(admission);
    else this.#admit(admission, () => this.#serveUpgrade(admission));
  }

  #serveUpgrade(admission: UpgradeAdmission): void {
    if (this.#isShutDown && this.#refusesAll(admission)) return;
    const { exchange, query } = admission;
    const routed = route(exchange.request.head, query, true, this);
    if (routed.kind === "refuse") {
      this.#refuse(admission, routed.code, routed.context);
    } else if (exchange.malformed) {
      this.#refuse(admission, ConnectionErrorCode.BAD_REQUEST, { name: "TRANSPORT_HANDSHAKE_ERROR" });
    } else if (routed.kind === "continue") {
      const { session } = routed;
      exchange.accept(this.#upgradeHeaders(exchange, query), (port) => this.#probe(session, port, admission));
    } else {
      this.#handshake(admission, routed.protocol, (id) => {
        exchange.accept(this.#upgradeHeaders(exchange, query), (port) => {
          const transport = this.#webSocketTransport(port, routed.protocol, query);
          this.#open(id, transport, exchange.request);
          return transport;
        });
      });
    }
  }

  /**
   * Takes a WebTransport session from whatever server accepted it. It is served whether or not `transports` names
   * `"webtransport"`, which only says that the upgrade is offered to clients on long-polling. There is no request: middlewares,
   * `allowRequest` and an overridden `generateId` have nothing to look at and are not asked, and the `request` of the Engine.IO
   * session is null. A session that does not begin as it should within `upgradeTimeout` is closed and reported by
   * `connection_error`.
   *
   * @returns once the client has opened its stream, or will not
   */
  onWebTransportSession(session: WebTransportSession): Promise<void> {
    if (this.#isShutDown) {
      closeSession(session);
      return Promise.resolve();
    }
    const handshake = new WebTransportHandshake(session, {
      transports: this,
      opts: this.opts,
      clock: this.clock,
      find: (sid) => this.find(sid),
      open: (transport) => {
        if (this.#isShutDown) transport.close();
        else this.#open(generateId(), transport, undefined);
      },
      refused: (request, code, context) => this.#report(request, code, context),
    });
    return handshake.start();
  }

  /** Middlewares first; then what the request itself wants. */
  #admit(admission: Admission, admitted: () => void): void {
    const { exchange } = admission;
    const { response } = exchange;
    runMiddlewares(this.middlewares, toIncomingMessage(exchange.request), response, (error) => {
      // One that has begun an answer and passes the request on as well leaves nothing to answer it with.
      if (error || (response.headersSent && !exchange.ended)) {
        this.#refuse(admission, ConnectionErrorCode.BAD_REQUEST, { name: "MIDDLEWARE_FAILURE" });
      } else if (!exchange.ended) {
        admitted();
      }
    });
  }

  #refuse(admission: Admission, code: ConnectionErrorCode, context?: Record<string, unknown>): void {
    this.#report(admission.exchange.request, code, context);
    const own = context?.["message"];
    admission.refuse(code, own ? (own as string) : connectionErrorMessages[code]);
  }

  #report(request: RequestSource, code: ConnectionErrorCode, context?: Record<string, unknown>): void {
    if (this.listenerCount("connection_error") === 0) return;
    const message = connectionErrorMessages[code];
    const error: ConnectionError = { req: toIncomingMessage(request), code, message, context };
    safeEmit(this, this.loop, "connection_error", error);
  }

  /** Asks `allowRequest`, checks the version, makes an id. */
  #handshake(admission: Admission, protocol: Protocol, admitted: (id: string) => void): void {
    const { allowRequest } = this.opts;
    const { exchange } = admission;
    if (allowRequest === undefined) {
      this.#identify(admission, protocol, admitted);
      return;
    }
    askAllowRequest(allowRequest, toIncomingMessage(exchange.request), (refusal) => {
      if (exchange.ended) return;
      if (this.#isShutDown) admission.unavailable();
      else if (refusal === undefined) this.#identify(admission, protocol, admitted);
      else this.#refuse(admission, ConnectionErrorCode.FORBIDDEN, refusal);
    });
  }

  #identify(admission: Admission, protocol: Protocol, admitted: (id: string) => void): void {
    if (!protocol.isAllowed(this.opts)) {
      const { version } = protocol;
      this.#refuse(admission, ConnectionErrorCode.UNSUPPORTED_PROTOCOL_VERSION, { protocol: version });
      return;
    }
    // The default needs no request; a view of it would be made for nothing.
    if (this.generateId === Engine.prototype.generateId) admitted(generateId());
    else this.#askForId(admission, admitted);
  }

  #askForId(admission: Admission, admitted: (id: string) => void): void {
    const { exchange } = admission;
    const fail = (error: unknown): void => {
      if (exchange.ended) return;
      this.#refuse(admission, ConnectionErrorCode.BAD_REQUEST, { name: "ID_GENERATION_ERROR", error });
    };
    const take = (made: unknown): void => {
      if (exchange.ended) return;
      if (this.#isShutDown) {
        admission.unavailable();
        return;
      }
      let id: string;
      try {
        id = checkId(made, (taken) => this.find(taken) !== undefined);
      } catch (error) {
        fail(error);
        return;
      }
      admitted(id);
    };
    let made: unknown;
    try {
      made = this.generateId(toIncomingMessage(exchange.request));
    } catch (error) {
      fail(error);
      return;
    }
    if (isPromiseLike(made)) void made.then(take, fail);
    else take(made);
  }

  #open(id: string, transport: Transport, source: RequestSource | undefined, deliver?: () => void): void {
    this.flushQueue.revive();
    const session = new Session(id, this, transport, source);
    this.contexts.keep(session);
    this.#sessions.set(id, session);
    if (this.#clients !== undefined) this.#clients[id] = session;
    session.open();
    deliver?.();
    // A listener of the flush may have ended it already; nobody would hear of its end.
    if (session.readyState === "closed") return;
    safeEmit(this, this.loop, "connection", session);
    // What a listener has sent rides the cork of the handshake. A poll was answered by the open packet, and takes nothing.
    session.flush();
  }

  #probe(session: Session, port: WebSocketPort, { exchange, query }: Admission): WebSocketHandlers {
    const refused = (context: Record<string, unknown>): void =>
      this.#report(exchange.request, ConnectionErrorCode.BAD_REQUEST, context);
    const previousTransport = session.transport.name;
    const isOpen = session.readyState === "open" && previousTransport === "polling";
    if (!isOpen || session.upgrading || !this.opts.allowUpgrades) {
      const name = session.upgrading ? "UPGRADE_OVERLAP" : "TRANSPORT_MISMATCH";
      refused({ name, transport: "websocket", previousTransport });
      return refusePort(port);
    }
    const transport = this.#webSocketTransport(port, session.transport.wireProtocol, query);
    session.probe(transport, refused);
    return transport;
  }

  #webSocketTransport(port: WebSocketPort, protocol: Protocol, query: Query): WebSocketTransport {
    return new WebSocketTransport(port, protocol, !query["b64"], this);
  }

  /** @internal */
  onRefusal(request: RequestSource, context: Record<string, unknown>): void {
    this.#report(request, ConnectionErrorCode.BAD_REQUEST, context);
  }

  /** @internal Cookies and listeners' headers on a long-polling response. */
  decorate(headers: OutgoingHttpHeaders, request: RequestSource, sid: string): void {
    const listened = this.listenerCount("headers") > 0 || this.listenerCount("initial_headers") > 0;
    if (!this.opts.cookie && !listened) return;
    const isInitial = !parseQuery(request.head.url)["sid"];
    if (isInitial && this.opts.cookie) {
      headers["Set-Cookie"] = [sessionCookie(sid, this.opts.cookie)];
    }
    if (!listened) return;
    if (isInitial) safeEmit(this, this.loop, "initial_headers", headers, toIncomingMessage(request));
    safeEmit(this, this.loop, "headers", headers, toIncomingMessage(request));
  }

  #upgradeHeaders(exchange: UpgradeExchange, query: Query): OutgoingHttpHeaders {
    const { request } = exchange;
    const headers = exchange.commitHeaders();
    const isInitial = !query["sid"];
    if (isInitial && this.listenerCount("initial_headers") > 0) {
      safeEmit(this, this.loop, "initial_headers", headers, toIncomingMessage(request));
    }
    if (this.listenerCount("headers") > 0)
      safeEmit(this, this.loop, "headers", headers, toIncomingMessage(request));
    return headers;
  }
}

/** Accepts and closes at once, as the official server does with an upgrade that comes too late. */
function refusePort(port: WebSocketPort): WebSocketHandlers {
  queueMicrotask(() => port.close());
  return { onMessage() {}, onReadEnd() {}, onAnswered() {}, onDrain() {}, onError() {}, onClose() {} };
}
