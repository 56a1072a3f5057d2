import { ConnectionErrorCode as Code, connectionErrorMessages } from "../errors.ts";
import type { ConnectionError } from "../errors.ts";
import type { HttpExchange, RequestHead, RequestSource, UpgradeExchange } from "../host/host.ts";
import { parseQuery, toIncomingMessage } from "../http/query.ts";
import type { Query } from "../http/query.ts";
import { connectionLimitErrors } from "../limits/address-limits.ts";
import type { AddressLimits, AddressRefusal } from "../limits/address-limits.ts";
import { safeEmit } from "../loop/safe-call.ts";
import { isThenable } from "../loop/thenable.ts";
import { NOOP } from "../protocol/packet.ts";
import type { Protocol } from "../protocol/protocol.ts";
import type { Session } from "../session/session.ts";
import type { WebTransportSession } from "../transport/webtransport-session.ts";
import { closeSession } from "../transport/webtransport.ts";
import { askAllowRequest, checkId } from "./hooks.ts";
import { AdoptedRequest } from "./adopted-request.ts";
import type { AdoptedSession, Claim, ClusterTarget, EngineCluster, RemoteSession } from "./cluster.ts";
import { generatePrefixedId } from "./ids.ts";
import { LateBinding } from "./late-binding.ts";
import { runMiddlewares } from "./middlewares.ts";
import type { AdmissionOwner, PendingRequest } from "./pending-request.ts";
import { PlainRequest } from "./plain-request.ts";
import { isValidOrigin, route } from "./route.ts";
import { UsualQuery } from "./usual-query.ts";
import { UpgradeRequest } from "./upgrade-request.ts";
import { WebTransportHandshake } from "./webtransport-handshake.ts";

/**
 * Receives the requests of all hosts, and decides whether they are let in. In this order: a request of a session on another node
 * goes there, a server that is shut down passes it to another node or refuses it, an interceptor answers it, the middlewares run, and
 * `route()` says what it asks for. For a new session, `allowRequest` agrees, its protocol version is served, and it gets an id.
 */
export class Admission implements ClusterTarget {
  /** Whether requests that belong to no open session are turned away. */
  isShutDown: boolean = false;
  #owner: AdmissionOwner;
  #cluster: EngineCluster | undefined = undefined;
  /** Set in a cluster, where it is also the owner. */
  #binding: LateBinding | undefined = undefined;
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

