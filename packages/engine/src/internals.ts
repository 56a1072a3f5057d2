/**
 * What the Socket.IO server shares with the engine, so that both have it once. Not for applications: it changes with any
 * release. @module
 */
export { generateId } from "./admission/ids.ts";
export { rethrow } from "./host/rethrow.ts";
export { requestOf } from "./http/query.ts";
export * as timers from "./host/timers.ts";
export { knownOptions } from "./known-options.ts";
export { Clock } from "./loop/clock.ts";
export { isThenable } from "./loop/thenable.ts";
export { Timeout } from "./loop/timeout.ts";
export * as optionRules from "./option-rules.ts";
export type { OptionRule, OptionRules } from "./option-rules.ts";
export { defaultOptions } from "./options.ts";
export { SessionAudience } from "./session/session-audience.ts";
