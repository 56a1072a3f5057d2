import { TextDecoder } from "node:util";
import { formatAddress } from "../copied/address.ts";
import type { HostTarget, WebSocketHandlers, WebSocketPort } from "../host.ts";
import { ContinuedResponse } from "./continued-response.ts";
import { ChunkedUwsExchange, UwsHttpExchange, UwsUpgradeExchange } from "./exchange.ts";
import { acceptableOffers } from "../window-bits.ts";
import { fewestWindowBits } from "./compression.ts";
import { answerAndClose, framing } from "./framing.ts";
import { PartialHead, addressBehindProxy, addressOfPeer, copyHead, urlOf } from "./head.ts";
import type { UwsApp, UwsRequest, UwsWebSocket } from "./types.ts";
import { wellFormed } from "./well-formed.ts";

/** The user data of an upgraded socket. uWebSockets.js copies its own properties, so it is a plain record. */
export interface UwsConnection {
  open: (port: WebSocketPort) => WebSocketHandlers;
  port: UwsWebSocketPort | undefined;
  /** Where a proxy has said that the client is. */
  proxied?: ArrayBuffer;
}

export interface UwsHostOptions {
  /** With its trailing slash, unless the application wanted none. */
  path: string;
  /** Whether the app is an `SSLApp`. */
  secure: boolean;
  /** Whether WebSocket upgrades are taken at all. */
  websocket: boolean;
  /** A compressor constant of uWebSockets.js, 0 for none. */
  compression?: number;
  /** Seconds without a word from the client after which a WebSocket is ended: 0 for never, else 8 to 960. */
  idleTimeout?: number;
  /** Whether to believe what connections say of the client in a header of the PROXY protocol. */
  proxyProtocol?: boolean;
}

function opened(): never {
  throw new Error("This WebSocket has been opened");
}

/** What the host counts, so that closing can wait for it. */
export interface UwsActivity {
  open: number;
  onIdle: (() => void) | undefined;
}

/**
 * Routes a path of a uWebSockets.js app to the target.
 *
 * @throws RangeError for an idle timeout that uWebSockets.js does not take: it would end the process
 */
export function attachUws(app: UwsApp, target: HostTarget, options: UwsHostOptions): UwsActivity {
  const { path, secure, compression = 0, idleTimeout = 0 } = options;
  if (idleTimeout !== 0 && !(idleTimeout >= 8 && idleTimeout <= 960)) {
    throw new RangeError(`idleTimeout must be 0 or 8 to 960 seconds, not ${idleTimeout}`);
  }
  const activity: UwsActivity = { open: 0, onIdle: undefined };
  const settle = (): void => {
    if (--activity.open === 0) activity.onIdle?.();
  };
  const addressOf = options.proxyProtocol ? addressBehindProxy : addressOfPeer;
  const fewestBits = fewestWindowBits(compression);
  const isElsewhere = outside(path);
  for (const pattern of patternsOf(path)) {
    app.any(pattern, (response, request) => {
      if (isElsewhere(request)) return;
      const requestPath = request.getUrl();
      const url = urlOf(request, requestPath);
      // The longer paths of files are no session's.
      const isWhole = requestPath !== path || target.needsWholeHead(url);
      const head = isWhole
        ? copyHead(response, request, url, secure, addressOf)
        : new PartialHead(response, request, url, secure, addressOf);
      if (framing.isAmbiguous) return answerAndClose(response, BAD_REQUEST);
      activity.open++;
      const Exchange = framing.isChunked ? ChunkedUwsExchange : UwsHttpExchange;
      const answer = framing.waitsForContinue ? new ContinuedResponse(response) : response;
      target.onRequest(new Exchange(answer, head, target.maxPayload, settle));
    });
    if (!options.websocket) continue;
    app.ws<UwsConnection>(pattern, {
      compression,
      // Larger than the limit, so that the port can refuse a frame over it with a close code. uWebSockets.js itself drops the
      // connection without one.
      maxPayloadLength: Math.min(target.maxPayload * 2 + 65_536, 2 ** 31 - 1),
      // Unlimited here: the session bounds what waits, and closes rather than skip a message.
      maxBackpressure: 0,
      closeOnBackpressureLimit: false,
      // Heartbeats are the protocol's, unless the application wants those of WebSocket too.
      idleTimeout,
      sendPingsAutomatically: idleTimeout > 0,
      upgrade: (response, request, context) => {
        if (isElsewhere(request)) return;
        const head = copyHead(response, request, urlOf(request, request.getUrl()), secure, addressOf);
        if (framing.isAmbiguous) return answerAndClose(response, BAD_REQUEST);
        const extensions = acceptableOffers(request.getHeader("sec-websocket-extensions"), fewestBits);
        const exchange = new UwsUpgradeExchange(response, request, context, head, extensions);
        if (options.proxyProtocol) exchange.proxied = addressOf(response);
        target.onUpgrade(exchange);
      },
      open: (socket) => {
        activity.open++;
        const connection = socket.getUserData();
        connection.port = new UwsWebSocketPort(socket);
        const { open } = connection;
        // It holds the upgrade request, whose time is over.
        connection.open = opened;
        connection.port.open(open);
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
        settle();
      },
    });
  }
  return activity;
}

const BAD_REQUEST = "400 Bad Request";

