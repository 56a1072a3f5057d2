import type { ServerStats } from "@tidewire/server";

/** A `counter` only rises; a `sum` is how many of something there are; a `gauge` cannot be added up over processes. */
export type Kind = "counter" | "sum" | "gauge";

/** A value, and the labels that distinguish it from others of the same metric. */
export interface Sample {
  readonly value: number;
  readonly labels: Readonly<Record<string, string>>;
}

/** One metric under its names in both worlds. The names are part of the public API. */
export interface MetricDefinition {
  /** Of Prometheus, without the prefix: base units, and `_total` for counters. */
  readonly prometheus: string;
  /** Of OpenTelemetry. */
  readonly openTelemetry: string;
  readonly kind: Kind;
  /** Of OpenTelemetry, as UCUM writes it. */
  readonly unit: string;
  readonly help: string;
  /** Returns no samples where the server does not count it. */
  read(stats: ServerStats): readonly Sample[];
}

/** Namespaces that exist because clients have asked for them share a label: there may be any number of them. */
const DYNAMIC = "(dynamic)";

/** Where nobody is, the value is 0: OpenTelemetry keeps the last value of what is not observed any more. */
const NO_CONNECTIONS: Readonly<Record<string, number>> = { polling: 0, websocket: 0, webtransport: 0 };

