import { Server as OfficialEngine } from "engine.io";
import { once } from "node:events";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { Server as OfficialServer } from "socket.io";
import { io as connect } from "socket.io-client";
import type { ManagerOptions, Socket as ClientSocket, SocketOptions } from "socket.io-client";
import { Server } from "@tidewire/server";
import type { Socket } from "@tidewire/server";
import type { ServerOptions } from "../src/options.ts";

type ClientOptions = Partial<ManagerOptions & SocketOptions>;

/** A server over the official engine, given to `bind()`, and its clients. `await using` closes both. */
export class BoundServer<IO extends Server | OfficialServer = Server> implements AsyncDisposable {
  readonly io: IO;
  readonly #url: string;
  readonly #stop: () => Promise<void>;
  readonly #clients: ClientSocket[] = [];

  constructor(io: IO, url: string, stop: () => Promise<void>) {
    this.io = io;
    this.#url = url;
    this.#stop = stop;
  }

  /** An official client, not yet connected when this returns. */
  client(nsp: string = "/", options: ClientOptions = {}): ClientSocket {
    const client = connect(this.#url + nsp, {
      transports: ["websocket"],
      forceNew: true,
      reconnection: false,
      ...options,
    });
    this.#clients.push(client);
    return client;
  }

  /** The two ends of a new connection. */
  async pair(nsp: string = "/", options?: ClientOptions): Promise<[Socket, ClientSocket]> {
    const connection = once(this.io.of(nsp) as Server["sockets"], "connection") as Promise<[Socket]>;
    const client = this.client(nsp, options);
    await heard(client, "connect");
    return [(await connection)[0], client];
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const client of this.#clients) client.close();
    await this.io.close();
    await this.#stop();
  }
}

/** The arguments of the next event a client hears. */
export function heard(client: ClientSocket, event: string): Promise<unknown[]> {
  return new Promise((resolve) => client.once(event, (...args: unknown[]) => resolve(args)));
}

async function start<IO extends Server | OfficialServer>(io: IO, options: object): Promise<BoundServer<IO>> {
  const httpServer = createServer();
  const engine = new OfficialEngine(options);
  engine.attach(httpServer, { path: "/socket.io/" });
  io.bind(engine);
  httpServer.listen(0);
  await once(httpServer, "listening");
  const { port } = httpServer.address() as AddressInfo;
  return new BoundServer(io, `http://localhost:${port}`, async () => {
    const closed = once(httpServer, "close");
    httpServer.close();
    await closed;
  });
}

export function startBound(options: Partial<ServerOptions> = {}): Promise<BoundServer> {
  return start(new Server(options), options);
}

/** The official server on the same engine. */
export function startOfficial(options: object = {}): Promise<BoundServer<OfficialServer>> {
  return start(new OfficialServer(options), options);
}