/** Answers what no other route of the app takes. */
export function refuseOtherPaths(app: UwsApp): void {
  app.any("/*", (response, request) => {
    framing.read(request);
    if (framing.isAmbiguous) answerAndClose(response, BAD_REQUEST);
    else if (framing.hasBody) answerAndClose(response, "404 Not Found");
    else response.writeStatus("404 Not Found").end();
  });
}

/** What is under the path, in the patterns of uWebSockets.js. */
function patternsOf(path: string): string[] {
  if (path === "" || path === "/") return ["/*"];
  return path.endsWith("/") ? [`${path}*`] : [path, `${path}/*`];
}

/** Turns away what only the patterns put under the path: in them `:name` and `*` stand for anything. */
function outside(path: string): (request: UwsRequest) => boolean {
  if (!/[:*]/.test(path)) return () => false;
  return (request) => {
    if (request.getUrl().startsWith(path)) return false;
    request.setYield(true);
    return true;
  };
}

const decoder = new TextDecoder("utf-8", { ignoreBOM: true });

function copyOf(message: ArrayBuffer): Buffer {
  const copy = Buffer.allocUnsafe(message.byteLength);
  copy.set(new Uint8Array(message));
  return copy;
}

/** What the host is about to send in one cork. One batch runs at a time, so one closure serves all. */
let corked: { write(): void };
const runCorked = (): void => corked.write();

class UwsWebSocketPort implements WebSocketPort {
  readonly #socket: UwsWebSocket<UwsConnection>;
  #handlers: WebSocketHandlers | undefined = undefined;
  /** As of a WebSocket: 1 open, 2 when we have closed or are about to, 3 closed. */
  readyState: 1 | 2 | 3 = 1;

  constructor(socket: UwsWebSocket<UwsConnection>) {
    this.#socket = socket;
  }

  /** From the host. */
  open(open: UwsConnection["open"]): void {
    const handlers = open(this);
    this.#handlers = handlers;
    // Closed by its owner before there was anybody to tell.
    if (this.readyState === 3) handlers.onClose(1006, "");
  }

  get socket(): unknown {
    return this;
  }

  /** Where applications that were written for `ws` look for the address. */
  get _socket(): { remoteAddress: string } {
    return { remoteAddress: this.remoteAddress };
  }

  get remoteAddress(): string {
    if (this.readyState === 3) return "";
    return formatAddress(this.#socket.getUserData().proxied ?? this.#socket.getRemoteAddress());
  }

  get corksReads(): boolean {
    return true;
  }

  get copies(): boolean {
    return true;
  }

  get bufferedAmount(): number {
    return this.readyState === 3 ? 0 : this.#socket.getBufferedAmount();
  }

  send(data: string | Buffer, binary: boolean, compress: boolean): void {
    if (this.readyState !== 3) this.#socket.send(wellFormed(data), binary, compress);
  }

  cork(batch: { write(): void }): void {
    if (this.readyState === 3) {
      // What was received before the end may still be handled.
      batch.write();
      return;
    }
    corked = batch;
    this.#socket.cork(runCorked);
  }

  /** uWebSockets.js goes on reading. */
  pause(): boolean {
    return false;
  }

  resume(): void {}

  close(code: number = 1005, reason: string = ""): void {
    if (this.readyState !== 1) return;
    this.readyState = 2;
    // Runs the close handler before it returns.
    this.#socket.end(code, reason);
  }

  terminate(): void {
    if (this.readyState !== 3) this.#socket.close();
  }

  /** From the host. The bytes are uWebSockets.js's own and are gone after this call. */
  receive(message: ArrayBuffer, isBinary: boolean): void {
    const handlers = this.#handlers;
    if (this.readyState !== 1 || handlers === undefined) return;
    handlers.onMessage(isBinary ? copyOf(message) : decoder.decode(message));
    handlers.onReadEnd();
  }

  /** From the host. */
  answered(bytes: number): void {
    if (this.readyState === 1) this.#handlers?.onAnswered(bytes);
  }

  /** From the host. */
  drained(): void {
    if (this.readyState === 1 && this.#socket.getBufferedAmount() === 0) this.#handlers?.onDrain();
  }

  /** From the host. */
  closed(code: number, reason: string): void {
    const error = code === 1006 && this.readyState === 1 ? errorOf(reason) : undefined;
    this.readyState = 3;
    if (error !== undefined) this.#handlers?.onError(error);
    this.#handlers?.onClose(code, reason);
  }

  /** From the host: instead of a message over the limit. */
  tooLarge(): void {
    if (this.readyState !== 1) return;
    this.readyState = 2;
    this.#handlers?.onError(tooLargeError());
    this.#socket.end(1009, "Max payload size exceeded");
  }
}

/** What the client did wrong, if uWebSockets.js has dropped the connection for it: that is said in the reason alone. */
function errorOf(reason: string): Error | undefined {
  if (reason === "Received too big message") return tooLargeError();
  // uWebSockets.js does not tell a message that unpacks to too much from one that cannot be unpacked.
  if (reason.startsWith("Received too big message, or")) {
    return new Error("a compressed message is broken, or unpacks to more than maxHttpBufferSize");
  }
  return reason.startsWith("Received invalid") ? new Error(reason) : undefined;
}

function tooLargeError(): RangeError {
  return new RangeError("Max payload size exceeded");
}
