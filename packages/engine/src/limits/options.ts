import { count, group, INVALID, oneOf } from "../option-rules.ts";
import type { OptionRule, OptionRules } from "../option-rules.ts";
import { areSubnets } from "./client-address.ts";
import type { TrustProxy } from "./client-address.ts";

/** How many handshakes are let in. */
export interface HandshakeRate {
  /** Handshakes per second, on average. */
  rate: number;
  /**
   * Handshakes at once, after a pause.
   * @default the handshakes of one second, at least 1
   */
  burst?: number;
  /**
   * Whether each address has a rate of its own, or all clients share one.
   * @default "ip"
   */
  per?: "ip" | "server";
}

/**
 * A limiter of `rate-limiter-flexible`, or one like it. Those with a store in common, such as `RateLimiterRedis`, count together.
 *
 * @example
 * const handshakeLimiter: HandshakeLimiter = {
 *   points: 100,
 *   async consume(address) {
 *     if (await blocklist.has(address)) throw { msBeforeNext: 60_000 };
 *   },
 * };
 * new Server(3000, { limits: { handshakeLimiter } });
 */
export interface HandshakeLimiter {
  /** How many handshakes an address has in each window. */
  readonly points?: number;
  /** Rejects with an Error if the store fails, and with something else if the address has no points left. */
  consume(key: string): Promise<unknown>;
}

/** Limits on who may connect; off by default. They apply to handshakes, so an open session is never affected. */
export interface ConnectionLimits {
  /**
   * How many sessions one address may have. Beyond it a handshake is refused with the status 429, code 4 and
   * `TOO_MANY_CONNECTIONS`. IPv6 addresses count by their first 64 bits.
   * @default Infinity
   */
  connectionsPerIp?: number;
  /**
   * How many handshakes per second are let in. Beyond it a handshake is refused with the status 429, code 4 and
   * `TOO_MANY_HANDSHAKES`. A number is the `rate`.
   * @default Infinity
   */
  handshakesPerSecond?: number | HandshakeRate;
  /**
   * Counts handshakes together with other nodes, beside `handshakesPerSecond`, by the address of the client. Beyond its points, a
   * handshake is refused with the status 429, code 4 and `TOO_MANY_HANDSHAKES`. A handshake waits for its answer; if its store fails,
   * clients are let in, and a warning is printed once.
   * @default none
   */
  handshakeLimiter?: HandshakeLimiter;
  /**
   * Which proxies may say in `X-Forwarded-For`, or else in `Forwarded`, for whom they pass a request on: true for one proxy, a number
   * of proxies, or a list of their addresses and subnets, such as `["10.0.0.0/8"]`. With false, the address of the socket counts.
   * Set it only if clients cannot reach the server without these proxies; otherwise they may claim any address.
   * @default false
   */
  trustProxy?: TrustProxy;
}

/** A number per second, or an object with the number and more. */
export function rateRule(more: OptionRules): OptionRule {
  const { options } = group({ rate: count, burst: count, ...more });
  return {
    expected: "a number per second, or { rate, burst }",
    read: (given) => count.read(given),
    ...(options && { options }),
  };
}

/** The rules of the limits. */
export const connectionLimitRules: OptionRules = {
  connectionsPerIp: count,
  handshakesPerSecond: rateRule({ per: oneOf(["ip", "server"]) }),
  handshakeLimiter: {
    expected: "a limiter with a method consume(key), such as one of rate-limiter-flexible",
    read: (given) =>
      typeof (given as Partial<HandshakeLimiter> | null)?.consume === "function" ? given : INVALID,
  },
  trustProxy: {
    expected: "true, false, a number of proxies, or a list of addresses and subnets",
    read: (given) =>
      typeof given === "boolean" || areSubnets(given) || (typeof given === "number" && given >= 0)
        ? given
        : INVALID,
  },
};