  /** A server that is closed and listens again joins its cluster again. */
  joinCluster(cluster: EngineCluster): void {
    if (this.#cluster === cluster) return;
    this.#cluster = cluster;
    this.#binding = new LateBinding(this.#owner, cluster, {
      onRequest: (exchange) => this.onRequest(exchange),
      onUpgrade: (exchange) => this.onUpgrade(exchange),
      admit: (exchange) => this.#admit(new PlainRequest(exchange, this.#queryOf(exchange.request.head.url))),
      refuseUnknown: (exchange) => this.refuseUnknown(exchange),
    });
    this.#owner = this.#binding;
    cluster.bind(this);
  }

  get limits(): ClusterTarget["limits"] {
    return this.#owner.engine.opts;
  }

  get maxPayload(): number {
    return this.#owner.engine.opts.maxHttpBufferSize;
  }

  get readsHeads(): boolean {
    const { engine } = this.#owner;
    return (
      engine.middlewares.length > 0 ||
      engine.listenerCount("headers") > 0 ||
      engine.listenerCount("initial_headers") > 0 ||
      engine.listenerCount("connection_error") > 0
    );
  }

  /** Whether somebody may look at all headers of a request. A session keeps those of its handshake. */
  needsWholeHead(url: string): boolean {
    return (
      this.readsHeads ||
      (this.#usual.sessionOf(url) === undefined && this.#isWholeFor(this.#queryOf(url)["sid"]))
    );
  }

  /** Whether the whole head is wanted of a handshake, or of a request of a session that only the cluster knows. */
  #isWholeFor(sid: string | undefined): boolean {
    return !sid || (this.#cluster !== undefined && this.#remote(sid)?.needsWholeHead === true);
  }

  /** Returns whoever serves a session that is not open here. */
  #remote(sid: string): RemoteSession | undefined {
    if (this.#owner.engine.find(sid) !== undefined) return undefined;
    return this.#binding?.find(sid) ?? this.#cluster?.find(sid);
  }

  /**
   * Remembers the last one: hosts ask `needsWholeHead` right before they hand the request over, and the first requests of sessions
   * are alike.
   */
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
    if (this.#cluster !== undefined && this.#passOn(request)) return;
    if (this.isShutDown && this.#turnsAway(request)) return;
    if (this.#interceptor?.(exchange)) return;
    this.#admit(request);
  }

  onUpgrade(exchange: UpgradeExchange): void {
    const request = new UpgradeRequest(exchange, this.#queryOf(exchange.request.head.url));
    if (this.#cluster !== undefined && this.#passOn(request)) return;
    if (this.isShutDown && this.#turnsAway(request)) return;
    this.#admit(request);
  }

  /**
   * Passes a request of a session that is not open here to whoever serves it. Middlewares run there.
   *
   * @returns false if nobody does, or if the request names no session
   */
  #passOn(request: PlainRequest | UpgradeRequest): boolean {
    const { sid } = request.query;
    const remote = sid ? this.#remote(sid) : undefined;
    if (remote === undefined) return false;
    request.passTo(remote);
    return true;
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
      claim: (sid, done) => {
        const remote = this.#cluster === undefined ? undefined : this.#remote(sid);
        if (remote === undefined) done();
        else remote.claim(sid, done);
      },
      open: (transport) => {
        if (this.isShutDown) transport.close();
        else this.#owner.openSession(generatePrefixedId(engine.idPrefix), transport, undefined);
      },
      refused: (request, code, context) => this.report(request, code, context),
    });
    return handshake.start();
  }

  claim(sid: string, onRevoked: () => void): Claim | undefined {
    return this.#binding?.claim(sid, onRevoked);
  }

  adopt(sid: string, handshake: RequestHead, done: (adopted: AdoptedSession | undefined) => void): void {
    const request = new AdoptedRequest(sid, handshake, done);
    if (this.isShutDown) this.#turnAway(request);
    else this.#admit(request);
  }

  releasePoll(url: string): void {
    const sid = this.#queryOf(url)["sid"];
    if (!sid) return;
    this.#binding?.find(sid)?.bind();
    const transport = this.#owner.engine.find(sid)?.transport;
    if (transport?.name === "polling" && transport.writable) transport.send([NOOP]);
  }

  bindAll(): void {
    this.#binding?.bindAll();
  }

  /** Closes what is held. */
  closeHeld(): void {
    this.#binding?.closeAll();
  }

  refuseUnknown(exchange: HttpExchange | UpgradeExchange): void {
    if (exchange.ended) return;
    const request = pendingRequest(exchange);
    this.#refuse(request, Code.UNKNOWN_SID, { sid: request.query["sid"] });
  }

  refuseNew(exchange: HttpExchange | UpgradeExchange): void {
    if (!exchange.ended) this.#unavailable(pendingRequest(exchange));
  }

  /** Emits `connection_error`. */
  report(request: RequestSource, code: Code, context?: Record<string, unknown>): void {
    const { engine } = this.#owner;
    engine.counters.refusals.add(nameOf(code, context));
    if (engine.listenerCount("connection_error") === 0) return;
    const message = connectionErrorMessages[code];
    const error: ConnectionError = { req: toIncomingMessage(request), code, message, context };
    safeEmit(engine, engine.loop, "connection_error", error);
  }

  /** Of a server that is shut down. Returns whether it has turned the request away: it belongs to no open session. */
  #turnsAway(request: PendingRequest): boolean {
    const { sid } = request.query;
    if (sid && this.#owner.engine.find(sid) !== undefined) return false;
    this.#turnAway(request);
    return true;
  }

  /** Lets another node take a new client, if there is one that can, and refuses it otherwise. */
  #turnAway(request: PendingRequest): void {
    const isNew = !request.query["sid"] && request.adoptedId === undefined;
    const successor = isNew ? this.#cluster?.successor() : undefined;
    if (successor === undefined) this.#unavailable(request);
    else request.passTo(successor);
  }

  #unavailable(request: PendingRequest): void {
    this.#owner.engine.counters.refusals.add("UNAVAILABLE");
    request.unavailable();
  }

  #refuse(request: PendingRequest, code: Code, context?: Record<string, unknown>): void {
    // The client of one that another node has let in is not refused.
    if (request.adoptedId === undefined) this.report(request.exchange.request, code, context);
    request.refuse(code, context?.["message"] || connectionErrorMessages[code]);
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
    if (!request.isReady) {
      request.prepare(() => this.#route(request));
      return;
    }
    // Middlewares may have taken their time.
    if (this.isShutDown && this.#turnsAway(request)) return;
    const { exchange, query, isUpgrade } = request;
    if (this.#binding !== undefined && query["sid"]) this.#binding.find(query["sid"])?.bind();
    const routed = route(exchange.request.head, query, isUpgrade, this.#owner.engine);
    if (routed.kind === "refuse") {
      this.#refuse(request, routed.code, routed.context);
    } else if (request.isMalformed) {
      this.#refuse(request, Code.BAD_REQUEST, { name: "TRANSPORT_HANDSHAKE_ERROR" });
    } else if (routed.kind === "continue") {
      if (!isUpgrade) this.#usual.learn(exchange.request.head.url, routed.session);
      request.join(routed.session, this.#owner);
    } else if (!this.#isOverLimit(request, (limits) => limits.refusalOf(exchange.request))) {
      this.#askLimiter(request, routed.protocol);
    }
  }

  #askLimiter(request: PendingRequest, protocol: Protocol): void {
    const { addressLimits } = this.#owner.engine;
    // What another node has let in was counted there.
    const asked =
      request.adoptedId === undefined ? addressLimits?.askLimiter(request.exchange.request) : undefined;
    if (asked === undefined) {
      this.#askApplication(request, protocol);
      return;
    }
    void asked.then((refusal) => {
      if (request.exchange.ended) return;
      if (this.isShutDown) this.#unavailable(request);
      else if (!this.#isOverLimit(request, () => refusal)) this.#askApplication(request, protocol);
    });
  }

  /** Whether a limit has refused the request. */
  #isOverLimit(
    request: PendingRequest,
    refusalBy: (limits: AddressLimits) => AddressRefusal | undefined,
  ): boolean {
    const { addressLimits, limitMonitor } = this.#owner.engine;
    // The client of one that another node has let in is not refused.
    if (addressLimits === undefined || request.adoptedId !== undefined) return false;
    const refusal = refusalBy(addressLimits);
    if (refusal === undefined) return false;
    const { code: name, limit, address } = refusal;
    const message = connectionLimitErrors[name];
    this.report(request.exchange.request, Code.FORBIDDEN, { message, name, limit, address });
    request.refuseForNow(message);
    limitMonitor.exceeded(refusal);
    return true;
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
      if (this.isShutDown) this.#turnAway(request);
      else if (refusal === undefined) this.#identify(request, protocol);
      else this.#refuse(request, Code.FORBIDDEN, refusal);
    });
  }

  #identify(request: PendingRequest, protocol: Protocol): void {
    if (!protocol.isAllowed(this.#owner.engine.opts)) {
      this.#refuse(request, Code.UNSUPPORTED_PROTOCOL_VERSION, { protocol: protocol.version });
      return;
    }
    if (request.adoptedId !== undefined) {
      const { addressLimits } = this.#owner.engine;
      // Beyond the limit, it stays at the node that has let it in.
      if (addressLimits?.crowdingOf(request.exchange.request) !== undefined) request.refuseForNow("");
      else request.open(request.adoptedId, protocol, this.#owner);
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
    if (!request.isReady) {
      request.prepare(() => this.#open(request, protocol, made));
      return;
    }
    if (this.isShutDown) {
      this.#turnAway(request);
      return;
    }
    let id: string;
    try {
      id = checkId(made, this.#owner.engine, this.#binding);
    } catch (error) {
      this.#refuseId(request, error);
      return;
    }
    if (this.#isOverLimit(request, (limits) => limits.crowdingOf(request.exchange.request))) return;
    request.open(id, protocol, this.#owner);
  }

  #refuseId(request: PendingRequest, error: unknown): void {
    if (request.exchange.ended) return;
    this.#refuse(request, Code.BAD_REQUEST, { name: "ID_GENERATION_ERROR", error });
  }
}

function pendingRequest(exchange: HttpExchange | UpgradeExchange): PendingRequest {
  const query = parseQuery(exchange.request.head.url);
  return "reject" in exchange ? new UpgradeRequest(exchange, query) : new PlainRequest(exchange, query);
}

/** Names a refusal: by its context if that says more than its code. */
function nameOf(code: Code, context: Record<string, unknown> | undefined): string {
  const name = context?.["name"];
  if (typeof name === "string") return name;
  return codeNames[code];
}

const codeNames = Object.fromEntries(Object.entries(Code).map(([name, code]) => [code, name])) as Record<
  Code,
  string
>;
