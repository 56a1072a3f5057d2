import type { AddressInfo } from "node:net";
import { io as connectClient } from "socket.io-client";
import type { ManagerOptions, SocketOptions } from "socket.io-client";
import type { ClientSocket, Server } from "./socketio.ts";

export type ClientOptions = Partial<ManagerOptions & SocketOptions>;

export interface ServerPlace {
  port: number;
  scheme?: "http" | "https";
  /** Stops listening, after the server has closed. */
  stop?: () => unknown;
}

interface Closable {
  close(): Promise<void>;
}

/** A running server with its clients. `await using` closes all of them at the end of the test. */
export class StartedServer<IO extends Closable = Server> implements AsyncDisposable {
  readonly io: IO;
  readonly port: number;
  readonly url: string;
  readonly #closers: (() => unknown)[] = [];
  #closed: Promise<void> | undefined;

  constructor(io: IO, { port, scheme = "http", stop }: ServerPlace) {
    this.io = io;
    this.port = port;
    this.url = `${scheme}://127.0.0.1:${port}`;
    if (stop !== undefined) this.closeWith(stop);
    // A test may have closed the server itself; then a second close rejects.
    this.closeWith(() => io.close().catch(() => {}));
  }

  /** One that listens by itself. */
  static of(io: Server): StartedServer {
    return new StartedServer(io, { port: (io.httpServer.address() as AddressInfo).port });
  }

  /** Opens an official client. Unless the options say otherwise, it has its own connection and does not reconnect. */
  client(options?: ClientOptions, namespace?: string): ClientSocket {
    const client = openClient(this.url, options, namespace);
    this.closeWith(() => client.close());
    return client;
  }

  /** Runs `close` when the server is closed, before it; the last one registered runs first. */
  closeWith(close: () => unknown): void {
    this.#closers.push(close);
  }

  /** Closes the clients and the server; may be called again. */
  close(): Promise<void> {
    this.#closed ??= this.#closeOnce();
    return this.#closed;
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  async #closeOnce(): Promise<void> {
    for (const close of this.#closers.splice(0).reverse()) await close();
  }
}

/** An official client for any server; the caller closes it. */
export function openClient(url: string, options: ClientOptions = {}, namespace = ""): ClientSocket {
  return connectClient(url + namespace, { forceNew: true, reconnection: false, ...options });
}
