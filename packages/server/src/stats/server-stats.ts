import type { EngineStats } from "@tidewire/engine";
import type { Cluster, ClusterNode } from "../cluster.ts";
import type { Counters, DisconnectCount } from "./counters.ts";
import type { DelayStats, EventLoopDelay } from "./event-loop-delay.ts";

/** A namespace as it is now. */
export interface NamespaceStats {
  readonly sockets: number;
  /** Rooms, without those that each socket has for itself. */
  readonly rooms: number;
  /** Whether it exists because a client has asked a parent namespace for it. */
  readonly dynamic: boolean;
}

/** What a server has done since it was created, and what it holds now. Only this process counts, also in a cluster. */
export interface ServerStats extends EngineStats {
  readonly upgrades: EngineStats["upgrades"] & {
    /** How long a successful one took on average, in ms. */
    readonly meanTime: number;
  };
  /** The namespaces, by name. */
  readonly namespaces: Readonly<Record<string, NamespaceStats>>;
  /** Sockets of all namespaces. */
  readonly sockets: number;
  /** Rooms of all namespaces. */
  readonly rooms: number;
  /** Calls of `emit()` for more than one client, whether or not it reached any. */
  readonly broadcasts: number;
  /**
   * How many times broadcasts, those of other nodes too, were sent to a client of this process; a volatile event that a client cannot
   * take is not. With connection state recovery, or an adapter that sends everything encoded, events for single sockets count too.
   */
  readonly deliveries: number;
  readonly acks: {
    /** Answers that are awaited now. */
    readonly pending: number;
    /** Calls that asked for an answer and have not got it, or not from everyone, in time. */
    readonly timedOut: number;
  };
  /** Sockets that have left their namespace. */
  readonly disconnects: readonly DisconnectCount[];
  readonly recovery: {
    readonly recovered: number;
    /** Clients that came back too late, or to a server that did not know them. */
    readonly refused: number;
  };
  /** How often limits have refused something, by code. */
  readonly limits: Readonly<Record<string, number>>;
  /** The cluster as this node sees it; undefined without one. */
  readonly cluster:
    | {
        readonly ready: boolean;
        readonly nodes: readonly ClusterNode[];
        /** How many broadcasts and commands of other nodes have not arrived: the event `gap`. */
        readonly missed: number;
      }
    | undefined;
  /** The delay of the event loop since the previous call, in ms; with the option `stats`. */
  readonly eventLoopDelay: DelayStats | undefined;
}

/** A namespace, as it is counted. */
interface CountedNamespace {
  readonly name: string;
  readonly sockets: ReadonlyMap<string, { readonly _pendingAcks: number }>;
  readonly adapter: {
    /** Only the adapters of this package have it. */
    readonly roomCount?: number;
    readonly rooms: ReadonlyMap<string, unknown>;
    readonly sids: ReadonlyMap<string, unknown>;
  };
  readonly _parent: object | undefined;
}

/** What the statistics are made of. */
export interface StatsSources {
  readonly engines: Iterable<{ stats(): EngineStats }>;
  readonly namespaces: Iterable<CountedNamespace>;
  readonly counters: Counters;
  readonly limits: Readonly<Record<string, number>>;
  readonly cluster: Cluster | undefined;
  readonly eventLoopDelay: EventLoopDelay | undefined;
}

const nothing: EngineStats = {
  connections: {},
  handshakes: {},
  refusals: {},
  upgrades: { ok: 0, failed: 0, totalTime: 0 },
  waiting: { connections: 0, bytes: 0 },
  slowConsumers: 0,
  traffic: undefined,
};

export function serverStats({ counters, cluster, ...sources }: StatsSources): ServerStats {
  const engine = Array.from(sources.engines, (each) => each.stats()).reduce(sumOf, nothing);
  const { ok, totalTime } = engine.upgrades;
  const namespaces: Record<string, NamespaceStats> = {};
  let [sockets, rooms, pending] = [0, 0, 0];
  for (const namespace of sources.namespaces) {
    const stats = {
      sockets: namespace.sockets.size,
      rooms: roomsOf(namespace.adapter),
      dynamic: namespace._parent !== undefined,
    };
    namespaces[namespace.name] = stats;
    sockets += stats.sockets;
    rooms += stats.rooms;
    for (const socket of namespace.sockets.values()) pending += socket._pendingAcks;
  }
  return {
    ...engine,
    upgrades: { ...engine.upgrades, meanTime: ok === 0 ? 0 : totalTime / ok },
    namespaces,
    sockets,
    rooms,
    broadcasts: counters.broadcasts,
    deliveries: counters.deliveries,
    acks: { pending, timedOut: counters.acksTimedOut },
    disconnects: counters.disconnects,
    recovery: { recovered: counters.recovered, refused: counters.recoveriesRefused },
    limits: sources.limits,
    cluster: cluster && {
      ready: cluster.ready,
      nodes: cluster.nodes.map(plain),
      missed: counters.clusterMissed,
    },
    eventLoopDelay: sources.eventLoopDelay?.take(),
  };
}

/** The members of a node may be accessors. */
function plain({ id, state, sessions, rtt, lastSeen }: ClusterNode): ClusterNode {
  return { id, state, sessions, rtt, lastSeen };
}

function roomsOf(adapter: CountedNamespace["adapter"]): number {
  if (adapter.roomCount !== undefined) return adapter.roomCount;
  let count = 0;
  for (const room of adapter.rooms.keys()) if (!adapter.sids.has(room)) count++;
  return count;
}

function sumOf(a: EngineStats, b: EngineStats): EngineStats {
  return {
    connections: sum(a.connections, b.connections),
    handshakes: sum(a.handshakes, b.handshakes),
    refusals: sum(a.refusals, b.refusals),
    upgrades: sum(a.upgrades, b.upgrades),
    waiting: sum(a.waiting, b.waiting),
    slowConsumers: a.slowConsumers + b.slowConsumers,
    traffic: a.traffic && b.traffic ? sum(a.traffic, b.traffic) : (b.traffic ?? a.traffic),
  };
}

/** Adds up what has the same name. */
function sum<Counts extends Readonly<Record<string, number>>>(a: Counts, b: Counts): Counts {
  const total: Record<string, number> = { ...a };
  for (const [name, count] of Object.entries(b)) total[name] = (total[name] ?? 0) + count;
  return total as Counts;
}
