import type { Duplex } from "node:stream";
import { WebSocket } from "ws";
import type { WebSocketErrorKind, WebSocketHandlers, WebSocketPort } from "../host.ts";
import { FrameReader } from "./frame-reader.ts";
import type { FrameFallback } from "./frame-reader.ts";
import { AnswerFrames, Frame, MAX_GATHERED } from "./frame-writer.ts";
import type { FrameWriter } from "./frame-writer.ts";
import type { Ongoing, OngoingSet } from "./ongoing.ts";

/** When a client breaks the protocol, `ws` closes with a code alone. This class adds the reason. */
export class ExplainingWebSocket extends WebSocket {
  override close(code?: number, reason?: string | Buffer): void {
    // `ws` has the same code for a compressed message that is broken.
    const isUnclear = code === 1007 && this.extensions !== "";
    super.close(code, reason ?? (isUnclear ? "Invalid UTF-8 or compressed data" : closeReasons.get(code)));
  }

  /** Answers pings: a listener of its own would cost each idle connection a hundred bytes. */
  override emit(event: string | symbol, ...args: unknown[]): boolean {
    if (event === "ping") (this as Partial<WithPort>)[PORT]?.pong(args[0] as Buffer);
    return super.emit(event, ...args);
  }
}

const closeReasons: ReadonlyMap<number | undefined, string> = new Map([
  [1002, "Invalid WebSocket frame"],
  [1007, "Invalid UTF-8"],
  [1009, "Max payload size exceeded"],
]);

/** Where listeners find the port. They are shared by all connections: closures would cost each of them memory. */
const PORT = Symbol("port");

interface WithPort {
  [PORT]: NodeWebSocketPort;
}

function onMessage(this: WithPort, data: Buffer, isBinary: boolean): void {
  this[PORT].handlers.onMessage(isBinary ? data : data.toString());
}

function onError(this: WithPort, error: Error): void {
  this[PORT].fail(error);
}

function onClose(this: WithPort, code: number, reason: Buffer): void {
  this[PORT].gone();
  this[PORT].handlers.onClose(code, reason.toString());
}

/** The `data` listener of a socket. */
export type ReceiveChunk = (this: Duplex, chunk: Buffer) => void;

function onData(this: WithPort, chunk: Buffer): void {
  this[PORT].receive(chunk);
}

/** State that all ports of a host share. */
export interface PortContext {
  readonly frames: FrameWriter;
  readonly answers: AnswerFrames;
  readonly ongoing: OngoingSet;
}

/**
 * A WebSocket of `ws`, or of another `wsEngine`. On one of `ws` without compression, the port reads and writes plain messages
 * itself, and gathers the frames that are sent while it handles a chunk.
 */
export class NodeWebSocketPort implements WebSocketPort, FrameFallback, Ongoing {
  readonly socket: WebSocket;
  readonly remoteAddress: string;
  /** For the listeners. */
  readonly handlers: WebSocketHandlers;
  /** Also whether the port reads and writes frames in place of `ws`. */
  readonly corksReads: boolean;
  readonly #stream: Duplex;
  readonly #context: PortContext;
  readonly #reader: FrameReader | undefined;
  /** Hands a chunk of TCP to `ws`. Set if the port reads in its place. */
  readonly #receive: ReceiveChunk | undefined;
  /** The frames that leave together, while they are gathered; those sent while a chunk is handled are encoded already. */
  #gathered: Frame[] | AnswerFrames | undefined = undefined;
  #isOpening = true;

