import type { IncomingHttpHeaders, IncomingMessage, OutgoingHttpHeaders, ServerResponse } from "node:http";
import type { Socket as NetSocket } from "node:net";
import type { Duplex } from "node:stream";
import { WebSocket, WebSocketServer } from "ws";
import type { Host, HostTarget, WebSocketHandlers, WebSocketPort } from "../host.ts";
import { acceptableOffers } from "../window-bits.ts";
import { AnswerFrames, FrameWriter } from "./frame-writer.ts";
import { NodeHttpExchange } from "./http-exchange.ts";
import { attachExtendedConnect, Http2Connections, isHttp2 } from "./http2.ts";
import type { NodeServer } from "./http2.ts";
import { OngoingRequests } from "./ongoing.ts";
import type { OngoingSet } from "./ongoing.ts";
import { OpenedWebSocketExchange } from "./opened-exchange.ts";
import { isWebSocketHandshake, offersHttp2, serveAsPlainRequest } from "./plain-request.ts";
import { NodeUpgradeExchange } from "./upgrade-exchange.ts";
import { ExplainingWebSocket, NodeWebSocketPort } from "./websocket.ts";
import type { PortContext, ReceiveChunk } from "./websocket.ts";
import { clearTimeout, setTimeout } from "../timers.ts";

const EXTENSIONS = "sec-websocket-extensions";

/** zlib replaces 8 by 9. */
const FEWEST_BITS = 9;

/** A class like `ws`'s `Server`, as the option `wsEngine` takes it. */
export type WebSocketEngine = new (options: object) => WebSocketServer;

export interface NodeHostOptions {
  wsEngine?: WebSocketEngine | undefined;
  perMessageDeflate?: boolean | object | undefined;
}

export interface NodeAttachOptions {
  /** With its trailing slash, unless the application wanted none. */
  path: string;
  /** Whether WebSocket upgrades are accepted at all. */
  websocket: boolean;
  /** Whether upgrades that nobody takes are ended after `destroyUpgradeTimeout` ms. */
  destroyUpgrade: boolean;
  destroyUpgradeTimeout: number;
}

/** Options for our own `ws`: the port sends the pongs, and counts those that wait for the client. */
const OWN_SOCKETS = { WebSocket: ExplainingWebSocket, autoPong: false };

