import { createServer } from "node:http";
import type { Server as HttpServer } from "node:http";
import type { AttachOptions, ServerOptions } from "./options.ts";
import { Server } from "./server.ts";

export { Server, Server as uServer } from "./server.ts";
export { Engine } from "./engine.ts";
export type { Engine as BaseServer } from "./engine.ts";
export type { EngineStats } from "./stats/engine-stats.ts";
export type { EventLoop } from "./loop/event-loop.ts";
export { Session, Session as Socket } from "./session/session.ts";
export type {
  ReadyState,
  SendCallback,
  SendOptions,
  SessionHandlers,
  SessionOwner,
} from "./session/types.ts";
export { Transport } from "./transport/transport.ts";
export { transports } from "./drop-in/transports.ts";
export * as parser from "./drop-in/parser.ts";
export { Message, OutgoingPacket } from "./protocol/packet.ts";
export type { PacketOptions } from "./protocol/packet.ts";
export {
  ConnectionErrorCode,
  FastProducerError,
  PayloadTooLargeError,
  PingTimeoutError,
  SlowConsumerError,
  TransportError,
  WebSocketClosedError,
  WebTransportClosedError,
} from "./errors.ts";
export type { ConnectionError, TransportErrorCode } from "./errors.ts";
export * as internals from "./internals.ts";
export type { OptionError } from "./option-rules.ts";
export type { CloseReason } from "./reasons.ts";
export type { Middleware } from "./admission/middlewares.ts";
export type { EngineRequest } from "./http/query.ts";
export type {
  AllowRequest,
  AttachAppOptions,
  AttachOptions,
  ListenOptions,
  ResolvedOptions,
  ServerOptions,
  TransportName,
} from "./options.ts";
export type { ConnectionLimits, HandshakeLimiter, HandshakeRate } from "./limits/options.ts";
export type { TrustProxy } from "./limits/client-address.ts";
export type { LimitRefusal, LimitReport } from "./limits/monitor.ts";
export { MemoryHost } from "./host/memory/host.ts";
export type { MemoryCall, MemoryRequest } from "./host/memory/host.ts";
export type { MemoryResponse } from "./host/memory/response.ts";
export { MemoryUpgradeError } from "./host/memory/upgrade-error.ts";
export { MemoryWebSocket } from "./host/memory/websocket.ts";
export type * from "./host/host.ts";
export type { PerMessageDeflateOptions } from "./host/uws/compression.ts";
export type * from "./transport/webtransport-session.ts";
export type { UwsApp } from "./host/uws/types.ts";

/** The newest protocol version this server speaks. */
export const protocol = 4;

/**
 * Creates an engine and attaches it to a server of node:http.
 *
 * @example
 * const engine = attach(httpServer, { path: "/engine.io" });
 */
export function attach(server: HttpServer, options: ServerOptions & AttachOptions = {}): Server {
  return new Server(options).attach(server, options);
}

/**
 * Creates an engine on a server of node:http of its own, which answers every other request with 501.
 *
 * @example
 * const engine = listen(3000, { pingInterval: 10_000 });
 */
export function listen(
  port: number,
  options: (ServerOptions & AttachOptions) | (() => void) = {},
  callback?: () => void,
): Server {
  const given = typeof options === "function" ? {} : options;
  const listening = typeof options === "function" ? options : callback;
  const http = createServer((_request, response) => response.writeHead(501).end("Not Implemented"));
  const server = attach(http, given);
  http.listen(port, listening);
  return server;
}
