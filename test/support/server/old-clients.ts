// The clients of protocol 3 as published. They have no types; what tests use of them is declared here.
import { createRequire } from "node:module";

const require = createRequire(import.meta.url);

interface OldEmitter {
  on(event: string, listener: (...args: never[]) => void): this;
  once(event: string, listener: (...args: never[]) => void): this;
  off(event: string, listener?: (...args: never[]) => void): this;
}

/** engine.io-client 3. */
export interface OldEngineClient extends OldEmitter {
  id: string;
  readyState: string;
  transport: { name: string };
  send(data: string | Buffer | ArrayBuffer, callback?: () => void): this;
  close(): this;
}

/** socket.io-client 2. */
export interface OldClient extends OldEmitter {
  id: string;
  connected: boolean;
  io: OldEmitter & { engine: OldEngineClient };
  emit(event: string, ...args: unknown[]): this;
  open(): this;
  close(): this;
}

export interface OldClientOptions {
  transports?: ("polling" | "websocket")[];
  upgrade?: boolean;
  query?: Record<string, string>;
  reconnection?: boolean;
  timeout?: number;
  path?: string;
}

/** Node 22 has its own WebSocket; the clients must use the one they were published with. */
const always = { forceNode: true };

const engineClient = require("engine.io-client-v3") as (url: string, options: object) => OldEngineClient;

interface OldSocketIo {
  (url: string, options: object): OldClient;
  Manager: new (url: string, options: object) => { socket(nsp: string, options?: object): OldClient };
}

const socketClient = require("socket.io-client-v2") as OldSocketIo;

export function openOldEngineClient(url: string, options: OldClientOptions = {}): OldEngineClient {
  return engineClient(url, { ...always, ...options });
}

/** Its own connection, without reconnection by default. */
export function openOldClient(url: string, options: OldClientOptions = {}): OldClient {
  return socketClient(url, { ...always, forceNew: true, reconnection: false, ...options });
}

/** Several namespaces over one connection. */
export function openOldManager(
  url: string,
  options: OldClientOptions = {},
): { socket(nsp: string, options?: { query?: Record<string, string> }): OldClient } {
  return new socketClient.Manager(url, { ...always, reconnection: false, ...options });
}
