/**
 * What the Socket.IO server and the cluster share with the engine, so that all have it once. Not for applications: it changes with
 * any release. @module
 */
export type {
  AdoptedSession,
  Claim,
  ClusterTarget,
  EngineCluster,
  RemoteSession,
  RequestTaker,
} from "./admission/cluster.ts";
export { generateId } from "./admission/ids.ts";
export { clockOf, sessionsOf, setLimitMonitor } from "./engine.ts";
export { AnswerHead } from "./host/answer-head.ts";
export { linesOf, RawHead } from "./host/copied/head.ts";
export { CopiedHttpExchange } from "./host/copied/http-exchange.ts";
export { CopiedRequest } from "./host/copied/request.ts";
export { CollectedUpgradeExchange } from "./host/copied/upgrade-exchange.ts";
export { PLAIN_HEADERS } from "./host/host.ts";
export { rethrow } from "./host/rethrow.ts";
export { parseQuery, requestOf } from "./http/query.ts";
export * as timers from "./host/timers.ts";
export { knownOptions } from "./known-options.ts";
export { addressReader, clientPart } from "./limits/client-address.ts";
export { connectionLimitRules, rateRule } from "./limits/options.ts";
export { TokenBucket } from "./limits/token-bucket.ts";
export type { Rate } from "./limits/token-bucket.ts";
export { LimitMonitor } from "./limits/monitor.ts";
export { Clock } from "./loop/clock.ts";
export { NodeEventLoop } from "./loop/event-loop.ts";
export { isThenable } from "./loop/thenable.ts";
export { Timeout } from "./loop/timeout.ts";
export * as optionRules from "./option-rules.ts";
export type { OptionRule, OptionRules } from "./option-rules.ts";
export { defaultOptions } from "./options.ts";
export { headersOf, ping } from "./session/inspection.ts";
export { sendDroppable, sendNewest } from "./session/selective-sending.ts";
export { SessionAudience } from "./session/session-audience.ts";
