import { internals } from "@tidewire/engine";
import type { ConnectionLimits } from "@tidewire/engine";
import type { Rates } from "./decoders.ts";
import { clientRateRule, resolveRate } from "./rates.ts";
import type { ClientRate } from "./rates.ts";

/** What clients may do. The defaults are off, or meant to be met by attacks only. `Infinity` switches a limit off. */
export interface Limits extends ConnectionLimits {
  /**
   * How many namespaces one connection may be in, those it is about to join included. Beyond it a CONNECT is refused with
   * `TOO_MANY_NAMESPACES`.
   * @default 1000
   */
  namespacesPerConnection?: number;
  /**
   * How many namespaces may exist because clients have asked for them; namespaces that the application has named in `io.of()` do
   * not count. Beyond it a CONNECT that would create one is refused with `NAMESPACES_EXHAUSTED`.
   * @default 100000
   */
  namespaces?: number;
  /**
   * How many of these are kept after their last client has left. Beyond it, the one that has been empty for the longest time is
   * removed, as by `cleanupEmptyChildNamespaces`.
   * @default 10000
   */
  emptyNamespaces?: number;
  /**
   * How many binary attachments one packet may have. Beyond it the connection is closed, with the reason `forced close` and
   * `TOO_MANY_ATTACHMENTS` as `parseCode` of the description. Applies to the default parser; others have their own limit.
   * @default 10
   */
  attachments?: number;
  /**
   * How many events per second one connection may send, over all its namespaces. A number is the `rate`. Beyond it:
   * `TOO_MANY_EVENTS`, and what `over` says.
   * @default Infinity
   */
  eventsPerSecond?: number | ClientRate;
  /**
   * How many bytes of messages per second one connection may send. A number is the `rate`. An event that is larger than the whole
   * `burst` is let through after a pause. Beyond it: `TOO_MANY_BYTES`, and what `over` says.
   * @default Infinity
   */
  bytesPerSecond?: number | ClientRate;
  /**
   * How many rooms a socket may be in beside its own. Beyond it `join()` joins none of the given rooms, and the socket emits
   * `error` with `TOO_MANY_ROOMS`.
   * @default Infinity
   */
  roomsPerSocket?: number;
}

/** The limits with every default filled in. */
export interface ResolvedLimits extends Required<
  Omit<Limits, keyof ConnectionLimits | "bytesPerSecond" | "eventsPerSecond">
> {
  rates: Rates;
}

const defaults: Omit<ResolvedLimits, "rates"> = {
  namespacesPerConnection: 1000,
  namespaces: 100_000,
  emptyNamespaces: 10_000,
  attachments: 10,
  roomsPerSocket: Infinity,
};

const { connectionLimitRules } = internals;
const { count, group } = internals.optionRules;

/** The rules of the limits. */
export const limitsRule: internals.OptionRule = group({
  ...connectionLimitRules,
  namespacesPerConnection: count,
  namespaces: count,
  emptyNamespaces: count,
  attachments: count,
  eventsPerSecond: clientRateRule,
  bytesPerSecond: clientRateRule,
  roomsPerSocket: count,
});

/** Fills in the defaults. */
export function resolveLimits(given: Limits | undefined): ResolvedLimits {
  const rates = { events: resolveRate(given?.eventsPerSecond), bytes: resolveRate(given?.bytesPerSecond) };
  return { ...defaults, ...given, rates };
}
