import { ConnectionErrorCode as Code, connectionErrorMessages } from "../errors.ts";
import type { ConnectionError } from "../errors.ts";
import type { HostTarget, HttpExchange, RequestSource, UpgradeExchange } from "../host/host.ts";
import { parseQuery, toIncomingMessage } from "../http/query.ts";
import type { Query } from "../http/query.ts";
import { safeEmit } from "../loop/safe-call.ts";
import { isThenable } from "../loop/thenable.ts";
import type { Protocol } from "../protocol/protocol.ts";
import type { Session } from "../session/session.ts";
import type { WebTransportSession } from "../transport/webtransport-session.ts";
import { closeSession } from "../transport/webtransport.ts";
import { askAllowRequest, checkId } from "./hooks.ts";
import { generateId } from "./ids.ts";
import { runMiddlewares } from "./middlewares.ts";
import type { AdmissionOwner, PendingRequest } from "./pending-request.ts";
import { PlainRequest } from "./plain-request.ts";
import { isValidOrigin, route } from "./route.ts";
import { UsualQuery } from "./usual-query.ts";
import { UpgradeRequest } from "./upgrade-request.ts";
import { WebTransportHandshake } from "./webtransport-handshake.ts";

/**
 * Receives the requests of all hosts, and decides whether they are let in. In this order: a server that is shut down refuses a
 * request, an interceptor answers it, the middlewares run, and `route()` says what it asks for. For a new session, `allowRequest`
 * agrees, its protocol version is served, and it gets an id.
 */
export class Admission implements HostTarget {
  /** Whether requests that belong to no open session are refused. */
  isShutDown: boolean = false;
  readonly #owner: AdmissionOwner;
  #interceptor: ((exchange: HttpExchange) => boolean) | undefined = undefined;
  /** What most polls and posts look like: they need no parsing. */
  readonly #usual: UsualQuery;
  #lastUrl = "";
  #lastQuery: Query = parseQuery("");

  constructor(owner: AdmissionOwner) {
    this.#owner = owner;
    this.#usual = new UsualQuery((sid) => owner.engine.find(sid));
  }

  /** Offers every plain request to the handler first, which returns whether it answers it. */
  intercept(handler: (exchange: HttpExchange) => boolean): void {
    this.#interceptor = handler;
  }

  get maxPayload(): number {
    return this.#owner.engine.opts.maxHttpBufferSize;
  }

  /** Whether somebody may look at all headers of a request. A session keeps those of its handshake. */
  needsWholeHead(url: string): boolean {
    const { engine } = this.#owner;
    return (
      engine.middlewares.length > 0 ||
      engine.listenerCount("headers") > 0 ||
      engine.listenerCount("initial_headers") > 0 ||
      engine.listenerCount("connection_error") > 0 ||
      (this.#usual.sessionOf(url) === undefined && !this.#queryOf(url)["sid"])
    );
  }

  /** Remembers the last one: hosts ask `needsWholeHead` right before they hand the request over. */
  #queryOf(url: string): Query {
    if (this.#lastUrl !== url) {
      this.#lastQuery = parseQuery(url);
      this.#lastUrl = url;
    }
    return this.#lastQuery;
  }

  onRequest(exchange: HttpExchange): void {
    const session = this.#sessionOf(exchange);
    if (session === undefined) this.#decide(exchange);
    else if (this.#interceptor?.(exchange) !== true) session.transport.onRequest(exchange);
  }

  /** Returns the session of a poll or post for which `route()` would say the same. */
  #sessionOf({ request }: HttpExchange): Session | undefined {
    const { engine } = this.#owner;
    const isPlain = engine.middlewares.length === 0 && engine.transports.includes("polling");
    return isPlain && isValidOrigin(request.head.header("origin"))
      ? this.#usual.sessionOf(request.head.url)
      : undefined;
  }

