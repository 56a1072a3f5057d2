import type { IncomingMessage, OutgoingHttpHeaders, ServerResponse } from "node:http";
import type { Socket as NetSocket } from "node:net";
import type { Duplex } from "node:stream";
import { WebSocket, WebSocketServer } from "ws";
import type { HostTarget, WebSocketHandlers, WebSocketPort } from "./host.ts";
import { Frame, FrameWriter, MAX_GATHERED } from "./node-frames.ts";
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
  readonly #frames: FrameWriter = new FrameWriter();
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

/** Where the listeners of sockets find the port: shared ones instead of closures for each connection. */
const PORT = Symbol("port");

interface WithPort {
  [PORT]: NodeWebSocketPort;
}

const listeners = {
  message(this: WithPort, data: Buffer, isBinary: boolean): void {
    this[PORT].handlers.onMessage(isBinary ? data : data.toString());
  },
  error(this: WithPort, error: Error): void {
    this[PORT].handlers.onError(error);
  },
  close(this: WithPort, code: number, reason: Buffer): void {
    this[PORT].handlers.onClose(code, reason.toString());
  },
  /** Before `ws` takes a chunk apart, and after. */
  receiving(this: WithPort): void {
    this[PORT].gather();
  },
  received(this: WithPort): void {
    const port = this[PORT];
    port.handlers.onReceived();
    port.release();
  },
};

class NodeWebSocketPort implements WebSocketPort {
  readonly socket: WebSocket;
  readonly remoteAddress: string;
  /** For the listeners. */
  readonly handlers: WebSocketHandlers;
  /** Whether what is sent while a chunk of TCP is taken apart, which may hold many frames, leaves when that is done. */
  readonly corkedWhileReceiving: boolean;
  readonly #stream: Duplex;
  readonly #frames: FrameWriter;
  /** What is gathered now. */
  #gathered: Frame[] | undefined = undefined;

  constructor(
    socket: WebSocket,
    stream: Duplex,
    remoteAddress: string,
    frames: FrameWriter,
    open: (port: WebSocketPort) => WebSocketHandlers,
  ) {
    this.socket = socket;
    this.#stream = stream;
    this.remoteAddress = remoteAddress;
    this.#frames = frames;
    // Compression is for `ws`, and another engine is its own affair.
    this.corkedWhileReceiving = socket instanceof ExplainingWebSocket && socket.extensions === "";
    this.handlers = open(this);
    const emitter: NodeJS.EventEmitter = Object.assign(socket, { [PORT]: this });
    emitter.on("message", listeners.message).on("error", listeners.error).on("close", listeners.close);
    if (this.corkedWhileReceiving) {
      Object.assign(stream, { [PORT]: this });
      stream.prependListener("data", listeners.receiving).on("data", listeners.received);
    }
  }

  get bufferedAmount(): number {
    return this.socket.bufferedAmount;
  }

  send(data: string | Buffer, binary: boolean, compress: boolean): void {
    const { socket } = this;
    if (this.corkedWhileReceiving && data.length <= MAX_GATHERED && socket.readyState === WebSocket.OPEN) {
      const frame = new Frame(data, binary);
      if (this.#gathered === undefined) this.#write([frame]);
      else this.#gathered.push(frame);
    } else {
      this.#writeGathered();
      socket.send(data, { binary, compress }, this.#sent);
    }
  }

  cork(batch: { write(): void }): void {
    if (!this.corkedWhileReceiving) {
      this.#stream.cork();
      batch.write();
      this.#stream.uncork();
    } else if (this.#gathered === undefined) {
      this.gather();
      batch.write();
      this.release();
    } else {
      // What is gathered already leaves with it.
      batch.write();
    }
  }

  gather(): void {
    this.#gathered ??= [];
  }

  release(): void {
    this.#writeGathered();
    this.#gathered = undefined;
  }

  #writeGathered(): void {
    const frames = this.#gathered;
    if (frames === undefined || frames.length === 0) return;
    this.#gathered = [];
    this.#write(frames);
  }

  #write(frames: readonly Frame[]): void {
    this.#stream.write(this.#frames.encode(frames), this.#sent);
  }

  close(code?: number, reason?: string): void {
    this.#writeGathered();
    this.socket.close(code, reason);
  }

  terminate(): void {
    this.socket.terminate();
  }

  /** Runs once a frame was written. A failed write is an error event as well; that is enough. */
  readonly #sent = (): void => {
    if (this.socket.bufferedAmount === 0) this.handlers.onDrain();
  };
}
