import type { internals, WebSocketErrorKind, WebSocketHandlers, WebSocketPort } from "@tidewire/engine";
import { Kind } from "../link/kinds.ts";
import type { LinkStream } from "../link/link.ts";
import { PayloadReader } from "../link/reader.ts";
import { PayloadWriter } from "../link/writer.ts";
import {
  isBinary,
  isCompressed,
  isMessage,
  messageKind,
  readClose,
  writeClose,
} from "./websocket-messages.ts";

const writer = new PayloadWriter();

/** The close code by which the client knows that it should connect again. */
const SERVICE_RESTART = 1012;

/** A WebSocket of a session on another node, at the node to which its client has connected. */
export class RelayedWebSocket implements WebSocketHandlers {
  readonly #port: WebSocketPort;
  readonly #stream: LinkStream;
  readonly #limits: internals.ClusterTarget["limits"];
  /** Messages for the client that leave together, and their kinds. */
  #messages: Buffer[] = [];
  #kinds: number[] = [];
  /** Bytes that were handed to the host, which has not passed them on. */
  #passing = 0;
  #isPaused = false;
  #isOpen = true;
  /** Whether a close frame has been sent to the client. */
  #isClosing = false;

  constructor(port: WebSocketPort, stream: LinkStream, limits: internals.ClusterTarget["limits"]) {
    this.#port = port;
    this.#stream = stream;
    this.#limits = limits;
  }

  /** For the upgrade: a message of the other node. */
  onStreamMessage(kind: number, payload: Buffer): void {
    if (!this.#isOpen || this.#isClosing) return;
    if (isMessage(kind)) {
      this.#kinds.push(kind);
      if (this.#messages.push(payload) === 1) this.#stream.link.afterRead(this.#flush);
    } else if (kind === Kind.CLOSE) {
      const { code, reason } = readClose(new PayloadReader(payload));
      this.close(code, reason);
    }
  }

  /** For the upgrade: closes the WebSocket behind the messages that have come. */
  close(code?: number, reason: string = ""): void {
    this.#flush();
    if (!this.#isOpen) return;
    this.#isClosing = true;
    this.#port.close(code, reason);
  }

  /** Sends the messages that have come in one chunk of the link. */
  readonly #flush = (): void => {
    const messages = this.#messages;
    if (messages.length === 0) return;
    const kinds = this.#kinds;
    this.#messages = [];
    this.#kinds = [];
    if (!this.#isOpen) return;
    if (messages.length === 1) this.#send(kinds[0]!, messages[0]!);
    else
      this.#port.cork({
        write: () => {
          for (let index = 0; index < messages.length; index++) this.#send(kinds[index]!, messages[index]!);
        },
      });
    if (this.#isOpen && this.#port.bufferedAmount === 0) this.onDrain();
  };

  #send(kind: number, message: Buffer): void {
    this.#passing += message.length;
    const data = this.#port.copies ? message : Buffer.from(message);
    this.#port.send(data, isBinary(kind), isCompressed(kind), data);
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
    this.#pass(data, typeof data !== "string");
  }

  onBytes(data: Uint8Array, hasBytes: boolean): void {
    this.#pass(data, hasBytes);
  }

  #pass(data: string | Uint8Array, hasBytes: boolean): void {
    const stream = this.#stream;
    if (stream.sendData(messageKind(hasBytes, false), [data])) return;
    if (this.#isPaused) return;
    const limit = this.#limits.maxReceiveBacklog;
    this.#isPaused = this.#port.pause();
    if (!this.#isPaused && limit > 0 && stream.bufferedAmount > limit) this.#port.terminate();
  }

  onReadEnd(): void {}

  /** The host has answered a ping. A client may send pings, and not read the answers. */
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
