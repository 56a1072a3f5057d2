import type { Server } from "socket.io";
import { within } from "./queue.ts";
import type { WireClient } from "./wire.ts";

/** A running Socket.IO server. `await using` closes it at the end of the test. */
export class StartedServer implements AsyncDisposable {
  /** Typed by the official package: ours must be usable through its types. */
  readonly io: Server;
  readonly port: number;
  /** For the official client: `connect(server.url, …)`. */
  readonly url: string;
  /** For raw requests, see `path`. */
  readonly client: WireClient;
  #stopped: Promise<void> | undefined;

  constructor(io: Server, port: number, client: WireClient) {
    this.io = io;
    this.port = port;
    this.url = `http://localhost:${port}`;
    this.client = client;
  }

  path(query: string): string {
    return `${this.io.path()}/?EIO=4&${query}`;
  }

  close(): Promise<void> {
    this.#stopped ??= this.#closeOnce();
    return this.#stopped;
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  async #closeOnce(): Promise<void> {
    this.client.close();
    await within(this.io.close(), "io.close()");
  }
}
