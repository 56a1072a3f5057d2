import type { ZlibOptions } from "node:zlib";
import type { CorsOptions, CorsOptionsDelegate } from "cors";
import type { CookieOptions } from "./http/cookie.ts";
import type { WebSocketEngine } from "./host/node/host.ts";
import type { PerMessageDeflateOptions } from "./host/uws/compression.ts";
import type { EngineRequest } from "./http/query.ts";
import { engineOptions, knownOptions } from "./known-options.ts";
import type { ConnectionLimits } from "./limits/options.ts";
import { readOptions, warnOfUnknownOptions } from "./option-rules.ts";

export type TransportName = "polling" | "websocket" | "webtransport";

/** Refuses or admits a handshake; `error` is shown to the client when `success` is false. */
export type AllowRequest = (
  req: EngineRequest,
  callback: (error: string | null | undefined, success: boolean) => void,
) => void;

/** Options of the engine. Times are in ms, sizes in bytes. */
export interface ServerOptions {
  /**
   * How long a client may take to answer a ping, in ms.
   * @default 20000
   */
  pingTimeout?: number;
  /**
   * Time between pings, in ms.
   * @default 25000
   */
  pingInterval?: number;
  /**
   * How long an upgrade may take from its request to its last packet, in ms.
   * @default 10000
   */
  upgradeTimeout?: number;
  /**
   * Largest message or request body, in bytes.
   * @default 1000000
   */
  maxHttpBufferSize?: number;
  /**
   * Most bytes that may wait, from one turn of the event loop to the next, for a client that does not read; beyond it the session
   * ends with `transport error` and a `SlowConsumerError`. What the current turn sends, the oldest burst that waits and what the
   * host has taken already do not count, so a client that reads gets a burst of any size. Each packet counts 128 bytes beside its
   * data. The same limit applies to unread pongs to WebSocket pings, and to unread answers to the probes of an upgrade, which is
   * then given up. 0 for no limit.
   * @default 16777216
   */
  maxBackpressure?: number;
  /**
   * Most bytes that may be received from a client and not handled yet, when it sends faster than the application handles its
   * messages; beyond it the session ends with `transport error` and a `FastProducerError`. On node:http the client has to wait
   * instead. 0 for no limit.
   * @default 16777216
   */
  maxReceiveBacklog?: number;
  /**
   * Limits on who may connect.
   * @default no limits
   */
  limits?: ConnectionLimits;
  /**
   * Whether `stats()` also says how many messages and bytes were received and sent, which costs time for each of them.
   * @default false
   */
  stats?: boolean;
  /**
   * Decides on each handshake and each upgrade: `callback(null, true)` admits it.
   * @default all are admitted
   */
  allowRequest?: AllowRequest;
  /**
   * Transports that clients may use.
   * @default ["polling", "websocket"]
   */
  transports?: TransportName[];
  /**
   * Whether clients may change their transport.
   * @default true
   */
  allowUpgrades?: boolean;
  /**
   * Compression of WebSocket messages: permessage-deflate, from 1024 bytes unless told otherwise. On uWebSockets.js all
   * connections share one compressor unless `serverNoContextTakeover` is false.
   * @default false
   */
  perMessageDeflate?: boolean | PerMessageDeflateOptions;
  /**
   * Compression of long-polling responses, with options for zlib.
   * @default from 1024 bytes
   */
  httpCompression?: boolean | (ZlibOptions & { threshold?: number });
  /**
   * The WebSocket server class used on node:http.
   * @default the class of `ws`
   */
  wsEngine?: WebSocketEngine;
  /**
   * A message that is sent right after the handshake.
   * @default none
   */
  initialPacket?: string | Buffer;
  /**
   * The cookie set by the handshake response; `true` for `io`.
   * @default false
   */
  cookie?: boolean | ({ name?: string } & CookieOptions);
  /**
   * Options of the `cors` package, or a function that returns them for each request.
   * @default none: no CORS headers
   */
  cors?: CorsOptions | CorsOptionsDelegate;
  /**
   * Whether clients of Engine.IO v3, as of Socket.IO v2, are served.
   * @default false
   */
  allowEIO3?: boolean;
  /**
   * The host that a server listens on when it is given a port.
   * @default uWebSockets.js if it loads, else node:http
   */
  host?: "uws" | "node";
  /**
   * Accepted as by `engine.io`, without effect: a request body may take as long as the heartbeat and the host allow.
   * @default none
   */
  httpRequestBodyTimeout?: number;
  /**
   * Accepted as by `engine.io`, without effect: `maxHttpBufferSize` limits a request body, in any number of chunks.
   * @default none
   */
  maxBufferedChunks?: number;
}

