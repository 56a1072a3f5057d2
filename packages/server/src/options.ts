import type { CorsOptions, CorsOptionsDelegate } from "cors";
import type { IncomingMessage } from "node:http";
import type { Adapter } from "socket.io-adapter";
import type { Untyped } from "./events/typed-events.ts";
import { internals } from "@tidewire/engine";

/** Keeps the state of a client for a while after it has left, for when it comes back. */
export interface RecoveryOptions {
  /**
   * How long the state is kept, in ms.
   * @default 120000
   */
  maxDisconnectionDuration?: number;
  /**
   * Whether a client that has come back joins without the middlewares.
   * @default true
   */
  skipMiddlewares?: boolean;
  /**
   * How much of what was sent is kept in memory for clients that come back, for each namespace, in bytes. When there is
   * more, the oldest events are dropped, and a client that has missed one of them starts anew. Adapters that keep it
   * elsewhere have limits of their own.
   * @default 16777216
   */
  maxLogBytes?: number;
}

/** A class, or a function that returns an adapter, for one namespace. */
export type AdapterConstructor = typeof Adapter | ((nsp: Untyped) => Adapter);

/** Options of the engine underneath, passed on as they are. */
export interface EngineOptions {
  /**
   * How long a client may take to answer a heartbeat, in ms.
   * @default 20000
   */
  pingTimeout?: number;
  /**
   * Time between two heartbeats, in ms.
   * @default 25000
   */
  pingInterval?: number;
  /**
   * How long an upgrade to another transport may take, in ms.
   * @default 10000
   */
  upgradeTimeout?: number;
  /**
   * The largest message that is accepted, in bytes.
   * @default 1000000
   */
  maxHttpBufferSize?: number;
  /** Decides on each handshake and upgrade: `callback(null, true)` lets it in. */
  allowRequest?: (
    req: IncomingMessage,
    callback: (err: string | null | undefined, success: boolean) => void,
  ) => void;
  /**
   * The transports that are accepted.
   * @default ["polling", "websocket"]
   */
  transports?: ("polling" | "websocket" | "webtransport")[];
  /**
   * Whether clients may upgrade to another transport.
   * @default true
   */
  allowUpgrades?: boolean;
  /**
   * Compression of WebSocket messages.
   * @default false
   */
  perMessageDeflate?: boolean | object;
  /**
   * Compression of long-polling responses, with `threshold` in bytes.
   * @default { threshold: 1024 }
   */
  httpCompression?: boolean | object;
  /** The `Server` class of `ws`, or one that can take its place, on node:http. */
  wsEngine?: Untyped;
  /** Sent to each client right after the handshake. */
  initialPacket?: Untyped;
  /**
   * The cookie of the handshake response; true stands for `{ name: "io" }`.
   * @default false
   */
  cookie?: boolean | object;
  /** Options of the package `cors`, or a function that gives them for each request. */
  cors?: CorsOptions | CorsOptionsDelegate;
  /**
   * Whether clients of Socket.IO v2 are accepted, too.
   * @default false
   */
  allowEIO3?: boolean;
  /** What the server listens on when it is given a port: uWebSockets.js if it can be loaded, unless this says otherwise. */
  host?: "uws" | "node";
  /**
   * Most bytes that may wait for a client that does not read, beside the oldest burst and what the present turn of the event
   * loop sends; past it `disconnect` tells `transport error` with the code `SLOW_CONSUMER`. 0 for no limit.
   * @default 16 MiB
   */
  maxBackpressure?: number;
  /**
   * Most bytes that may be received from a client and not handled yet; past it the client is disconnected, or made to wait on
   * node:http. 0 for no limit.
   * @default 16777216
   */
  maxReceiveBacklog?: number;
}

/** Options of the attachment to an HTTP server. */
export interface AttachOptions {
  /**
   * The path of all requests.
   * @default "/socket.io"
   */
  path?: string;
  /**
   * Whether upgrade requests nobody answers are closed.
   * @default true
   */
  destroyUpgrade?: boolean;
  /**
   * After which time they are, in ms.
   * @default 1000
   */
  destroyUpgradeTimeout?: number;
  /**
   * Whether the path ends in a slash, given or not.
   * @default true
   */
  addTrailingSlash?: boolean;
}

/** Options of a {@link Server}. */
export interface ServerOptions extends Required<Pick<AttachOptions, "path">>, EngineOptions, AttachOptions {
  path: string;
  /**
   * Whether the files of the client are served.
   * @default true
   */
  serveClient: boolean;
  /**
   * Chooses the receivers of broadcasts.
   * @default the adapter in memory
   */
  adapter: AdapterConstructor;
  /**
   * Turns packets into messages and back: an object with the classes `Encoder` and `Decoder`, which published packages declare in
   * various ways. Clients must be given the same.
   * @default the parser of `@tidewire/parser`
   */
  parser: object;
  /**
   * How long a client may be connected without joining a namespace, in ms.
   * @default 45000
   */
  connectTimeout: number;
  /** Keeps the state of clients that have lost their connection; off if missing. */
  connectionStateRecovery: RecoveryOptions;
  /**
   * Whether children of a parent namespace go when their last socket does; with the adapter in memory of
   * `connectionStateRecovery`, when none of their clients can be recovered any more.
   * @default false
   */
  cleanupEmptyChildNamespaces: boolean;
}

/** The default time a client may be connected without joining a namespace, in ms. */
export const DEFAULT_CONNECT_TIMEOUT = 45_000;
/** The default time for which the state of a client is kept, in ms. */
export const DEFAULT_MAX_DISCONNECTION_DURATION = 120_000;
/** The default path. */
export const DEFAULT_PATH = "/socket.io";

const { knownOptions: engineOptions, optionRules } = internals;
const { duration, flag, group, size } = optionRules;

/** The limit for joining a namespace. */
export const connectTimeoutRule: internals.OptionRule = duration;

/** All options that a server may be given: its own, and those it hands down. */
const knownOptions: internals.OptionRules = {
  ...engineOptions,
  cleanupEmptyChildNamespaces: flag,
  connectTimeout: connectTimeoutRule,
  connectionStateRecovery: group({
    maxDisconnectionDuration: duration,
    skipMiddlewares: flag,
    maxLogBytes: size,
  }),
  serveClient: flag,
};

/**
 * The options with numbers for numbers in text. Warns of those that do not exist.
 *
 * @throws OptionError for one that cannot mean anything
 */
export function readServerOptions(given: Partial<ServerOptions>): Partial<ServerOptions> {
  const options = optionRules.readOptions(given, knownOptions);
  optionRules.warnOfUnknownOptions(given, knownOptions);
  return options;
}

/** Fills in what is missing, in place: the application may look at its options later. */
export function applyRecoveryDefaults(
  options: Partial<ServerOptions>,
  { connectionStateRecovery }: Partial<ServerOptions>,
): void {
  if (connectionStateRecovery) {
    options.connectionStateRecovery = {
      maxDisconnectionDuration: DEFAULT_MAX_DISCONNECTION_DURATION,
      skipMiddlewares: true,
      ...connectionStateRecovery,
    };
  }
  options.cleanupEmptyChildNamespaces = Boolean(options.cleanupEmptyChildNamespaces);
}
