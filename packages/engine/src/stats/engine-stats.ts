import type { EngineCounters } from "./counters.ts";
import type { Traffic, TrafficCounts } from "./traffic.ts";

/** What an engine has done since it was created, and what it holds now. */
export interface EngineStats {
  /** Open connections, by transport. */
  readonly connections: Readonly<Record<string, number>>;
  /** Opened connections, by their first transport. */
  readonly handshakes: Readonly<Record<string, number>>;
  /**
   * Refused requests: the `name` in the context of `connection_error`, such as `TRANSPORT_MISMATCH`, else the name of its code, such as
   * `UNKNOWN_SID`; `UNAVAILABLE` for those of a server that is closed or drained, for which there is no event.
   */
  readonly refusals: Readonly<Record<string, number>>;
  readonly upgrades: {
    readonly ok: number;
    /** Upgrades after which the connection stayed on its transport, or did not live. */
    readonly failed: number;
    /** How long the successful ones took together, in ms. */
    readonly totalTime: number;
  };
  /** What has not left yet. */
  readonly waiting: { readonly connections: number; readonly bytes: number };
  /** Connections that were ended because their client did not read: `SLOW_CONSUMER`. */
  readonly slowConsumers: number;
  /** Messages and bytes, if they are counted: with the option `stats`. */
  readonly traffic: TrafficCounts | undefined;
}

/** A session, as it is counted. */
interface CountedSession {
  readonly transport: { readonly name: string };
  readonly bufferedAmount: number;
}

export function engineStats(
  sessions: Iterable<CountedSession>,
  counters: EngineCounters,
  traffic: Traffic | undefined,
): EngineStats {
  const connections: Record<string, number> = {};
  const waiting = { connections: 0, bytes: 0 };
  for (const { transport, bufferedAmount } of sessions) {
    connections[transport.name] = (connections[transport.name] ?? 0) + 1;
    if (bufferedAmount === 0) continue;
    waiting.connections++;
    waiting.bytes += bufferedAmount;
  }
  const { upgraded: ok, upgradesFailed: failed, upgradeTime: totalTime, slowConsumers } = counters;
  return {
    connections,
    handshakes: counters.handshakes.toRecord(),
    refusals: counters.refusals.toRecord(),
    upgrades: { ok, failed, totalTime },
    waiting,
    slowConsumers,
    traffic: traffic?.toRecord(),
  };
}
