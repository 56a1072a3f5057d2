import { internals } from "@tidewire/engine";
import type { AttachAppOptions, ServerOptions as EngineOptions } from "@tidewire/engine";
import type { Adapter } from "socket.io-adapter";
import type { Untyped } from "./events/typed-events.ts";

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

/** Options of a {@link Server}: its own, and those of the engine and of its attachment, which are passed on. */
export interface ServerOptions extends EngineOptions, AttachAppOptions {
  /**
   * The path of all requests.
   * @default "/socket.io"
   */
  path: string;
  // The official types accept anything for these two.
  wsEngine?: Untyped;
  initialPacket?: Untyped;
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
