import type { IncomingHttpHeaders, IncomingMessage, ServerResponse } from "node:http";
import type { Session } from "./types.ts";
import { openWebSocket, PollingPeer } from "./peers.ts";
import type { StartedEngine } from "./started-engine.ts";
import type { WireResponse } from "../wire/client.ts";

export type Request = IncomingMessage & { res?: unknown; _query?: Record<string, string> };

export type Handler = (req: Request, res: ServerResponse, next: (error?: unknown) => void) => unknown;

/** Adds a middleware that sees requests and responses as node:http has them. */
export function use(engine: unknown, handler: Handler): void {
  (engine as { use(middleware: Handler): unknown }).use(handler);
}

/** Adds a published middleware, whatever request type it declares. */
export function install(engine: unknown, middleware: unknown): void {
  use(engine, middleware as Handler);
}

/** What a test gets of an opened connection. */
export interface Opened {
  session: Session;
  /** Of the response that opened it. */
  headers: IncomingHttpHeaders;
}

/** A way to connect. Both go through the middlewares. */
export interface Way {
  name: "polling" | "websocket";
  open(server: StartedEngine, headers?: Record<string, string>): Promise<Opened>;
  /** The response to a refused handshake. */
  refused(server: StartedEngine): Promise<WireResponse>;
}

export const ways: readonly Way[] = [
  {
    name: "polling",
    async open(server, headers = {}) {
      const response = await server.client.get(server.path("transport=polling"), { headers });
      if (response.status !== 200) throw new Error(`${response.status} ${response.body}`);
      return { session: await server.nextSession(), headers: response.headers };
    },
    refused: (server) => server.client.get(server.path("transport=polling")),
  },
  {
    name: "websocket",
    async open(server, headers = {}) {
      const { socket, session } = await openWebSocket(server, { headers });
      return { session, headers: socket.headers };
    },
    refused: (server) => server.client.refused(server.path("transport=websocket")),
  },
];

/** Sends a message each way over each transport: the server still works for others. */
export async function assertServes(server: StartedEngine): Promise<void> {
  const peer = await PollingPeer.open(server);
  peer.session.send("polling");
  await peer.pollPackets(1);
  const { socket, session } = await openWebSocket(server);
  session.send("websocket");
  await socket.next();
}

/** The names of the events, in order. */
export function record(emitter: NodeJS.EventEmitter, ...names: string[]): string[] {
  const seen: string[] = [];
  for (const name of names) emitter.on(name, () => seen.push(name));
  return seen;
}

/** `name=value` of a cookie that was set, or undefined. */
export function cookieOf(headers: IncomingHttpHeaders, name: string): string | undefined {
  const cookies = [headers["set-cookie"] ?? []].flat();
  return cookies.map((cookie) => cookie.split(";")[0] as string).find((pair) => pair.startsWith(`${name}=`));
}
