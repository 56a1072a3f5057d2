import cluster from "node:cluster";
import { createServer } from "node:http";
import type { IncomingMessage, ServerResponse } from "node:http";
import type { Duplex } from "node:stream";
import { isMainThread } from "node:worker_threads";
import type { WebSocket } from "ws";
import { Engine } from "./engine.ts";
import { ConnectionErrorCode, connectionErrorMessages, createError } from "./errors.ts";
import type { HttpServerLike } from "./host/host.ts";
import type { Activity } from "./host/uws/activity.ts";
import { loadUws, nodeTooOld } from "./host/uws/load.ts";
import type { NodeServer } from "./host/node/http2.ts";
import { NodeHost } from "./host/node/host.ts";
import { listenShared } from "./host/node/reuse-port.ts";
import { uwsCompression } from "./host/uws/compression.ts";
import { UwsHttpServer } from "./host/uws/server.ts";
import type { Uws, UwsApp } from "./host/uws/types.ts";
import { UwsHost } from "./host/uws/host.ts";
import { portNumber } from "./http/port.ts";
import { withQuery } from "./http/query.ts";
import { attachOptions, knownOptions } from "./known-options.ts";
import { readOptions, warnOfUnknownOptions } from "./option-rules.ts";
import { withThreshold } from "./options.ts";
import type { AttachAppOptions, AttachOptions, ListenOptions, ServerOptions } from "./options.ts";

/**
 * An Engine.IO server: the engine on node:http and on uWebSockets.js.
 *
 * @example
 * const engine = new Server({ pingInterval: 10_000 });
 *
 * engine.on("connection", (session) => {
 *   session.on("message", (data) => session.send(data));
 * });
 * engine.listen(3000);
 */
export class Server extends Engine {
  /** Codes of refused requests by name, as on the official server. */
  static readonly errors: typeof ConnectionErrorCode = ConnectionErrorCode;
  /** Messages of refused requests by code. */
  static readonly errorMessages: typeof connectionErrorMessages = connectionErrorMessages;

  /** The HTTP server that this engine is attached to. */
  httpServer: HttpServerLike | undefined = undefined;
  readonly #nodeHost: NodeHost;
  /** The servers that `stopListening()` has closed. */
  readonly #stopped: WeakSet<HttpServerLike> = new WeakSet();

  constructor(opts: ServerOptions = {}) {
    super(opts);
    this.#nodeHost = new NodeHost(this.opts);
    this.attachHost(this.#nodeHost);
  }

  /** The WebSocket server that is used on node:http. */
  get ws(): unknown {
    return this.#nodeHost.webSocketServer;
  }

  /**
   * Serves the path on a server of node:http, node:https or node:http2. Requests to other paths go to the listeners that the
   * server had before. A uWebSockets.js app is attached as by {@link attachApp}: `uServer` is this class under its other name.
   * WebSockets over HTTP/2 (RFC 8441) are served too; this enables the setting that announces them. The `httpServer` of another
   * engine may be given on every host: both then serve their paths, which must differ.
   *
   * @example
   * const httpServer = createServer().listen(3000);
   * new Server().attach(httpServer, { path: "/engine.io" });
   */
  attach(server: NodeServer | UwsApp | UwsHttpServer, given: AttachAppOptions = {}): this {
    if (isOfUws(server)) return this.#attachBeside(server, given);
    if (isUwsApp(server)) return this.attachApp(server, given);
    const options = attachmentOf(given);
    this.httpServer = server;
    this.startAgain();
    this.#nodeHost.attach(server, {
      path: computePath(options),
      websocket: this.#websocket,
      destroyUpgrade: options.destroyUpgrade !== false,
      destroyUpgradeTimeout: options.destroyUpgradeTimeout ?? 1000,
    });
    server.on("close", () => {
      // Sessions go on after stopListening(): their clients may use connections of other processes, or make new ones there.
      if (!this.#stopped.has(server)) this.close();
    });
    server.on("listening", () => {
      this.#stopped.delete(server);
      this.startAgain();
    });
    return this;
  }

