import { Server as OfficialEngine } from "engine.io";
import { once } from "node:events";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { io as connect } from "socket.io-client";
import type { ManagerOptions, Socket as ClientSocket, SocketOptions } from "socket.io-client";
import { Server } from "@tidewire/server";
import type { ServerOptions } from "../src/options.ts";

/** A server over the official engine, given to `bind()`, and its clients. `await using` closes both. */
export class BoundServer implements AsyncDisposable {
  readonly io: Server;
  readonly url: string;
  readonly #stop: () => Promise<void>;
  readonly #clients: ClientSocket[] = [];

  constructor(io: Server, url: string, stop: () => Promise<void>) {
    this.io = io;
    this.url = url;
    this.#stop = stop;
  }

  connect(nsp: string = "/", options: Partial<ManagerOptions & SocketOptions> = {}): ClientSocket {
    const client = connect(this.url + nsp, { transports: ["websocket"], forceNew: true, ...options });
    this.#clients.push(client);
    return client;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const client of this.#clients) client.close();
    await this.io.close();
    await this.#stop();
  }
}

export async function startBound(options: Partial<ServerOptions> = {}): Promise<BoundServer> {
  const httpServer = createServer();
  const engine = new OfficialEngine(options as object);
  engine.attach(httpServer, { path: "/socket.io/" });
  const io = new Server(options).bind(engine);
  httpServer.listen(0);
  await once(httpServer, "listening");
  const { port } = httpServer.address() as AddressInfo;
  return new BoundServer(io, `http://localhost:${port}`, async () => {
    httpServer.close();
    await once(httpServer, "close");
  });
}
