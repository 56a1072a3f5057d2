import assert from "node:assert/strict";
import { once } from "node:events";
import { Server } from "@tidewire/engine";
import type { ServerOptions, Session } from "@tidewire/engine";
import { Http2Client, Http2TestServer } from "./peers.ts";
import type { Http2WebSocket } from "./peers.ts";
import { until } from "../engine/peers.ts";
import { within } from "../waiting/queue.ts";

export const POLLING = "/engine.io/?EIO=4&transport=polling";
export const WEBSOCKET = "/engine.io/?EIO=4&transport=websocket";

/** An engine attached to an HTTP/2 server, and one client of it. */
export class Http2Engine implements AsyncDisposable {
  readonly engine: Server;
  readonly http: Http2TestServer;
  readonly client: Http2Client;
  readonly #sessions: Session[] = [];

  constructor(engine: Server, http: Http2TestServer, client: Http2Client) {
    this.engine = engine;
    this.http = http;
    this.client = client;
    engine.on("connection", (session: Session) => this.#sessions.push(session));
  }

  static async start(options: ServerOptions = {}): Promise<Http2Engine> {
    const engine = new Server(options);
    const http = await new Http2TestServer().listen();
    engine.attach(http.server);
    return new Http2Engine(engine, http, await Http2Client.connect(http.port));
  }

  async session(): Promise<Session> {
    await until(() => this.#sessions.length > 0, "a session");
    return this.#sessions.shift()!;
  }

  async websocket(): Promise<{ socket: Http2WebSocket; session: Session }> {
    const socket = await this.client.websocket(WEBSOCKET);
    assert.match(String(await socket.next()), /^0\{"sid"/);
    return { socket, session: await this.session() };
  }

  async poll(): Promise<{ path: string; session: Session }> {
    const { status, body } = await this.client.request("GET", POLLING);
    assert.equal(status, 200);
    assert.match(body, /^0\{"sid"/);
    const session = await this.session();
    return { path: `${POLLING}&sid=${session.id}`, session };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.engine.close();
    await this.client[Symbol.asyncDispose]();
    await this.http[Symbol.asyncDispose]();
  }
}

export function closeOf(session: Session): Promise<string> {
  const closed = once(session, "close") as Promise<[string]>;
  return within(closed, "the session to close").then(([reason]) => reason);
}
