import type { WebSocketHandlers, WebSocketPort } from "../host.ts";
import type { MemoryResponse } from "./response.ts";

/**
 * The client's end of a WebSocket in memory. Messages that arrive before `onmessage` is set wait for it. While the client is
 * paused, the server's frames wait on the way to it, and count as buffered there.
 *
 * @example
 * socket.onmessage = (data) => console.log(data);
 * socket.send("4hello");
 * socket.pause(); // frames of the server wait
 * socket.resume();
 * socket.close(1000);
 * socket.terminate(); // without a close frame
 */
export class MemoryWebSocket {
  /** Headers of the 101. */
  readonly headers: MemoryResponse["headers"];
  readonly #maxPayload: number;
  #handlers: WebSocketHandlers | undefined = undefined;
  #received: Array<string | Buffer> = [];
  #closed: { code: number; reason: string } | undefined = undefined;
  #onmessage: ((data: string | Buffer) => void) | undefined = undefined;
  #onclose: ((code: number, reason: string) => void) | undefined = undefined;
  #paused = false;
  /** Frames on the way to a client that is paused. */
  #held: Array<string | Buffer> = [];
  #heldBytes = 0;
  /** How many frames the server has sent after the end. A correct server sends none. */
  lateFrames: number = 0;
  /** The server's close frame, behind the held frames. */
  #heldClose: { code: number; reason: string } | undefined = undefined;

  constructor(
    headers: MemoryResponse["headers"],
    maxPayload: number,
    open: (port: WebSocketPort) => WebSocketHandlers,
  ) {
    this.headers = headers;
    this.#maxPayload = maxPayload;
    this.#handlers = open(this.#port());
    // Its owner has closed it before the handlers were known.
    if (this.#closed) this.#handlers.onClose(this.#closed.code, this.#closed.reason);
  }

  set onmessage(listener: (data: string | Buffer) => void) {
    this.#onmessage = listener;
    for (const data of this.#received.splice(0)) listener(data);
  }

  set onclose(listener: (code: number, reason: string) => void) {
    this.#onclose = listener;
    if (this.#closed) listener(this.#closed.code, this.#closed.reason);
  }

  send(data: string | Buffer): void {
    if (this.#closed) return;
    if (Buffer.byteLength(data) <= this.#maxPayload) {
      // As on a real host: messages after the server's close frame are read and dropped.
      if (this.#heldClose) return;
      this.#handlers?.onMessage(data);
      this.#handlers?.onReadEnd();
      return;
    }
    this.#finish(1009, "Max payload size exceeded", new RangeError("Max payload size exceeded"));
  }

  /** Stops reading. */
  pause(): void {
    this.#paused = true;
  }

  /** Reads the held frames, and goes on. */
  resume(): void {
    if (!this.#paused) return;
    this.#paused = false;
    const held = this.#held;
    this.#held = [];
    this.#heldBytes = 0;
    for (const data of held) this.#read(data);
    if (this.#heldClose) this.#finish(this.#heldClose.code, this.#heldClose.reason);
    else if (held.length > 0) this.#handlers?.onDrain();
  }

  close(code: number = 1005, reason: string = ""): void {
    this.#finish(code, reason);
  }

  /** Ends the connection without a closing handshake. */
  terminate(): void {
    this.#finish(1006, "");
  }

  #port(): WebSocketPort {
    const bufferedAmount = (): number => this.#heldBytes;
    return {
      remoteAddress: "127.0.0.1",
      socket: this,
      corksReads: true,
      get bufferedAmount(): number {
        return bufferedAmount();
      },
      copies: true,
      send: (data, binary) => {
        this.#receive(binary ? Buffer.from(data) : data.toString());
        return false;
      },
      cork: (batch) => batch.write(),
      pause: () => false,
      resume: () => {},
      close: (code = 1005, reason = "") => this.#closedByServer(code, reason),
      terminate: () => this.#finish(1006, ""),
    };
  }

  #receive(data: string | Buffer): void {
    if (this.#closed || this.#heldClose) {
      this.lateFrames++;
      return;
    }
    if (!this.#paused) {
      this.#read(data);
      return;
    }
    this.#held.push(data);
    this.#heldBytes += Buffer.byteLength(data);
  }

  #read(data: string | Buffer): void {
    if (this.#onmessage) this.#onmessage(data);
    else this.#received.push(data);
  }

  #closedByServer(code: number, reason: string): void {
    if (this.#paused) this.#heldClose ??= { code, reason };
    else this.#finish(code, reason);
  }

  #finish(code: number, reason: string, tooLarge?: RangeError): void {
    if (this.#closed) return;
    this.#closed = { code, reason };
    this.#held = [];
    this.#heldBytes = 0;
    if (tooLarge) this.#handlers?.onError("too large", tooLarge);
    this.#handlers?.onClose(code, reason);
    this.#onclose?.(code, reason);
  }
}