  #decide(exchange: HttpExchange): void {
    const request = new PlainRequest(exchange, this.#queryOf(exchange.request.head.url));
    if (this.isShutDown && this.#refusesAll(request)) return;
    if (this.#interceptor?.(exchange)) return;
    this.#admit(request);
  }

  onUpgrade(exchange: UpgradeExchange): void {
    const request = new UpgradeRequest(exchange, parseQuery(exchange.request.head.url));
    if (this.isShutDown && this.#refusesAll(request)) return;
    this.#admit(request);
  }

  /** @returns once the client has opened its stream, or has gone */
  onWebTransportSession(session: WebTransportSession): Promise<void> {
    if (this.isShutDown) {
      closeSession(session);
      return Promise.resolve();
    }
    const { engine } = this.#owner;
    const handshake = new WebTransportHandshake(session, {
      transports: engine,
      opts: engine.opts,
      clock: engine.clock,
      find: (sid) => engine.find(sid),
      open: (transport) => {
        if (this.isShutDown) transport.close();
        else this.#owner.open(generateId(), transport, undefined);
      },
      refused: (request, code, context) => this.report(request, code, context),
    });
    return handshake.start();
  }

  /** Emits `connection_error`. */
  report(request: RequestSource, code: Code, context?: Record<string, unknown>): void {
    const { engine } = this.#owner;
    if (engine.listenerCount("connection_error") === 0) return;
    const message = connectionErrorMessages[code];
    const error: ConnectionError = { req: toIncomingMessage(request), code, message, context };
    safeEmit(engine, engine.loop, "connection_error", error);
  }

  /** Of a server that is shut down. Returns whether it has refused the request. */
  #refusesAll(request: PendingRequest): boolean {
    const { sid } = request.query;
    if (sid && this.#owner.engine.find(sid) !== undefined) return false;
    request.unavailable();
    return true;
  }

  #refuse(request: PendingRequest, code: Code, context?: Record<string, unknown>): void {
    this.report(request.exchange.request, code, context);
    const own = context?.["message"];
    request.refuse(code, own ? (own as string) : connectionErrorMessages[code]);
  }

  #admit(request: PendingRequest): void {
    const { middlewares } = this.#owner.engine;
    if (middlewares.length === 0) {
      this.#route(request);
      return;
    }
    const { exchange } = request;
    const { response } = exchange;
    runMiddlewares(middlewares, toIncomingMessage(exchange.request), response, (error) => {
      // A middleware that has begun an answer, and passes the request on as well, leaves nothing to answer it with.
      if (error || (response.headersSent && !exchange.ended)) {
        this.#refuse(request, Code.BAD_REQUEST, { name: "MIDDLEWARE_FAILURE" });
      } else if (!exchange.ended) {
        this.#route(request);
      }
    });
  }

  #route(request: PendingRequest): void {
    // Middlewares may have taken their time.
    if (this.isShutDown && this.#refusesAll(request)) return;
    const { exchange, query, isUpgrade } = request;
    const routed = route(exchange.request.head, query, isUpgrade, this.#owner.engine);
    if (routed.kind === "refuse") {
      this.#refuse(request, routed.code, routed.context);
    } else if (request.isMalformed) {
      this.#refuse(request, Code.BAD_REQUEST, { name: "TRANSPORT_HANDSHAKE_ERROR" });
    } else if (routed.kind === "continue") {
      if (!isUpgrade) this.#usual.learn(exchange.request.head.url, routed.session);
      request.join(routed.session, this.#owner);
    } else {
      this.#askApplication(request, routed.protocol);
    }
  }

  #askApplication(request: PendingRequest, protocol: Protocol): void {
    const { allowRequest } = this.#owner.engine.opts;
    const { exchange } = request;
    if (allowRequest === undefined) {
      this.#identify(request, protocol);
      return;
    }
    askAllowRequest(allowRequest, toIncomingMessage(exchange.request), (refusal) => {
      if (exchange.ended) return;
      if (this.isShutDown) request.unavailable();
      else if (refusal === undefined) this.#identify(request, protocol);
      else this.#refuse(request, Code.FORBIDDEN, refusal);
    });
  }

  #identify(request: PendingRequest, protocol: Protocol): void {
    if (!protocol.isAllowed(this.#owner.engine.opts)) {
      this.#refuse(request, Code.UNSUPPORTED_PROTOCOL_VERSION, { protocol: protocol.version });
      return;
    }
    let made: unknown;
    try {
      made = this.#owner.newId(request.exchange.request);
    } catch (error) {
      this.#refuseId(request, error);
      return;
    }
    if (isThenable(made)) {
      void made.then(
        (id) => this.#open(request, protocol, id),
        (error: unknown) => this.#refuseId(request, error),
      );
    } else {
      this.#open(request, protocol, made);
    }
  }

  #open(request: PendingRequest, protocol: Protocol, made: unknown): void {
    if (request.exchange.ended) return;
    if (this.isShutDown) {
      request.unavailable();
      return;
    }
    let id: string;
    try {
      id = checkId(made, this.#owner.engine);
    } catch (error) {
      this.#refuseId(request, error);
      return;
    }
    request.open(id, protocol, this.#owner);
  }

  #refuseId(request: PendingRequest, error: unknown): void {
    if (request.exchange.ended) return;
    this.#refuse(request, Code.BAD_REQUEST, { name: "ID_GENERATION_ERROR", error });
  }
}