  /**
   * Serves the path on an application's own uWebSockets.js `App` or `SSLApp`. The application listens.
   *
   * @throws TypeError (`NO_APP`) if it is something else, such as a server of Node.js or an application of Express
   *
   * @example
   * const app = App();
   * new Server().attachApp(app);
   * app.listen(3000, () => {});
   */
  attachApp(app: UwsApp, given: AttachAppOptions = {}): this {
    if (typeof (app as Partial<UwsApp> | undefined)?.any !== "function") throw createError("NO_APP");
    this.#attachApp(app, given, false);
    return this;
  }

  #attachBeside(server: UwsHttpServer, given: AttachAppOptions): this {
    const { secure, proxyProtocol, activity } = server.traits;
    const same = { proxyProtocol, ...(secure === undefined ? {} : { secure }) };
    this.#serveApp(server.app, { ...same, ...given }, false, activity);
    server.on("close", () => this.startAgain());
    this.httpServer = server;
    return this;
  }

  #attachApp(app: UwsApp, given: AttachAppOptions, isAlone: boolean): UwsHttpServer {
    const { traits } = this.#serveApp(app, given, isAlone);
    const server = new UwsHttpServer(app, traits);
    server.on("close", () => this.startAgain());
    this.httpServer = server;
    return server;
  }

  #serveApp(app: UwsApp, given: AttachAppOptions, isAlone: boolean, activity?: Activity): UwsHost {
    const tooOld = nodeTooOld();
    if (tooOld !== undefined) throw tooOld;
    const { opts } = this;
    const options = attachmentOf(given);
    if (options.maxBackpressure !== undefined) opts.maxBackpressure = options.maxBackpressure;
    if (options.compression) opts.perMessageDeflate ||= withThreshold(true);
    const host = new UwsHost(app, {
      path: computePath(options),
      isAlone,
      secure: options.secure,
      websocket: this.#websocket,
      compression: options.compression ?? uwsCompression(opts.perMessageDeflate),
      idleTimeout: options.idleTimeout ?? 0,
      proxyProtocol: options.proxyProtocol ?? false,
      activity,
    });
    this.attachHost(host);
    return host;
  }

  /**
   * Listens on a port, on uWebSockets.js if it loads; otherwise, and in worker threads, on node:http. The option `host` chooses
   * one. The port is bound when this returns, and the returned server emits `listening` or `error`. Workers of `node:cluster` share
   * it, and so do processes with the option `reusePort`. uWebSockets.js answers HTTP/1.0 with 505: proxies in front must speak
   * HTTP/1.1.
   *
   * @param port - 0 for any free one
   * @throws UwsLoadError if `host` is `"uws"` and uWebSockets.js does not load: its `code` says why, and its `cause` is Node's
   * error; RangeError (`ERR_SOCKET_BAD_PORT`) if there is no such port
   *
   * @example
   * const engine = new Server();
   * const httpServer = engine.listen(3000);
   */
  listen(port: number | string, options: ListenOptions = {}): HttpServerLike {
    const number = portNumber(port);
    const { reusePort } = attachmentOf(options);
    const uws = this.opts.host === "node" ? undefined : this.#loadUws();
    if (uws !== undefined) {
      const app = uws.App();
      return this.#attachApp(app, options, true).listen(app, uws, number, reusePort ?? cluster.isWorker);
    }
    const server = createServer((_request, response) => response.writeHead(404).end());
    this.attach(server, options);
    return reusePort ? listenShared(server, number) : server.listen(number);
  }

  /**
   * Accepts no more connections, so that others who listen on the port get them. Those that are open, and their requests, go on. The
   * application stops an app of uWebSockets.js that it listens on itself.
   *
   * @example
   * engine.stopListening();
   */
  stopListening(): void {
    const { httpServer } = this;
    if (httpServer === undefined) return;
    this.#stopped.add(httpServer);
    this.stopServer(httpServer);
  }

  /**
   * Handles a request of a node:http server, for applications that route requests themselves.
   *
   * @example
   * httpServer.on("request", (req, res) => engine.handleRequest(req, res));
   */
  handleRequest(request: IncomingMessage, response: ServerResponse): void {
    this.#nodeHost.handleRequest(request, response);
  }

  /**
   * Handles an upgrade request of a node:http server.
   *
   * @example
   * httpServer.on("upgrade", (req, socket, head) => engine.handleUpgrade(req, socket, head));
   */
  handleUpgrade(request: IncomingMessage, socket: Duplex, head: Buffer): void {
    this.#nodeHost.handleUpgrade(request, socket, head);
  }

  /**
   * Takes over a WebSocket of `ws` that something else has accepted on a server of Node, such as a framework with WebSockets of its
   * own. The request is let in or refused as by {@link handleUpgrade}, with middlewares and `allowRequest`; a WebSocket that is
   * refused is closed with 1008, or with 1013 where the answer would be 429 or 503. Headers that middlewares set are not sent.
   * Messages larger than `maxHttpBufferSize` close it; a limit of the server that has accepted it holds, too.
   *
   * @param request - the request of the upgrade
   * @param socket - the connection of the request
   * @param websocket - open, and not read by anything else
   *
   * @example
   * const sockets = new WebSocketServer({ noServer: true });
   *
   * httpServer.on("upgrade", (req, socket, head) => {
   *   sockets.handleUpgrade(req, socket, head, (websocket) => engine.onWebSocket(req, socket, websocket));
   * });
   */
  onWebSocket(request: IncomingMessage, socket: Duplex, websocket: WebSocket): void {
    this.#nodeHost.takeOver(request, socket, websocket);
  }

  /**
   * Gives a request its parsed query, `_query`. The official `onWebSocket()` needs that before; here it is not needed.
   *
   * @example
   * engine.prepare(req);
   * engine.onWebSocket(req, req.socket, websocket);
   */
  prepare(request: IncomingMessage): void {
    withQuery(request);
  }

  /**
   * Leaves the upgrades of the server to another engine that is attached to it.
   *
   * @example
   * engine.detach(httpServer);
   */
  detach(server: NodeServer): void {
    this.#nodeHost.detach(server);
  }

  get #websocket(): boolean {
    return this.opts.transports.includes("websocket");
  }

  #loadUws(): Uws | undefined {
    // When the thread ends, uWebSockets.js aborts the process.
    if (!isMainThread && this.opts.host !== "uws") {
      warnOnce(
        "TIDEWIRE_WORKER_THREAD",
        "Listening on node:http: uWebSockets.js aborts the process when a worker thread ends.",
      );
      return undefined;
    }
    const uws = loadUws();
    if (!(uws instanceof Error)) return uws;
    if (this.opts.host === "uws") throw uws;
    warnOnce("TIDEWIRE_NO_UWS", `Listening on node:http: ${uws.message}.`);
    return undefined;
  }
}

/** Another copy of this package may have created it. */
function isOfUws(server: object): server is UwsHttpServer {
  return "traits" in server && "app" in server;
}

function isUwsApp(server: object): server is UwsApp {
  return "ws" in server && "any" in server;
}

const warned = new Set<string>();

function warnOnce(code: string, message: string): void {
  if (warned.has(code)) return;
  warned.add(code);
  process.emitWarning(`${message} Set host: "node" to turn this warning off.`, {
    type: "TidewireWarning",
    code,
  });
}

function attachmentOf(given: ListenOptions): ListenOptions {
  warnOfUnknownOptions(given, knownOptions);
  return readOptions(given, attachOptions);
}

/** The path requests must begin with. */
function computePath({ path, addTrailingSlash }: AttachOptions): string {
  const bare = (path || "/engine.io").replace(/\/$/, "");
  return addTrailingSlash === false ? bare : `${bare}/`;
}
