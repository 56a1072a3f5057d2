import type { IncomingMessage, OutgoingHttpHeaders, ServerResponse } from "node:http";
import type { Socket as NetSocket } from "node:net";
import type { Duplex } from "node:stream";
import { WebSocket, WebSocketServer } from "ws";
import type { HostTarget, WebSocketHandlers, WebSocketPort } from "./host.ts";
import { FrameGatherer, MAX_GATHERED } from "./node-frames.ts";
import { NodeHttpExchange, NodeUpgradeExchange } from "./node-exchange.ts";
import { attachExtendedConnect, Http2Connections, isHttp2 } from "./node-http2.ts";
import type { NodeServer } from "./node-http2.ts";

/** A class like `ws`'s `Server`, as the option `wsEngine` takes it. */
export type WebSocketEngine = new (options: object) => WebSocketServer;

export interface NodeHostOptions {
  wsEngine?: WebSocketEngine | undefined;
  perMessageDeflate?: boolean | object | undefined;
}

export interface NodeAttachOptions {
  /** With its trailing slash, unless the application wanted none. */
  path: string;
  /** Whether WebSocket upgrades are taken at all. */
  websocket: boolean;
  /** Whether upgrades nobody takes are ended after `destroyUpgradeTimeout` ms. */
  destroyUpgrade: boolean;
  destroyUpgradeTimeout: number;
}

/** node:http, node:https and node:http2, and `ws` for the framing. */
export class NodeHost {
  readonly #target: HostTarget;
  readonly webSocketServer: WebSocketServer;
  /** Headers for the 101 that is about to be written. */
  #upgradeHeaders: OutgoingHttpHeaders = {};
  readonly #frames: FrameGatherer = new FrameGatherer();
  readonly #http2: Http2Connections = new Http2Connections();

  constructor(target: HostTarget, options: NodeHostOptions) {
    this.#target = target;
    const Engine = options.wsEngine ?? WebSocketServer;
    this.webSocketServer = new Engine({
      noServer: true,
      clientTracking: false,
      perMessageDeflate: options.perMessageDeflate ?? false,
      maxPayload: target.maxPayload,
      // The class belongs to our `ws`; another engine has its own.
      ...(options.wsEngine === undefined ? { WebSocket: ExplainingWebSocket } : {}),
    });
    // Not every `wsEngine` is an EventEmitter.
    if (typeof this.webSocketServer.on === "function") {
      this.webSocketServer.on("headers", (lines) => {
        for (const [name, value] of Object.entries(this.#upgradeHeaders)) {
          for (const each of Array.isArray(value) ? value : [value]) lines.push(`${name}: ${each}`);
        }
      });
    }
  }

  handleRequest(request: IncomingMessage, response: ServerResponse): void {
    this.#target.onRequest(new NodeHttpExchange(request, response));
  }

  handleUpgrade(request: IncomingMessage, socket: Duplex, head: Buffer): void {
    const exchange = new NodeUpgradeExchange(request, socket, (_, __, headers, open) =>
      this.#upgrade(request, socket, head, headers, open),
    );
    this.#target.onUpgrade(exchange);
  }

  /** Takes what is under the path; everything else goes to the listeners that were there before. */
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
    emitter.on("upgrade", (request: IncomingMessage, socket: Duplex, head: Buffer) => {
      if (request.url?.startsWith(path)) this.handleUpgrade(request, socket, head);
      else if (options.destroyUpgrade) endUnlessTaken(socket as NetSocket, options.destroyUpgradeTimeout);
    });
    if (isHttp2(server)) {
      attachExtendedConnect(server, path, (request, socket, head) =>
        this.handleUpgrade(request, socket, head),
      );
    }
  }

  /** Ends connections that only wait for further requests. */
  closeIdle(): void {
    this.#http2.close();
  }

