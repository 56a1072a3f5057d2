import type { EventEmitter } from "node:events";
import type { IncomingMessage, Server as HttpServer } from "node:http";
import type { Duplex } from "node:stream";
import type { ConnectionLimits } from "@tidewire/engine";
import type { ServerOptions } from "engine.io";
import type { WebSocket } from "ws";

/** Engine options as the official package declares them, and what ours adds. */
export type EngineOptions = Partial<ServerOptions> & {
  path?: string;
  host?: "uws" | "node";
  maxBackpressure?: number;
  maxReceiveBacklog?: number;
  limits?: ConnectionLimits;
};

export interface AttachOptions {
  path?: string;
  addTrailingSlash?: boolean;
  destroyUpgrade?: boolean;
  destroyUpgradeTimeout?: number;
}

/** What tests use of an engine, ours or the official one. */
export interface Engine extends EventEmitter {
  clients: Record<string, Session>;
  clientsCount: number;
  opts: ServerOptions;
  generateId(req: IncomingMessage): string | PromiseLike<string>;
  use(middleware: (req: IncomingMessage, res: unknown, next: (error?: Error) => void) => void): unknown;
  attach(httpServer: HttpServer, options?: AttachOptions): unknown;
  prepare(req: IncomingMessage): void;
  onWebSocket(req: IncomingMessage, socket: Duplex, websocket: WebSocket): void;
  close(): unknown;
}

/** What tests use of a session (the official package calls it Socket). */
export interface Session extends EventEmitter {
  readonly id: string;
  readonly protocol: number;
  readonly remoteAddress: string;
  request: IncomingMessage & { _query: Record<string, string> };
  transport: EventEmitter & { name: string; writable: boolean; readyState: string };
  readyState: string;
  upgrading: boolean;
  upgraded: boolean;
  writeBuffer: unknown[];
  send(
    data: string | Buffer,
    options?: { compress?: boolean },
    callback?: (transport: unknown) => void,
  ): unknown;
  close(discard?: boolean): void;
}

export interface CloseReason {
  reason: string;
  description: unknown;
}

/** The payload of `connection_error`. */
export interface ConnectionError {
  req: IncomingMessage & { _query?: Record<string, string> };
  code: number;
  message: string;
  context: Record<string, unknown> | undefined;
}