  /** @param receive - the listener through which `ws` reads the stream, if it is known */
  constructor(
    socket: WebSocket,
    stream: Duplex,
    remoteAddress: string,
    context: PortContext,
    maxPayload: number,
    receive: ReceiveChunk | undefined,
    open: (port: WebSocketPort) => WebSocketHandlers,
  ) {
    this.socket = socket;
    this.#stream = stream;
    this.remoteAddress = remoteAddress;
    this.#context = context;
    // Otherwise `ws`, or the other engine, reads and writes all frames.
    const isPlain = socket instanceof ExplainingWebSocket && socket.extensions === "";
    this.#receive = isPlain ? receive : undefined;
    this.corksReads = this.#receive !== undefined;
    if (this.corksReads) this.gather();
    this.handlers = open(this);
    this.#isOpening = false;
    this.release();
    const emitter: NodeJS.EventEmitter = Object.assign(socket, { [PORT]: this });
    emitter.on("message", onMessage).on("error", onError).on("close", onClose);
    if (this.#receive !== undefined) {
      Object.assign(stream, { [PORT]: this });
      this.#reader = new FrameReader(maxPayload, this);
      stream.on("data", onData).off("data", this.#receive);
    }
  }

  /** For the listener: a chunk of TCP, with any number of frames. */
  receive(chunk: Buffer): void {
    const { answers } = this.#context;
    // A stream of the application may bring a chunk while another is handled.
    this.#gathered = answers.isFree ? answers : [];
    answers.isFree = false;
    try {
      this.#reader?.read(chunk, this.handlers);
      this.handlers.onReadEnd();
    } finally {
      this.release();
    }
  }

  /** For the listener: the WebSocket has failed. */
  fail(error: Error): void {
    this.#reader?.end();
    this.handlers.onError(kindOf(error), error);
  }

  /** For the WebSocket: the client has sent a ping. */
  pong(data: Buffer): void {
    const { socket } = this;
    if (socket.readyState !== WebSocket.OPEN) return;
    socket.pong(data, false, this.#sent);
    this.handlers.onAnswered(data.length);
  }

  get wantsAll(): boolean {
    // The first is ours.
    return this.socket.listenerCount("message") > 1;
  }

  take(bytes: Buffer): void {
    this.#receive?.call(this.#stream, bytes);
  }

  get copies(): boolean {
    return this.#gathered instanceof AnswerFrames;
  }

  get bufferedAmount(): number {
    // The 101 is still held back by the host, not by a slow client.
    return this.#isOpening ? 0 : this.socket.bufferedAmount;
  }

  send(data: string | Buffer, binary: boolean, compress: boolean, packet: object): boolean {
    const { socket } = this;
    if (this.corksReads && data.length <= MAX_GATHERED && socket.readyState === WebSocket.OPEN) {
      const gathered = this.#gathered;
      if (gathered === undefined) this.#write([new Frame(data, binary, packet)]);
      else if (gathered instanceof AnswerFrames) gathered.add(data, binary);
      else gathered.push(new Frame(data, binary, packet));
    } else {
      this.#writeGathered();
      const isLent = typeof data !== "string" && this.copies;
      socket.send(isLent ? Buffer.from(data) : data, { binary, compress }, this.#sent);
    }
    return false;
  }

  cork(batch: { write(): void }): void {
    if (!this.corksReads) {
      this.#stream.cork();
      batch.write();
      this.#stream.uncork();
    } else if (this.#gathered === undefined) {
      this.gather();
      batch.write();
      this.release();
    } else {
      // It leaves with the frames that are gathered already.
      batch.write();
    }
  }

  gather(): void {
    this.#gathered ??= [];
  }

  release(): void {
    this.#writeGathered();
    if (this.#gathered instanceof AnswerFrames) this.#gathered.isFree = true;
    this.#gathered = undefined;
  }

  #writeGathered(): void {
    const gathered = this.#gathered;
    if (gathered instanceof AnswerFrames) {
      const bytes = gathered.take();
      if (bytes !== undefined) this.#stream.write(bytes, this.#sent);
    } else if (gathered !== undefined && gathered.length > 0) {
      this.#gathered = [];
      this.#write(gathered);
    }
  }

  #write(frames: readonly Frame[]): void {
    this.#stream.write(this.#context.frames.encode(frames), this.#sent);
  }

  pause(): boolean {
    // Not every `wsEngine` has it.
    if (typeof this.socket.pause !== "function") return false;
    this.socket.pause();
    return true;
  }

  resume(): void {
    this.socket.resume();
  }

  close(code?: number, reason?: string): void {
    this.#writeGathered();
    if (this.socket.readyState !== WebSocket.CLOSED) this.#context.ongoing.add(this);
    this.socket.close(code, reason);
  }

  terminate(): void {
    this.socket.terminate();
  }

  cut(): void {
    this.terminate();
  }

  /** For the listener: the WebSocket has closed. */
  gone(): void {
    this.#context.ongoing.delete(this);
  }

  /** A frame was written, or not: then there is an `error` event, too. */
  written(): void {
    if (this.socket.bufferedAmount === 0) this.handlers.onDrain();
  }

  readonly #sent = (): void => this.written();
}

/** By the codes of `ws` and of zlib. */
function kindOf({ code = "" }: NodeJS.ErrnoException): WebSocketErrorKind {
  if (code === "WS_ERR_UNSUPPORTED_MESSAGE_LENGTH") return "too large";
  return /^(?:WS_ERR|Z)_/.test(code) ? "protocol" : "socket";
}