  #upgrade(
    request: IncomingMessage,
    socket: Duplex,
    head: Buffer,
    headers: OutgoingHttpHeaders,
    open: (port: WebSocketPort) => WebSocketHandlers,
  ): void {
    this.#upgradeHeaders = headers;
    try {
      this.webSocketServer.handleUpgrade(request, socket, head, (websocket) => {
        new NodeWebSocketPort(websocket, socket, request.socket.remoteAddress ?? "", this.#frames, open);
      });
    } finally {
      this.#upgradeHeaders = {};
    }
  }
}

/** `ws` closes for what a client did wrong with a code alone; this tells the client in words as well. */
class ExplainingWebSocket extends WebSocket {
  override close(code?: number, reason?: string | Buffer): void {
    super.close(code, reason ?? closeReasons.get(code));
  }
}

const closeReasons: ReadonlyMap<number | undefined, string> = new Map([
  [1002, "Invalid WebSocket frame"],
  [1007, "Invalid UTF-8"],
  [1009, "Max payload size exceeded"],
]);

type RequestListener = (this: NodeServer, request: IncomingMessage, response: ServerResponse) => void;

/** Node leaves upgrades open that nobody takes, once anybody listens. Another library may take it in the meantime. */
function endUnlessTaken(socket: NetSocket, timeout: number): void {
  socket.on("error", () => {});
  setTimeout(() => {
    if (socket.writable && socket.bytesWritten <= 0) socket.end();
  }, timeout);
}

class NodeWebSocketPort implements WebSocketPort {
  readonly socket: WebSocket;
  readonly remoteAddress: string;
  readonly #stream: Duplex;
  readonly #handlers: WebSocketHandlers;
  /** Where frames are made by hand. */
  readonly #frames: FrameGatherer | undefined;
  #isGathering = false;

  constructor(
    socket: WebSocket,
    stream: Duplex,
    remoteAddress: string,
    frames: FrameGatherer,
    open: (port: WebSocketPort) => WebSocketHandlers,
  ) {
    this.socket = socket;
    this.#stream = stream;
    this.remoteAddress = remoteAddress;
    // Compression is for `ws`, and another engine is its own affair.
    const isPlain = socket instanceof ExplainingWebSocket && socket.extensions === "";
    this.#frames = isPlain ? frames : undefined;
    const handlers = (this.#handlers = open(this));
    socket.on("message", (data: Buffer, isBinary: boolean) =>
      handlers.onMessage(isBinary ? data : data.toString()),
    );
    socket.on("error", (error) => handlers.onError(error));
    socket.once("close", (code: number, reason: Buffer) => handlers.onClose(code, reason.toString()));
  }

  /** One chunk of TCP may hold many frames, which `ws` hands over one by one: their answers leave together. */
  get corkedWhileReceiving(): boolean {
    return false;
  }

  get bufferedAmount(): number {
    return this.socket.bufferedAmount;
  }

  send(data: string | Buffer, binary: boolean, compress: boolean): void {
    const frames = this.#frames;
    if (frames === undefined || data.length > MAX_GATHERED || this.socket.readyState !== WebSocket.OPEN) {
      this.#writeGathered();
      this.socket.send(data, { binary, compress }, this.#sent);
      return;
    }
    frames.add(data, binary);
    if (!this.#isGathering) this.#writeGathered();
  }

  cork(batch: { write(): void }): void {
    if (this.#frames === undefined) this.#stream.cork();
    this.#isGathering = true;
    try {
      batch.write();
    } finally {
      this.#isGathering = false;
      this.#writeGathered();
      if (this.#frames === undefined) this.#stream.uncork();
    }
  }

  #writeGathered(): void {
    if (this.#frames?.isEmpty === false) this.#stream.write(this.#frames.take(), this.#sent);
  }

  close(code?: number, reason?: string): void {
    this.socket.close(code, reason);
  }

  terminate(): void {
    this.socket.terminate();
  }

  /** Runs once a frame was written. A failed write is an error event as well; that is enough. */
  readonly #sent = (): void => {
    if (this.socket.bufferedAmount === 0) this.#handlers.onDrain();
  };
}
