import {
  anything,
  callback,
  count,
  delay,
  duration,
  finite,
  flag,
  group,
  idleSeconds,
  integer,
  listOf,
  oneOf,
  size,
  text,
  windowBits,
  windowBitsOrFlag,
} from "./option-rules.ts";
import { connectionLimitRules } from "./limits/options.ts";
import type { OptionRules } from "./option-rules.ts";

/** Options of `attach`, `attachApp` and `listen`. */
export const attachOptions: OptionRules = {
  path: text,
  addTrailingSlash: flag,
  destroyUpgrade: flag,
  destroyUpgradeTimeout: delay,
  compression: integer,
  idleTimeout: idleSeconds,
  proxyProtocol: flag,
  secure: flag,
  maxBackpressure: size,
  reusePort: flag,
};

/** Options of the engine. */
export const engineOptions: OptionRules = {
  pingTimeout: delay,
  pingInterval: delay,
  upgradeTimeout: duration,
  maxHttpBufferSize: size,
  maxBackpressure: size,
  maxReceiveBacklog: size,
  transports: listOf(["polling", "websocket", "webtransport"]),
  allowRequest: callback,
  allowUpgrades: flag,
  allowEIO3: flag,
  perMessageDeflate: group({
    threshold: size,
    serverNoContextTakeover: flag,
    clientNoContextTakeover: flag,
    serverMaxWindowBits: windowBits,
    clientMaxWindowBits: windowBitsOrFlag,
    concurrencyLimit: count,
    zlibDeflateOptions: anything,
    zlibInflateOptions: anything,
    // Of `ws` before 5, and what it sets itself.
    level: anything,
    memLevel: anything,
    maxPayload: anything,
    isServer: anything,
  }),
  httpCompression: group({
    threshold: size,
    // Of node:zlib, which judges them itself.
    chunkSize: anything,
    dictionary: anything,
    finishFlush: anything,
    flush: anything,
    info: anything,
    level: anything,
    maxOutputLength: anything,
    memLevel: anything,
    rejectGarbageAfterEnd: anything,
    strategy: anything,
    windowBits: anything,
  }),
  limits: group({
    ...connectionLimitRules,
    // Of the Socket.IO server, which reads them itself.
    attachments: anything,
    bytesPerSecond: anything,
    emptyNamespaces: anything,
    eventsPerSecond: anything,
    namespaces: anything,
    namespacesPerConnection: anything,
    roomsPerSocket: anything,
  }),
  wsEngine: anything,
  initialPacket: anything,
  cookie: group({
    name: anything,
    domain: anything,
    encode: anything,
    expires: anything,
    httpOnly: flag,
    maxAge: finite,
    partitioned: flag,
    path: anything,
    priority: anything,
    sameSite: anything,
    secure: flag,
  }),
  cors: anything,
  host: oneOf(["uws", "node"]),
  // Of engine.io 6.6.13; without effect here.
  httpRequestBodyTimeout: anything,
  maxBufferedChunks: anything,
};

/** All that may stand in the options of an engine: a Socket.IO server hands its own down with them. */
export const knownOptions: OptionRules = {
  ...engineOptions,
  ...attachOptions,
  ackTimeout: anything,
  adapter: anything,
  cleanupEmptyChildNamespaces: anything,
  cluster: anything,
  connectTimeout: anything,
  connectionStateRecovery: anything,
  parser: anything,
  rejectAcksOnDisconnect: anything,
  serveClient: anything,
};
