import { connect } from "node:net";
import type { Socket } from "node:net";
import type { LinkPipe, PipeHandlers } from "./pipe.ts";

/** What sockets that were connected here are read into, one chunk after the other. */
const memory = Buffer.allocUnsafeSlow(64 * 1024);

/** A pipe over a socket of Node. */
export class SocketPipe implements LinkPipe {
  /**
   * Connects to a unix socket. Node reads sockets that it has accepted, and those of TLS, through a stream, each chunk into memory of
   * its own.
   */
  static connect(path: string): SocketPipe {
    const callback = (length: number): boolean => {
      pipe.#handlers?.onData(memory.subarray(0, length));
      return true;
    };
    const socket = connect({ path, onread: { buffer: memory, callback } });
    const pipe = new SocketPipe(socket);
    return pipe;
  }

  readonly socket: Socket;
  #handlers: PipeHandlers | undefined = undefined;
  #error: Error | undefined = undefined;

  /** @param socket - nothing has been read from it */
  constructor(socket: Socket) {
    this.socket = socket;
    // A link must not keep a process alive whose server has closed.
    socket.unref();
    socket.on("error", (error) => (this.#error = error));
    socket.on("end", () => this.#onClose());
    socket.on("close", () => this.#onClose());
  }

  get bufferedAmount(): number {
    return this.socket.writableLength;
  }

  start(handlers: PipeHandlers): void {
    const isFirst = this.#handlers === undefined;
    this.#handlers = handlers;
    if (isFirst) this.socket.on("data", (chunk: Buffer) => this.#handlers?.onData(chunk));
  }

  write(chunks: readonly Uint8Array[]): boolean {
    const socket = this.socket;
    if (chunks.length === 1) {
      socket.write(chunks[0]!);
    } else {
      socket.cork();
      for (const chunk of chunks) socket.write(chunk);
      socket.uncork();
    }
    // Node has tried to write at once.
    return socket.writableLength === 0;
  }

  end(): void {
    this.#handlers = undefined;
    this.socket.destroySoon();
  }

  destroy(): void {
    this.#handlers = undefined;
    this.socket.destroy();
  }

  #onClose(): void {
    const handlers = this.#handlers;
    this.#handlers = undefined;
    this.socket.destroy();
    handlers?.onClose(this.#error);
  }
}
