import { createServer } from "node:http";
import type { IncomingMessage, Server as HttpServer, ServerResponse } from "node:http";
import type { Duplex } from "node:stream";
import { isMainThread } from "node:worker_threads";
import { Engine } from "./engine.ts";
import { ConnectionErrorCode, connectionErrorMessages } from "./errors.ts";
import type { HostTarget, HttpServerLike } from "./host/host.ts";
import { loadUws, nodeTooOld } from "./host/uws/load.ts";
import type { NodeServer } from "./host/node/http2.ts";
import { NodeHost } from "./host/node/host.ts";
import { uwsCompression } from "./host/uws/compression.ts";
import { clearTimeout, setImmediate, setTimeout } from "./host/timers.ts";
import { UwsHttpServer } from "./host/uws/server.ts";
import type { Uws, UwsApp } from "./host/uws/types.ts";
import { attachUws, refuseOtherPaths } from "./host/uws/host.ts";
import { portNumber } from "./http/port.ts";
import { attachOptions, knownOptions } from "./known-options.ts";
import { readOptions, warnOfUnknownOptions } from "./option-rules.ts";
import { withThreshold } from "./options.ts";
import type { AttachAppOptions, AttachOptions, ServerOptions } from "./options.ts";

/** How long `io.close()` waits for the last answers and close frames, in ms. */
const GRACE = 1000;

/** Any host that brings requests of its own accord, such as `MemoryHost`. */
export interface Host {
  bind(target: HostTarget): void;
}

/** An Engine.IO server: the engine, and the hosts it can be attached to. One class for all of them. */
export class Server extends Engine {
  /** Codes of refused requests by name, as on the official server. */
  static readonly errors: typeof ConnectionErrorCode = ConnectionErrorCode;
  /** Messages of refused requests by code. */
  static readonly errorMessages: typeof connectionErrorMessages = connectionErrorMessages;

  /** The HTTP server this engine is attached to. */
  httpServer: HttpServerLike | undefined = undefined;
  #nodeHost: NodeHost | undefined = undefined;

  constructor(opts: ServerOptions = {}) {
    super(opts);
  }

  /** The WebSocket server of node:http. */
  get ws(): unknown {
    return this.#node().webSocketServer;
  }

