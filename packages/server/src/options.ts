import type { Contract, ContractDefinition } from "@tidewire/contract";
import type { AnyContract } from "./events/contract.ts";
import { internals } from "@tidewire/engine";
import type { ListenOptions, ServerOptions as EngineOptions } from "@tidewire/engine";
import type { AdapterConstructor } from "./adapter-constructor.ts";
import type { ClusterOption } from "./cluster.ts";
import type { Untyped } from "./events/typed-events.ts";
import type { SlowConsumer } from "./connection/waiting.ts";
import { limitsRule } from "./limits/options.ts";
import type { Limits } from "./limits/options.ts";

/** Options of connection state recovery. */
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
   * How many bytes of sent events each namespace keeps in memory for clients that come back. Beyond it, the oldest events are
   * dropped, and a client that has missed one of them starts anew. Adapters that keep events elsewhere have their own limits.
   * @default 16777216
   */
  maxLogBytes?: number;
}

/** Options of a {@link Server}: its own, and those of the engine and of its attachment, which are passed on. */
export interface ServerOptions extends EngineOptions, ListenOptions {
  /**
   * The path of all requests.
   * @default "/socket.io"
   */
  path: string;
  // The official types accept anything for these two.
  /**
   * The WebSocket server class used on node:http.
   * @default the class of `ws`
   */
  wsEngine?: Untyped;
  /**
   * A message that is sent right after the handshake, below Socket.IO.
   * @default none
   */
  initialPacket?: Untyped;
  /**
   * Whether to serve the files of the client.
   * @default true
   */
  serveClient: boolean;
  /**
   * The adapter, which keeps the rooms and sends broadcasts.
   * @default an adapter in memory
   */
  adapter: AdapterConstructor;
  /**
   * Joins the server with those of other processes: `cluster()` of `@tidewire/cluster`. `new Server(port)` then shares its port with
   * them. False for a server that `tidewire start` is to leave alone.
   * @default the cluster of the workers of `tidewire start`; otherwise none
   */
  cluster: ClusterOption | false;
  /**
   * The parser, which encodes and decodes packets: an object with the classes `Encoder` and `Decoder`, which published packages
   * declare in various ways. Clients need the same one.
   * @default the parser of `@tidewire/parser`
   */
  parser: object;
  /**
   * How long a client may be connected without joining a namespace, in ms.
   * @default 45000
   */
  connectTimeout: number;
  /**
   * Keeps the state of clients that have lost their connection, so that they can come back.
   * @default none: nothing is kept
   */
  connectionStateRecovery: RecoveryOptions;
  /**
   * Whether to remove children of a parent namespace once their last socket has left, and with the adapter in memory of
   * `connectionStateRecovery` once no state of their clients can be recovered.
   * @default false
   */
  cleanupEmptyChildNamespaces: boolean;
  /**
   * How long to wait for the answer to an event that asks for one, unless `timeout()` says otherwise, in ms. As on the client, the
   * callbacks of `emit()` then take an error first, as after `timeout()`.
   * @default none: answers are awaited without limit
   */
  ackTimeout: number;
  /**
   * Whether to give up pending answers when their socket disconnects, with the error `SOCKET_DISCONNECTED`: those of `emitWithAck()`,
   * and of callbacks that take an error first.
   * @default false: they wait for their timeout, if they have one
   */
  rejectAcksOnDisconnect: boolean;
  /**
   * What becomes of a volatile event that a client cannot take at once, and of a client that lets more than `maxBackpressure` wait.
   * `disconnect`: the event is dropped, and such a client is disconnected. `drop-volatile`: the event waits; when more than
   * `maxBackpressure` waits, the oldest volatile events are dropped first. `conflate`: the event waits until a newer one of the
   * same name replaces it. In all cases, events that are not volatile are never dropped: a client that does not read them is
   * disconnected.
   * @default "disconnect"
   */
  slowConsumer: SlowConsumer;
  /**
   * Whether the events of a socket wait until the promises that its `connection` listeners have returned are settled, so that no event
   * arrives before its listener is registered. At most 1,000 packets and 1 MB wait for each connection; beyond it the connection is
   * closed with `TOO_MANY_EARLY_PACKETS`. Answers do not wait, because a listener may await them.
   * @default false
   */
  holdUntilReady: boolean;
  /**
   * Whether to print a warning when an event arrives that no listener is registered for, once for each name.
   * @default true with `holdUntilReady`, unless `NODE_ENV` is `production`; otherwise false
   */
  warnOfUnheardEvents: boolean;
  /**
   * What clients may do before the server refuses it.
   * @default the limits of {@link Limits}
   */
  limits: Limits;
}

/** The options of a server that takes its types from a contract. */
export interface ContractOptions<Listen, Emit, ServerSide, Data> extends Partial<ServerOptions> {
  /**
   * The events of the server and its clients, as `defineContract()` of `@tidewire/contract` returns them. Every event of a client is
   * checked before anything else sees it. One that does not match is answered, or sent back as `invalid`, with what is wrong, and the
   * server emits `invalid_event`.
   */
  contract: Contract<Listen, Emit, ServerSide, Data, ContractDefinition>;
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

/** The option `cluster`, which is an object that the server calls. */
const clusterRule: internals.OptionRule = {
  expected: "what cluster() of @tidewire/cluster returns, or false",
  read: (given) =>
    given === false || typeof (given as Partial<ClusterOption> | null)?.joinEngine === "function"
      ? given
      : optionRules.INVALID,
};

const contractRule: internals.OptionRule = {
  expected: "what defineContract() of @tidewire/contract returns",
  read: (given) =>
    typeof (given as Partial<AnyContract> | null)?.fromClients?.check === "function"
      ? given
      : optionRules.INVALID,
};

/** All options of a server: its own, and those it passes on. */
const knownOptions: internals.OptionRules = {
  ...engineOptions,
  cleanupEmptyChildNamespaces: flag,
  cluster: clusterRule,
  contract: contractRule,
  connectTimeout: connectTimeoutRule,
  connectionStateRecovery: group({
    maxDisconnectionDuration: duration,
    skipMiddlewares: flag,
    maxLogBytes: size,
  }),
  ackTimeout: duration,
  holdUntilReady: flag,
  warnOfUnheardEvents: flag,
  slowConsumer: optionRules.oneOf(["disconnect", "drop-volatile", "conflate"]),
  rejectAcksOnDisconnect: flag,
  limits: limitsRule,
  serveClient: flag,
};

/**
 * Reads the options: converts numbers in text, and warns of unknown names.
 *
 * @throws OptionError for an invalid value
 */
export function readServerOptions(given: Partial<ServerOptions>): Partial<ServerOptions> {
  const options = optionRules.readOptions(given, knownOptions);
  optionRules.warnOfUnknownOptions(given, knownOptions);
  return options;
}

/** Fills in defaults in place, because the application may look at its options later. */
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
