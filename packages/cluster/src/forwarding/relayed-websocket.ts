import { internals } from "@tidewire/engine";
import type { WebSocketErrorKind, WebSocketHandlers, WebSocketPort } from "@tidewire/engine";
import { Kind } from "../link/kinds.ts";
import type { LinkStream } from "../link/link.ts";
import { PayloadReader } from "../link/reader.ts";
import { PayloadWriter } from "../link/writer.ts";
import { BINARY, COMPRESSED, flagsOf, readClose, writeClose } from "./websocket-messages.ts";

const { queueMicrotask } = internals.timers;

const writer = new PayloadWriter();

/** The server has gone for a while: the client is to connect again. */
const SERVICE_RESTART = 1012;

/** A WebSocket of a session on another node, at the node to which its client has connected. */
export class RelayedWebSocket implements WebSocketHandlers {
  readonly #port: WebSocketPort;
  readonly #stream: LinkStream;
  readonly #limits: internals.ClusterTarget["limits"];
  /** Messages for the client that leave together. */
  #messages: Buffer[] = [];
  /** Bytes that were handed to the host, which has not passed them on. */
  #passing = 0;
  #isPaused = false;
  #isOpen = true;

  constructor(port: WebSocketPort, stream: LinkStream, limits: internals.ClusterTarget["limits"]) {
    this.#port = port;
    this.#stream = stream;
    this.#limits = limits;
  }

  /** For the upgrade: a message of the other node. */
  onStreamMessage(kind: number, payload: Buffer): void {
    if (!this.#isOpen) return;
    if (kind === Kind.MESSAGE) {
      this.#keep(payload);
    } else if (kind === Kind.CLOSE) {
      this.#flush();
      const { code, reason } = readClose(new PayloadReader(payload));
      this.#port.close(code, reason);
    }
  }

  #keep(payload: Buffer): void {
    if (this.#messages.push(Buffer.from(payload)) === 1) queueMicrotask(this.#flush);
  }

  /** Sends the messages that have come in one chunk of the link. */
  readonly #flush = (): void => {
    const messages = this.#messages;
    if (messages.length === 0) return;
    this.#messages = [];
    if (!this.#isOpen) return;
    const [first] = messages;
    if (messages.length === 1 && first !== undefined) this.#send(first);
    else this.#port.cork({ write: () => messages.forEach((message) => this.#send(message)) });
    if (this.#isOpen && this.#port.bufferedAmount === 0) this.onDrain();
  };

  #send(message: Buffer): void {
    const flags = message[0] ?? 0;
    this.#passing += message.length;
    this.#port.send(message.subarray(1), (flags & BINARY) !== 0, (flags & COMPRESSED) !== 0, message);
  }

  /** For the upgrade: what waited for credit has left. */
  onStreamDrain(): void {
    if (!this.#isPaused || !this.#isOpen) return;
    this.#isPaused = false;
    this.#port.resume();
  }

  /** For the upgrade: the other node has dropped the WebSocket, or the link has broken. */
  onStreamEnd(isBroken: boolean): void {
    this.#flush();
    if (!this.#isOpen) return;
    if (isBroken) this.#port.close(SERVICE_RESTART, "");
    else this.#port.terminate();
  }

  onMessage(data: string | Buffer): void {
    const stream = this.#stream;
    if (stream.sendData(Kind.MESSAGE, [flagsOf(typeof data !== "string", false), data])) return;
    if (this.#isPaused) return;
    const limit = this.#limits.maxReceiveBacklog;
    this.#isPaused = this.#port.pause();
    if (!this.#isPaused && limit > 0 && stream.bufferedAmount > limit) this.#port.terminate();
  }

  onReadEnd(): void {}

  /** The client does not read, and makes the host answer it. */
  onAnswered(): void {
    const limit = this.#limits.maxBackpressure;
    if (limit > 0 && this.#port.bufferedAmount > limit) this.#port.terminate();
  }

  onDrain(): void {
    this.#stream.grant(this.#passing);
    this.#passing = 0;
  }

  onError(kind: WebSocketErrorKind, error: Error): void {
    this.#stream.send(Kind.FAILED, [writer.begin().text(kind).text(error.message).end()]);
  }

  /** The other node ends the stream, once it has got what the client had sent. */
  onClose(code: number, reason: string): void {
    this.#isOpen = false;
    this.#stream.send(Kind.CLOSE, [writeClose(writer, code, reason)]);
  }
}
