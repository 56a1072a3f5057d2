import { TextDecoder } from "node:util";
import { formatAddress } from "../copied/address.ts";
import type { WebSocketHandlers, WebSocketPort } from "../host.ts";
import type { UwsWebSocket } from "./types.ts";
import { wellFormed } from "./well-formed.ts";

/** The user data of an upgraded socket. uWebSockets.js copies its own properties, so it is a plain record. */
export interface UwsConnection {
  /** Takes the port. Only until the socket is open, because it holds the upgrade request. */
  opening: { port: UwsWebSocketPort | undefined } | undefined;
  port: UwsWebSocketPort | undefined;
  /** The address of the client, where a proxy has sent one. */
  proxied?: ArrayBuffer;
}

const decoder = new TextDecoder("utf-8", { ignoreBOM: true });

function copyOf(message: ArrayBuffer): Buffer {
  const copy = Buffer.allocUnsafe(message.byteLength);
  copy.set(new Uint8Array(message));
  return copy;
}

/** The batch that is about to be sent in one cork. Only one runs at a time, so one closure serves all. */
let corked: { write(): void };
const runCorked = (): void => corked.write();

/** What uWebSockets.js returns where the kernel has taken a frame, or the cork buffer. */
const SENT = 1;

/** One WebSocket of uWebSockets.js. */
export class UwsWebSocketPort implements WebSocketPort {
  readonly #socket: UwsWebSocket<UwsConnection>;
  #handlers: WebSocketHandlers | undefined = undefined;
  /** As on a `WebSocket`: 1 open, 2 closing or about to, 3 closed. */
  readyState: 1 | 2 | 3 = 1;

  constructor(socket: UwsWebSocket<UwsConnection>) {
    this.#socket = socket;
  }

  /** For the host. */
  open(open: (port: WebSocketPort) => WebSocketHandlers): void {
    const handlers = open(this);
    this.#handlers = handlers;
    // Its owner has closed it before the handlers were known.
    if (this.readyState === 3) handlers.onClose(1006, "");
  }

  get socket(): unknown {
    return this;
  }

  /** Applications written for `ws` read the address here. */
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

  send(data: string | Buffer, binary: boolean, compress: boolean): boolean {
    return this.readyState === 3 || this.#socket.send(wellFormed(data), binary, compress) === SENT;
  }

  cork(batch: { write(): void }): void {
    if (this.readyState === 3) {
      // Messages that were received before the end may still be handled.
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

  /** For the host. The bytes belong to uWebSockets.js and are gone after this call. */
  receive(message: ArrayBuffer, isBinary: boolean): void {
    const handlers = this.#handlers;
    if (this.readyState !== 1 || handlers === undefined) return;
    if (handlers.onBytes === undefined)
      handlers.onMessage(isBinary ? copyOf(message) : decoder.decode(message));
    else handlers.onBytes(new Uint8Array(message), isBinary);
    handlers.onReadEnd();
  }

  /** For the host. */
  answered(bytes: number): void {
    if (this.readyState === 1) this.#handlers?.onAnswered(bytes);
  }

  /** For the host. */
  drained(): void {
    if (this.readyState === 1 && this.#socket.getBufferedAmount() === 0) this.#handlers?.onDrain();
  }

  /** For the host. */
  closed(code: number, reason: string): void {
    const isDropped = code === 1006 && this.readyState === 1;
    this.readyState = 3;
    if (isDropped && this.#handlers !== undefined) explain(reason, this.#handlers);
    this.#handlers?.onClose(code, reason);
  }

  /** For the host: a message was larger than the limit. */
  tooLarge(): void {
    if (this.readyState !== 1) return;
    this.readyState = 2;
    this.#handlers?.onError("too large", tooLargeError());
    this.#socket.end(1009, "Max payload size exceeded");
  }
}

/** Reports what the client did wrong if uWebSockets.js has dropped the connection for it. Only the reason says so. */
function explain(reason: string, handlers: WebSocketHandlers): void {
  if (reason === "Received too big message") {
    handlers.onError("too large", tooLargeError());
  } else if (reason.startsWith("Received too big message, or")) {
    // uWebSockets.js does not distinguish a message that unpacks to too much from one that cannot be unpacked.
    const message = "a compressed message is invalid, or larger than maxHttpBufferSize when decompressed";
    handlers.onError("protocol", new Error(message));
  } else if (reason.startsWith("Received invalid")) {
    handlers.onError("protocol", new Error(reason));
  }
}

function tooLargeError(): RangeError {
  return new RangeError("Max payload size exceeded");
}