/** Servers of node:http, node:https and node:http2, with `ws` for the framing. */
export class NodeHost implements Host {
  readonly #options: NodeHostOptions;
  /** Set by `bind`. */
  #target!: HostTarget;
  #webSocketServer: WebSocketServer | undefined = undefined;
  /** Headers for the 101 that is about to be written. */
  #upgradeHeaders: OutgoingHttpHeaders = {};
  readonly #requests: OngoingRequests = new OngoingRequests();
  readonly #ongoing: OngoingSet = new Set();
  readonly #ports: PortContext = {
    frames: new FrameWriter(),
    answers: new AnswerFrames(),
    ongoing: this.#ongoing,
  };
  readonly #http2: Http2Connections = new Http2Connections();
  /** How to stop listening for the upgrades of each server. */
  readonly #detachments: Map<NodeServer, () => void> = new Map();
  /** Whether the 101 of `ws` waits for the handshake packet, which saves a system call. Not where `ws` may compress it. */
  #gathersHandshake = false;

  constructor(options: NodeHostOptions) {
    this.#options = options;
  }

  bind(target: HostTarget): void {
    this.#target = target;
  }

  /** Of `ws`, or of the option `wsEngine`. Created on first use. */
  get webSocketServer(): WebSocketServer {
    return (this.#webSocketServer ??= this.#createWebSocketServer());
  }

  #createWebSocketServer(): WebSocketServer {
    const { wsEngine, perMessageDeflate = false } = this.#options;
    this.#gathersHandshake = wsEngine === undefined && !perMessageDeflate;
    const Engine = wsEngine ?? WebSocketServer;
    const server = new Engine({
      noServer: true,
      clientTracking: false,
      perMessageDeflate,
      maxPayload: this.#target.maxPayload,
      // Another engine has a class of its own.
      ...(wsEngine === undefined ? OWN_SOCKETS : {}),
    });
    // Not every `wsEngine` is an EventEmitter.
    if (typeof server.on === "function") {
      server.on("headers", (lines) => {
        for (const [name, value] of Object.entries(this.#upgradeHeaders)) {
          for (const each of Array.isArray(value) ? value : [value]) lines.push(`${name}: ${each}`);
        }
      });
    }
    return server;
  }

  handleRequest(request: IncomingMessage, response: ServerResponse): void {
    if (isUnreadable(request)) {
      response.writeHead(400, { connection: "close" }).end();
      return;
    }
    this.#target.onRequest(new NodeHttpExchange(request, response, this.#requests));
  }

  /** @param isOurs - whether nobody else has seen the request, or will */
  handleUpgrade(request: IncomingMessage, socket: Duplex, head: Buffer, isOurs: boolean = false): void {
    const { ongoing } = this.#ports;
    const exchange = new NodeUpgradeExchange(
      request,
      socket,
      isOurs,
      ongoing,
      (_, __, early, headers, open) =>
        this.#upgrade(
          request,
          socket,
          early.length === 0 ? head : Buffer.concat([head, ...early]),
          headers,
          open,
        ),
    );
    if (isUnreadable(request)) exchange.reject(400, "");
    else this.#target.onUpgrade(exchange);
    exchange.watch();
  }

  /** Takes over a WebSocket that the application has accepted. */
  takeOver(request: IncomingMessage, stream: Duplex, websocket: WebSocket): void {
    if (websocket.readyState !== WebSocket.OPEN) return;
    const { maxPayload } = this.#target;
    const { ongoing } = this.#ports;
    const remoteAddress = request.socket.remoteAddress ?? "";
    this.#target.onUpgrade(
      new OpenedWebSocketExchange(
        request,
        websocket,
        maxPayload,
        ongoing,
        (open) =>
          new NodeWebSocketPort(websocket, stream, remoteAddress, this.#ports, maxPayload, undefined, open),
      ),
    );
  }

  /** Serves requests under the path; all others go to the listeners that the server had before. */
  attach(server: NodeServer, options: NodeAttachOptions): void {
    const { path } = options;
    const emitter: NodeJS.EventEmitter = server;
    const others = emitter.listeners("request");
    emitter.removeAllListeners("request");
    emitter.on("request", (request: IncomingMessage, response: ServerResponse) => {
      if (request.url?.startsWith(path)) this.handleRequest(request, response);
      else for (const other of others) (other as RequestListener).call(server, request, response);
    });
    if (isHttp2(server)) this.#http2.watch(server);
    if (!options.websocket) return;
    // A `wsEngine` that throws does so here, not at the first upgrade.
    this.#webSocketServer ??= this.#createWebSocketServer();
    const onUpgrade = (request: IncomingMessage, socket: Duplex, head: Buffer): void => {
      // A tracing tool listens too, or has replaced `emit`.
      const isOurs = emitter.listenerCount("upgrade") === 1 && !Object.hasOwn(server, "emit");
      const isUnderPath = request.url?.startsWith(path) === true;
      const isPlain = isUnderPath
        ? !isWebSocketHandshake(request)
        : options.destroyUpgrade && isOurs && offersHttp2(request);
      if (isPlain) serveAsPlainRequest(server, request, socket, head);
      else if (isUnderPath) this.handleUpgrade(request, socket, head, isOurs);
      else if (options.destroyUpgrade) endUnlessTaken(socket as NetSocket, options.destroyUpgradeTimeout);
    };
    emitter.on("upgrade", onUpgrade);
    this.#detachments.set(server, () => emitter.off("upgrade", onUpgrade));
    if (isHttp2(server)) {
      attachExtendedConnect(server, path, (request, socket, head) =>
        this.handleUpgrade(request, socket, head),
      );
    }
  }

  /** Connections of HTTP/2: Node ends the idle ones of HTTP/1.1 itself. */
  close(): void {
    this.#http2.close();
  }

  cut(): void {
    this.#requests.cut();
    for (const ongoing of this.#ongoing) ongoing.cut();
    this.#http2.close();
  }

  /** Leaves the upgrades of the server to another host; otherwise both would answer each. */
  detach(server: NodeServer): void {
    this.#detachments.get(server)?.();
    this.#detachments.delete(server);
  }

  #upgrade(
    request: IncomingMessage,
    socket: Duplex,
    head: Buffer,
    headers: OutgoingHttpHeaders,
    open: (port: WebSocketPort) => WebSocketHandlers,
  ): void {
    const server = this.webSocketServer;
    this.#upgradeHeaders = headers;
    // `ws` reads them there.
    const offers = request.headers[EXTENSIONS];
    const acceptable = offers === undefined ? undefined : acceptableOffers(offers, FEWEST_BITS);
    if (acceptable !== offers) setOrDelete(request.headers, acceptable);
    // Over HTTP/2 the 101 is no write.
    const isGathering = this.#gathersHandshake && request.httpVersionMajor === 1;
    const others = socket.listenerCount("data");
    if (isGathering) socket.cork();
    try {
      server.handleUpgrade(request, socket, head, (websocket) => {
        const remoteAddress = request.socket.remoteAddress ?? "";
        const { maxPayload } = this.#target;
        const receive = addedTo(socket, others);
        new NodeWebSocketPort(websocket, socket, remoteAddress, this.#ports, maxPayload, receive, open);
      });
    } finally {
      this.#upgradeHeaders = {};
      if (acceptable !== offers) setOrDelete(request.headers, offers);
      if (isGathering) socket.uncork();
    }
  }
}

function setOrDelete(headers: IncomingHttpHeaders, offers: string | undefined): void {
  // `ws` does not take an empty one.
  if (offers) headers[EXTENSIONS] = offers;
  else delete headers[EXTENSIONS];
}

/**
 * Returns the listener of `data` that was added to the others, if it is the only one. `ws` reads its socket with it, and has no
 * other way to be given bytes: its WebSocket creates its own `Receiver`, and a stream between the two would cost each idle
 * connection half a KB. What such a listener does may change with any minor version of `ws`, so the package pins that. If none
 * is found, as with the `ws` built into Bun, `ws` reads all frames.
 */
function addedTo(socket: Duplex, others: number): ReceiveChunk | undefined {
  const listeners = socket.listeners("data") as ReceiveChunk[];
  return listeners.length === others + 1 ? listeners[others] : undefined;
}

type RequestListener = (this: NodeServer, request: IncomingMessage, response: ServerResponse) => void;

/** Once anybody listens for upgrades, Node leaves those open that nobody takes. Another library may still take this one. */
function endUnlessTaken(socket: NetSocket, timeout: number): void {
  // Earlier responses were written to it, too.
  const { bytesWritten } = socket;
  socket.on("error", () => {});
  const timer = setTimeout(() => {
    // Nobody reads what the client has sent: `end()` alone would leave the socket open.
    if (socket.bytesWritten <= bytesWritten) socket.destroySoon();
  }, timeout);
  socket.once("close", () => clearTimeout(timer));
}

/** Node's parser accepts the head of a request in any transfer coding, but fails at a body whose last coding is not chunked. */
function isUnreadable({ headers }: IncomingMessage): boolean {
  const coding = headers["transfer-encoding"];
  return coding !== undefined && !/(?:^|,)[ \t]*chunked$/i.test(coding);
}
