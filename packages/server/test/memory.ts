import { once } from "node:events";
import { Server as Engine, MemoryHost } from "@tidewire/engine";
import type { Session } from "@tidewire/engine";
import { Server } from "@tidewire/server";
import type { Socket } from "@tidewire/server";
import type { ServerOptions } from "../src/options.ts";

const headers = { host: "localhost" };

/** A server on the host in memory. `await using` closes it. */
export class MemoryServer implements AsyncDisposable {
  readonly io: Server;
  readonly engine: Engine;
  readonly host: MemoryHost = new MemoryHost();

  constructor(options: Partial<ServerOptions> = {}) {
    this.engine = new Engine({ allowEIO3: options.allowEIO3 === true });
    this.engine.attachHost(this.host);
    this.io = new Server(options).bind(this.engine);
  }

  /** A new connection by long-polling. */
  async poll(version: number = 4): Promise<Poller> {
    const connection = once(this.engine, "connection") as Promise<[Session]>;
    const poller = new Poller(this.host, `/engine.io/?EIO=${version}&transport=polling`);
    await poller.open();
    return Object.assign(poller, { session: (await connection)[0] });
  }

  /** A new connection that has joined the namespace, and its socket. */
  async join(nsp: string = "/"): Promise<[Poller, Socket]> {
    const poller = await this.poll();
    const connection = once(this.io.of(nsp), "connection") as Promise<[Socket]>;
    await poller.post(nsp === "/" ? "40" : `40${nsp},`);
    const [socket] = await connection;
    await poller.get();
    return [poller, socket];
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.io.close();
  }
}

/** A client by long-polling, packet by packet. */
export class Poller {
  session!: Session;
  readonly #host: MemoryHost;
  #url: string;

  constructor(host: MemoryHost, url: string) {
    this.#host = host;
    this.#url = url;
  }

  async open(): Promise<void> {
    const handshake = await this.get();
    this.#url += `&sid=${/"sid":"([^"]+)"/.exec(handshake.join(""))?.[1]}`;
  }

  /** The packets of the next response. */
  async get(): Promise<string[]> {
    const { body } = await this.#host.request({ method: "GET", url: this.#url, headers }).response;
    return body.toString().split("\x1e");
  }

  /** Sends packets, all in one payload. */
  async post(...packets: string[]): Promise<void> {
    const body = packets.join("\x1e");
    await this.#host.request({ method: "POST", url: this.#url, headers, body }).response;
  }
}
