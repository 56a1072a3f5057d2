import { internals } from "@tidewire/engine";

/** What happens to an event that is beyond the rate. */
export type OverRate = "drop" | "error" | "disconnect";

/** How much one connection may send. */
export interface ClientRate {
  /** How much per second, on average: events, or bytes. */
  rate: number;
  /**
   * How much at once, after a pause.
   * @default as much as in one second, at least 1
   */
  burst?: number;
  /**
   * What happens to an event beyond it. `drop`: nothing else. `error`: the socket emits `error` with a `LimitError`, and a client
   * that has asked for an answer gets `{ error: { code, message, limit } }`. `disconnect`: the connection is closed, with the
   * reason `forced close`.
   * @default "error"
   */
  over?: OverRate;
}

/** A rate with its defaults filled in. */
export interface ResolvedRate extends internals.Rate {
  readonly over: OverRate;
}

/** Returns undefined for a rate that limits nothing. */
export function resolveRate(given: number | ClientRate | undefined): ResolvedRate | undefined {
  const { rate, burst, over } = typeof given === "object" ? given : { rate: given ?? Infinity };
  if (rate === Infinity) return undefined;
  return { rate, burst: burst ?? Math.max(1, rate), over: over ?? "error" };
}

const { oneOf } = internals.optionRules;

/** The rule of a rate. */
export const clientRateRule: internals.OptionRule = internals.rateRule({
  over: oneOf(["drop", "error", "disconnect"]),
});