/** Options of `attach`, `attachApp` and `listen`. */
export interface AttachOptions {
  /**
   * Path of all requests.
   * @default "/engine.io"
   */
  path?: string;
  /**
   * Whether the path ends in a slash, given or not.
   * @default true
   */
  addTrailingSlash?: boolean;
  /**
   * Whether upgrade requests to other paths that nobody answers are closed. Only on node:http.
   * @default true
   */
  destroyUpgrade?: boolean;
  /**
   * After how long upgrade requests to other paths are closed, in ms.
   * @default 1000
   */
  destroyUpgradeTimeout?: number;
}

/** Options of `attachApp`: those of `attach`, and those of uWebSockets.js. */
export interface AttachAppOptions extends AttachOptions {
  /**
   * A compressor of uWebSockets.js, such as `SHARED_COMPRESSOR`. Given without `perMessageDeflate`, messages from 1024 bytes are
   * compressed.
   * @default what `perMessageDeflate` asks for
   */
  compression?: number;
  /**
   * Seconds after which uWebSockets.js ends a WebSocket that sends nothing, not even a pong frame: 0 for never, else 8 to 960.
   * @default 0: the heartbeat of the protocol finds lost clients
   */
  idleTimeout?: number;
  /**
   * Reads the address of clients from the header of the PROXY protocol, version 2, with which a load balancer begins each
   * connection. Only for servers that nobody else can reach: anybody who can may claim any address. Connections without the
   * header keep their own address. Not on node:http, which rejects the header as a bad request.
   * @default false
   */
  proxyProtocol?: boolean;
  /**
   * Whether clients connect over TLS, which `handshake.secure` and `req.socket.encrypted` say. Set it to true behind a proxy that
   * ends TLS, and on an `SSLApp` of a version of uWebSockets.js whose responses have no `getX509Certificate()`. Not on node:http,
   * where it is what the socket says.
   * @default whether the app is an `SSLApp`
   */
  secure?: boolean;
  /**
   * Replaces the option of the engine.
   * @default the option of the engine
   */
  maxBackpressure?: number;
}

/** Options of `listen`: those of `attachApp`, and how the port is bound. */
export interface ListenOptions extends AttachAppOptions {
  /**
   * Whether other processes that say the same may listen on the port at the same time; the kernel then distributes the connections
   * among them. On node:http it needs Node 22.12 or later; before, only workers of `node:cluster` share a port.
   * @default false, except on uWebSockets.js in a worker of `node:cluster`
   */
  reusePort?: boolean;
}

/** The options with every default filled in, as `engine.opts` shows them. */
export interface ResolvedOptions extends ServerOptions {
  pingTimeout: number;
  pingInterval: number;
  upgradeTimeout: number;
  maxHttpBufferSize: number;
  maxBackpressure: number;
  maxReceiveBacklog: number;
  transports: TransportName[];
  allowUpgrades: boolean;
  httpCompression: false | { threshold: number };
  perMessageDeflate: false | (PerMessageDeflateOptions & { threshold: number });
  allowEIO3: boolean;
  cookie: false | ({ name: string } & CookieOptions);
}

const COMPRESSION_THRESHOLD = 1024;

/** The defaults of options that need no further look. */
export const defaultOptions: Readonly<
  Omit<ResolvedOptions, "httpCompression" | "perMessageDeflate" | "cookie">
> = {
  pingTimeout: 20_000,
  pingInterval: 25_000,
  upgradeTimeout: 10_000,
  maxHttpBufferSize: 1e6,
  maxBackpressure: 16 * 1024 * 1024,
  maxReceiveBacklog: 16 * 1024 * 1024,
  transports: ["polling", "websocket"],
  allowUpgrades: true,
  allowEIO3: false,
};

/**
 * Options that are present but undefined count as absent, numbers in text as numbers.
 *
 * @throws OptionError for one that cannot mean anything
 */
export function resolveOptions(given: ServerOptions): ResolvedOptions {
  const present = readOptions(given, engineOptions);
  warnOfUnknownOptions(given, knownOptions);
  return {
    ...defaultOptions,
    transports: [...defaultOptions.transports],
    ...present,
    httpCompression: withThreshold(present.httpCompression ?? true),
    perMessageDeflate: withThreshold(present.perMessageDeflate ?? false),
    cookie: resolveCookie(present.cookie ?? false),
  };
}

/** @internal Fills in the threshold from which something is compressed. */
export function withThreshold(
  option: boolean | { threshold?: number | undefined },
): false | { threshold: number } {
  if (!option) return false;
  const given = option === true ? {} : option;
  return { ...given, threshold: given.threshold ?? COMPRESSION_THRESHOLD };
}

function resolveCookie(option: boolean | ({ name?: string } & CookieOptions)): ResolvedOptions["cookie"] {
  if (!option) return false;
  return { name: "io", path: "/", httpOnly: true, sameSite: "lax", ...(option === true ? {} : option) };
}