  /**
   * Serves the path on a node http, https or http2 server. Requests to other paths go to the listeners that were there
   * before. A uWebSockets.js app is taken as by {@link attachApp}: `uServer` is this class under its other name.
   * Over HTTP/2 there are WebSockets, too (RFC 8441): the setting that tells clients so is made here.
   */
  attach(server: NodeServer | UwsApp, given: AttachAppOptions = {}): this {
    if (isUwsApp(server)) return this.attachApp(server, given);
    const options = attachmentOf(given);
    this.httpServer = server;
    this.startAgain();
    this.#node().attach(server, {
      path: computePath(options),
      websocket: this.#websocket,
      destroyUpgrade: options.destroyUpgrade !== false,
      destroyUpgradeTimeout: options.destroyUpgradeTimeout ?? 1000,
    });
    server.on("close", () => this.close());
    server.on("listening", () => this.startAgain());
    return this;
  }

  /** Serves the path on an application's own uWebSockets.js `App` or `SSLApp`. The application listens. */
  attachApp(app: UwsApp, given: AttachAppOptions = {}): this {
    const tooOld = nodeTooOld();
    if (tooOld !== undefined) throw tooOld;
    const { opts } = this;
    const options = attachmentOf(given);
    if (options.maxBackpressure !== undefined) opts.maxBackpressure = options.maxBackpressure;
    if (options.compression) opts.perMessageDeflate ||= withThreshold(true);
    const activity = attachUws(app, this, {
      path: computePath(options),
      secure: app.constructor.name.includes("SSL"),
      websocket: this.#websocket,
      compression: options.compression ?? uwsCompression(opts.perMessageDeflate),
      idleTimeout: options.idleTimeout ?? 0,
      proxyProtocol: options.proxyProtocol ?? false,
    });
    this.httpServer = new UwsHttpServer(app, activity);
    this.httpServer.on("close", () => this.startAgain());
    this.startAgain();
    return this;
  }

  /** Serves requests from any other host. */
  attachHost(host: Host): this {
    host.bind(this);
    this.startAgain();
    return this;
  }

  /**
   * Listens on a port: on uWebSockets.js if it loads, else, and in worker threads, on node:http; the option `host` forces one.
   * The port is bound when this returns, and errors are emitted by the server it returns. Workers of `node:cluster` share it.
   * uWebSockets.js answers HTTP/1.0 with 505: proxies in front must speak HTTP/1.1.
   *
   * @param port - 0 for any that is free
   * @throws UwsLoadError if `host` is `"uws"` and uWebSockets.js does not load: its `code` says why, and `cause` what Node said;
   * RangeError (`ERR_SOCKET_BAD_PORT`) if there is no such port
   */
  listen(port: number | string, options: AttachAppOptions = {}): HttpServerLike {
    const number = portNumber(port);
    const uws = this.opts.host === "node" ? undefined : this.#loadUws();
    if (uws !== undefined) {
      const app = uws.App();
      this.attachApp(app, options);
      // A second route of one pattern would take the place of the first.
      if (computePath(options).length > 1) {
        refuseOtherPaths(app);
      }
      return (this.httpServer as UwsHttpServer).listen(app, uws, number);
    }
    const server = createServer((_request, response) => response.writeHead(404).end());
    this.attach(server, options);
    return server.listen(number);
  }

  /** Handles a request of a node http server; for applications that route requests themselves. */
  handleRequest(request: IncomingMessage, response: ServerResponse): void {
    this.#node().handleRequest(request, response);
  }

  /** Handles an upgrade request of a node http server. */
  handleUpgrade(request: IncomingMessage, socket: Duplex, head: Buffer): void {
    this.#node().handleUpgrade(request, socket, head);
  }

  /** Closes every session, and lets connections of HTTP/2 end that nothing else needs. Hosts go on listening. */
  override close(): this {
    super.close();
    this.#nodeHost?.closeIdle();
    return this;
  }

  /**
   * For `io.close()`: refuses what comes, and closes the HTTP server. Calls back when that has closed, or after a second:
   * what is left then are requests of the application, which may take as long as they like.
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
      if (this.isShutDown) this.#cut(server);
      // Connections tell of their end a turn later.
      setImmediate(() => setImmediate(() => finish()));
    }, GRACE);
    server.close(finish);
  }

  #cut(server: HttpServerLike): void {
    this.#nodeHost?.cut();
    (server as Partial<HttpServer>).closeIdleConnections?.();
  }

  /** Leaves the server to another engine that is attached to it. */
  detach(server: NodeServer): void {
    this.#nodeHost?.detach(server);
  }

  get #websocket(): boolean {
    return this.opts.transports.includes("websocket");
  }

  #node(): NodeHost {
    return (this.#nodeHost ??= new NodeHost(this, this.opts));
  }

  #loadUws(): Uws | undefined {
    // Its part of the event loop does not survive the end of a thread: the process aborts.
    if (!isMainThread && this.opts.host !== "uws") {
      warnOnce(
        "TIDEWIRE_WORKER_THREAD",
        "uWebSockets.js cannot end with a worker thread; listening on node:http instead.",
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

function isUwsApp(server: object): server is UwsApp {
  return "ws" in server && "any" in server;
}

const warned = new Set<string>();

function warnOnce(code: string, message: string): void {
  if (warned.has(code)) return;
  warned.add(code);
  process.emitWarning(`${message} Set host: "node" to say that this is intended.`, {
    type: "TidewireWarning",
    code,
  });
}

function attachmentOf(given: AttachAppOptions): AttachAppOptions {
  warnOfUnknownOptions(given, knownOptions);
  return readOptions(given, attachOptions);
}

/** The path requests must begin with. */
function computePath({ path, addTrailingSlash }: AttachOptions): string {
  const bare = (path || "/engine.io").replace(/\/$/, "");
  return addTrailingSlash === false ? bare : `${bare}/`;
}
