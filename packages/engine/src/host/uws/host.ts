import { asksForUpgrade } from "../copied/head.ts";
import type { Host, HostTarget } from "../host.ts";
import { acceptableOffers } from "../window-bits.ts";
import { Activity } from "./activity.ts";
import { ChunkedUwsExchange } from "./chunked-exchange.ts";
import { fewestWindowBits } from "./compression.ts";
import { ContinuedResponse } from "./continued-response.ts";
import { CorkHolder } from "./cork-holder.ts";
import { answerAndClose, framing } from "./framing.ts";
import { PartialHead, addressBehindProxy, addressOfPeer, copyHead, urlOf } from "./head.ts";
import type { AddressOf } from "./head.ts";
import { UwsHttpExchange } from "./http-exchange.ts";
import type { UwsApp, UwsRequest, UwsResponse, UwsWebSocketBehavior } from "./types.ts";
import { UwsUpgradeExchange } from "./upgrade-exchange.ts";
import { UwsWebSocketPort } from "./websocket.ts";
import type { UwsConnection } from "./websocket.ts";

export interface UwsHostOptions {
  /** With its trailing slash, unless the application wanted none. */
  path: string;
  /** Whether the app serves nothing else: requests to other paths get a 404. */
  isAlone: boolean;
  /** Whether clients connect over TLS; undefined if the host is to find out. */
  secure: boolean | undefined;
  /** Whether WebSocket upgrades are accepted at all. */
  websocket: boolean;
  /** A compressor constant of uWebSockets.js, 0 for none. */
  compression: number;
  /** Seconds after which a WebSocket that sends nothing is ended: 0 for never, else 8 to 960. Any other number ends the process. */
  idleTimeout: number;
  /** Whether connections begin with a header of the PROXY protocol, which names the client. */
  proxyProtocol: boolean;
  /** Of another path of the same app, if there is one: the app closes when both are idle. */
  activity?: Activity | undefined;
}

/** What is the same for all paths of an app. */
export interface AppTraits {
  readonly activity: Activity;
  readonly secure: boolean | undefined;
  readonly proxyProtocol: boolean;
}

const BAD_REQUEST = "400 Bad Request";

/** A path of a uWebSockets.js app. */
export class UwsHost implements Host {
  readonly activity: Activity;
  readonly #app: UwsApp;
  readonly #options: UwsHostOptions;
  #secure: boolean | undefined;
  readonly #addressOf: AddressOf;
  readonly #isElsewhere: (request: UwsRequest) => boolean;
  readonly #fewestBits: number;
  /** Connected while WebSockets are open, once an upgrade was late, so that each next one need not wait for it. */
  readonly #corkHolder: CorkHolder = new CorkHolder();

  constructor(app: UwsApp, options: UwsHostOptions) {
    const { path, compression, proxyProtocol } = options;
    this.#app = app;
    this.activity = options.activity ?? new Activity();
    this.#options = options;
    this.#secure = options.secure;
    this.#addressOf = proxyProtocol ? addressBehindProxy : addressOfPeer;
    this.#isElsewhere = outside(path);
    this.#fewestBits = fewestWindowBits(compression);
  }

  get traits(): AppTraits {
    const { activity } = this;
    const { secure, proxyProtocol } = this.#options;
    return { activity, secure, proxyProtocol };
  }

  bind(target: HostTarget): void {
    const { path, websocket, isAlone } = this.#options;
    const patterns = patternsOf(path);
    for (const pattern of patterns) {
      this.#app.any(pattern, (response, request) => this.#receive(response, request, target));
      if (websocket) this.#app.ws(pattern, this.#webSockets(target));
    }
    // A second route of one pattern would replace the first.
    if (isAlone && !patterns.includes(EVERYTHING)) this.#app.any(EVERYTHING, refuse);
  }