export const metrics: readonly MetricDefinition[] = [
  {
    prometheus: "connections",
    openTelemetry: "tidewire.connections",
    kind: "sum",
    unit: "{connection}",
    help: "Open connections.",
    read: ({ connections }) => byName("transport", { ...NO_CONNECTIONS, ...connections }),
  },
  {
    prometheus: "sockets",
    openTelemetry: "tidewire.sockets",
    kind: "sum",
    unit: "{socket}",
    help: "Sockets in their namespace.",
    read: ({ namespaces }) => byNamespace(namespaces, "sockets"),
  },
  {
    prometheus: "rooms",
    openTelemetry: "tidewire.rooms",
    kind: "sum",
    unit: "{room}",
    help: "Rooms, without the one that each socket has for itself.",
    read: ({ namespaces }) => byNamespace(namespaces, "rooms"),
  },
  {
    prometheus: "handshakes_total",
    openTelemetry: "tidewire.handshakes",
    kind: "counter",
    unit: "{handshake}",
    help: "Opened connections, by their first transport.",
    read: ({ handshakes }) => byName("transport", handshakes),
  },
  {
    prometheus: "refusals_total",
    openTelemetry: "tidewire.refusals",
    kind: "counter",
    unit: "{request}",
    help: "Refused requests.",
    read: ({ refusals }) => byName("code", refusals),
  },
  {
    prometheus: "upgrades_total",
    openTelemetry: "tidewire.upgrades",
    kind: "counter",
    unit: "{upgrade}",
    help: "Finished and failed changes of the transport.",
    read: ({ upgrades: { ok, failed } }) => byName("outcome", { ok, failed }),
  },
  {
    prometheus: "upgrade_seconds_total",
    openTelemetry: "tidewire.upgrade.time",
    kind: "counter",
    unit: "s",
    help: "How long the successful upgrades took together.",
    read: ({ upgrades }) => one(upgrades.totalTime / 1000),
  },
  {
    prometheus: "messages_total",
    openTelemetry: "tidewire.messages",
    kind: "counter",
    unit: "{message}",
    help: "Messages of Engine.IO, with the option stats.",
    read: ({ traffic }) =>
      traffic === undefined ? [] : byName("direction", { in: traffic.messagesIn, out: traffic.messagesOut }),
  },
  {
    prometheus: "traffic_bytes_total",
    openTelemetry: "tidewire.traffic",
    kind: "counter",
    unit: "By",
    help: "Payloads of frames and bodies before compression, with the option stats.",
    read: ({ traffic }) =>
      traffic === undefined ? [] : byName("direction", { in: traffic.bytesIn, out: traffic.bytesOut }),
  },
  {
    prometheus: "broadcasts_total",
    openTelemetry: "tidewire.broadcasts",
    kind: "counter",
    unit: "{broadcast}",
    help: "Events emitted to more than one client.",
    read: ({ broadcasts }) => one(broadcasts),
  },
  {
    prometheus: "deliveries_total",
    openTelemetry: "tidewire.deliveries",
    kind: "counter",
    unit: "{delivery}",
    help: "How many times broadcasts were sent to a client of this process.",
    read: ({ deliveries }) => one(deliveries),
  },
  {
    prometheus: "acks_pending",
    openTelemetry: "tidewire.acks.pending",
    kind: "sum",
    unit: "{ack}",
    help: "Answers that are awaited.",
    read: ({ acks }) => one(acks.pending),
  },
  {
    prometheus: "acks_timed_out_total",
    openTelemetry: "tidewire.acks.timed_out",
    kind: "counter",
    unit: "{ack}",
    help: "Questions that were not answered in time.",
    read: ({ acks }) => one(acks.timedOut),
  },
  {
    prometheus: "disconnects_total",
    openTelemetry: "tidewire.disconnects",
    kind: "counter",
    unit: "{socket}",
    help: "Sockets that have left, by reason, and by the code of the error if there is one.",
    read: ({ disconnects }) =>
      disconnects.map(({ reason, code = "", count }) => ({ value: count, labels: { reason, code } })),
  },
  {
    prometheus: "waiting_connections",
    openTelemetry: "tidewire.waiting.connections",
    kind: "sum",
    unit: "{connection}",
    help: "Connections with bytes that have not left yet.",
    read: ({ waiting }) => one(waiting.connections),
  },
  {
    prometheus: "waiting_bytes",
    openTelemetry: "tidewire.waiting.size",
    kind: "sum",
    unit: "By",
    help: "Bytes that have not left yet.",
    read: ({ waiting }) => one(waiting.bytes),
  },
  {
    prometheus: "slow_consumers_total",
    openTelemetry: "tidewire.slow_consumers",
    kind: "counter",
    unit: "{connection}",
    help: "Connections that were ended because their client did not read.",
    read: ({ slowConsumers }) => one(slowConsumers),
  },
  {
    prometheus: "recoveries_total",
    openTelemetry: "tidewire.recoveries",
    kind: "counter",
    unit: "{socket}",
    help: "Clients that came back and whose state was recovered, or refused.",
    read: ({ recovery: { recovered, refused } }) => byName("outcome", { recovered, refused }),
  },
  {
    prometheus: "limit_refusals_total",
    openTelemetry: "tidewire.limit_refusals",
    kind: "counter",
    unit: "{refusal}",
    help: "What limits have refused.",
    read: ({ limits }) => byName("code", limits),
  },
  {
    prometheus: "event_loop_delay_mean_seconds",
    openTelemetry: "tidewire.event_loop.delay.mean",
    kind: "gauge",
    unit: "s",
    help: "Mean delay of the event loop since the last time that it was read, with the option stats.",
    read: ({ eventLoopDelay }) => (eventLoopDelay === undefined ? [] : one(eventLoopDelay.mean / 1000)),
  },
  {
    prometheus: "event_loop_delay_p99_seconds",
    openTelemetry: "tidewire.event_loop.delay.p99",
    kind: "gauge",
    unit: "s",
    help: "99th percentile of the delay of the event loop since the last time that it was read, with the option stats.",
    read: ({ eventLoopDelay }) => (eventLoopDelay === undefined ? [] : one(eventLoopDelay.p99 / 1000)),
  },
  {
    prometheus: "event_loop_delay_max_seconds",
    openTelemetry: "tidewire.event_loop.delay.max",
    kind: "gauge",
    unit: "s",
    help: "Longest delay of the event loop since the last time that it was read, with the option stats.",
    read: ({ eventLoopDelay }) => (eventLoopDelay === undefined ? [] : one(eventLoopDelay.max / 1000)),
  },
  {
    prometheus: "cluster_nodes",
    openTelemetry: "tidewire.cluster.nodes",
    kind: "gauge",
    unit: "{node}",
    help: "Nodes of the cluster that this one can reach, itself included.",
    read: ({ cluster }) => {
      if (cluster === undefined) return [];
      const counts: Record<string, number> = { joining: 0, up: 0, draining: 0 };
      for (const { state } of cluster.nodes) counts[state] = (counts[state] ?? 0) + 1;
      return byName("state", counts);
    },
  },
  {
    prometheus: "cluster_missed_total",
    openTelemetry: "tidewire.cluster.missed",
    kind: "counter",
    unit: "{broadcast}",
    help: "Broadcasts and commands of other nodes that have not arrived.",
    read: ({ cluster }) => (cluster === undefined ? [] : one(cluster.missed)),
  },
];

function one(value: number): readonly Sample[] {
  return [{ value, labels: {} }];
}

function byName(label: string, counts: Readonly<Record<string, number>>): readonly Sample[] {
  return Object.entries(counts).map(([name, value]) => ({ value, labels: { [label]: name } }));
}

function byNamespace(namespaces: ServerStats["namespaces"], key: "sockets" | "rooms"): readonly Sample[] {
  const counts: Record<string, number> = { [DYNAMIC]: 0 };
  for (const [name, stats] of Object.entries(namespaces)) {
    const label = stats.dynamic ? DYNAMIC : name;
    counts[label] = (counts[label] ?? 0) + stats[key];
  }
  return byName("namespace", counts);
}
