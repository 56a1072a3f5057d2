import type { WebSocketErrorKind, WebSocketHandlers, WebSocketPort } from "@tidewire/engine";
import { Kind } from "../link/kinds.ts";
import type { LinkStream } from "../link/link.ts";
import { PayloadReader } from "../link/reader.ts";
import { PayloadWriter } from "../link/writer.ts";
import { isBinary, isMessage, messageKind, readClose, writeClose } from "./websocket-messages.ts";

const writer = new PayloadWriter();

/** A WebSocket whose client is connected to another node. */
export class LinkWebSocketPort implements WebSocketPort {
  readonly remoteAddress: string;
  readonly #stream: LinkStream;
  #handlers: WebSocketHandlers | undefined = undefined;
  #isClosing = false;
  /** Why it ended before its handlers were known. */
  #ended: { code: number; reason: string } | undefined = undefined;

  constructor(stream: LinkStream, remoteAddress: string) {
    this.#stream = stream;
    this.remoteAddress = remoteAddress;
  }

  /** For the exchange. */
  open(open: (port: WebSocketPort) => WebSocketHandlers): void {
    const handlers = open(this);
    this.#handlers = handlers;
    // Its owner has closed it before the handlers were known.
    if (this.#ended !== undefined) handlers.onClose(this.#ended.code, this.#ended.reason);
  }

  get socket(): unknown {
    return this;
  }

  /** Applications written for `ws` read the address here. */
  get _socket(): { remoteAddress: string } {
    return { remoteAddress: this.remoteAddress };
  }

  /** A link sends once per tick. */
  get corksReads(): boolean {
    return true;
  }

  get copies(): boolean {
    return true;
  }

  /** What the other node has no credit for: its client does not read. */
  get bufferedAmount(): number {
    return this.#stream.bufferedAmount;
  }

  send(data: string | Buffer, binary: boolean, compress: boolean): boolean {
    return this.#isClosing || this.#stream.sendData(messageKind(binary, compress), [data]);
  }

  cork(batch: { write(): void }): void {
    batch.write();
  }

  /** The other node goes on reading. */
  pause(): boolean {
    return false;
  }

  resume(): void {}

  close(code?: number, reason: string = ""): void {
    if (this.#isClosing) return;
    this.#isClosing = true;
    this.#stream.send(Kind.CLOSE, [writeClose(writer, code, reason)]);
  }

  terminate(): void {
    this.#stream.end();
    this.#end(1006, "");
  }

  /** For the exchange: a message of the other node. */
  onMessage(kind: number, payload: Buffer): void {
    if (isMessage(kind)) {
      this.#stream.grant(payload.length);
      this.#receive(isBinary(kind), payload);
    } else if (kind === Kind.FAILED) {
      const reader = new PayloadReader(payload);
      this.#fail(reader.text() as WebSocketErrorKind, reader.text());
    } else if (kind === Kind.CLOSE) {
      const { code = 1005, reason } = readClose(new PayloadReader(payload));
      this.#stream.end();
      this.#end(code, reason);
    }
  }

  #receive(hasBytes: boolean, payload: Buffer): void {
    const handlers = this.#handlers;
    if (handlers === undefined || this.#isClosing) return;
    handlers.onMessage(hasBytes ? Buffer.from(payload) : payload.toString());
    handlers.onReadEnd();
  }

  #fail(kind: WebSocketErrorKind, message: string): void {
    this.#handlers?.onError(kind, kind === "too large" ? new RangeError(message) : new Error(message));
  }

  /** For the exchange. */
  onDrain(): void {
    this.#handlers?.onDrain();
  }

  /** For the exchange: the client's node has dropped the WebSocket, or the link has broken. */
  onEnd(): void {
    this.#end(1006, "");
  }

  #end(code: number, reason: string): void {
    if (this.#ended !== undefined) return;
    this.#isClosing = true;
    this.#ended = { code, reason };
    this.#handlers?.onClose(code, reason);
  }
}