  #receive(response: UwsResponse, request: UwsRequest, target: HostTarget): void {
    if (this.#isElsewhere(request)) return;
    const { path } = this.#options;
    const secure = this.#isSecure(response);
    const requestPath = request.getUrl();
    const url = urlOf(request, requestPath);
    // Longer paths are those of files, not of sessions.
    const isWhole = requestPath !== path || target.needsWholeHead(url);
    const head = isWhole
      ? copyHead(response, request, url, secure, this.#addressOf)
      : new PartialHead(response, request, url, secure, this.#addressOf);
    if (framing.isAmbiguous) return answerAndClose(response, BAD_REQUEST);
    this.activity.begin();
    const Exchange = framing.isChunked ? ChunkedUwsExchange : UwsHttpExchange;
    const answer = framing.waitsForContinue ? new ContinuedResponse(response) : response;
    target.onRequest(new Exchange(answer, head, target.maxPayload, this.activity.end));
  }

  #upgrade(response: UwsResponse, request: UwsRequest, context: unknown, target: HostTarget): void {
    if (this.#isElsewhere(request)) return;
    const url = urlOf(request, request.getUrl());
    const head = copyHead(response, request, url, this.#isSecure(response), this.#addressOf);
    // uWebSockets.js goes by the key alone. The request goes on to the route of plain ones.
    if (!asksForUpgrade(head.header("upgrade"), head.header("connection"))) {
      request.setYield(true);
      return;
    }
    if (framing.isAmbiguous) return answerAndClose(response, BAD_REQUEST);
    const extensions = acceptableOffers(request.getHeader("sec-websocket-extensions"), this.#fewestBits);
    const exchange = new UwsUpgradeExchange(response, request, context, head, extensions, this.#corkHolder);
    if (this.#options.proxyProtocol) exchange.proxied = this.#addressOf(response);
    target.onUpgrade(exchange);
    exchange.becomeLate();
  }

  /** An app does not say whether it is an `SSLApp`, but only its responses know the certificate of a client. */
  #isSecure(response: UwsResponse): boolean {
    return (this.#secure ??= "getX509Certificate" in response);
  }

  #webSockets(target: HostTarget): UwsWebSocketBehavior<UwsConnection> {
    const { compression, idleTimeout } = this.#options;
    return {
      compression,
      // Larger than the limit, so that the port can refuse a message over it with a close code. uWebSockets.js itself drops
      // the connection without one.
      maxPayloadLength: Math.min(target.maxPayload * 2 + 65_536, 2 ** 31 - 1),
      // Unlimited here: the session limits what waits, and closes rather than skip a message.
      maxBackpressure: 0,
      closeOnBackpressureLimit: false,
      // Heartbeats are the protocol's, unless the application wants those of WebSocket too.
      idleTimeout,
      sendPingsAutomatically: idleTimeout > 0,
      upgrade: (response, request, context) => this.#upgrade(response, request, context, target),
      open: (socket) => {
        this.activity.begin();
        const connection = socket.getUserData();
        const port = new UwsWebSocketPort(socket);
        connection.port = port;
        if (connection.opening !== undefined) connection.opening.port = port;
        connection.opening = undefined;
        this.#corkHolder.retain();
      },
      message: (socket, message, isBinary) => {
        const port = socket.getUserData().port!;
        if (message.byteLength <= target.maxPayload) port.receive(message, isBinary);
        else port.tooLarge();
      },
      // uWebSockets.js has sent the pong.
      ping: (socket, message) => socket.getUserData().port!.answered(message.byteLength),
      drain: (socket) => socket.getUserData().port!.drained(),
      close: (socket, code, message) => {
        socket.getUserData().port!.closed(code, Buffer.from(message).toString());
        this.#corkHolder.release();
        this.activity.end();
      },
    };
  }
}

/** Answers requests that no other route of the app takes. */
function refuse(response: UwsResponse, request: UwsRequest): void {
  framing.read(request);
  if (framing.isAmbiguous) answerAndClose(response, BAD_REQUEST);
  else if (framing.hasBody) answerAndClose(response, "404 Not Found");
  else response.writeStatus("404 Not Found").end();
}

const EVERYTHING = "/*";

/** What is under the path, in the patterns of uWebSockets.js. */
function patternsOf(path: string): string[] {
  if (path === "" || path === "/") return [EVERYTHING];
  return path.endsWith("/") ? [`${path}*`] : [path, `${path}/*`];
}

/** Turns away requests that only the patterns put under the path: in them `:name` and `*` stand for anything. */
function outside(path: string): (request: UwsRequest) => boolean {
  if (!/[:*]/.test(path)) return () => false;
  return (request) => {
    if (request.getUrl().startsWith(path)) return false;
    request.setYield(true);
    return true;
  };
}
