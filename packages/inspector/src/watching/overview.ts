import { hostname } from "node:os";
import { internals } from "@tidewire/server";
import type { ServerStats } from "@tidewire/server";
import { short } from "./preview.ts";
import type { EventCounts } from "./tap.ts";

/** How many namespaces are listed: those with the most sockets. */
const MAX_NAMESPACES = 100;
/** How many reasons, codes and nodes are listed. */
const MAX_ROWS = 50;

export interface NamespaceRow {
  readonly name: string;
  readonly sockets: number;
  readonly rooms: number;
  readonly dynamic: boolean;
}

/** The whole server in numbers. Counters run since the server was created; the page derives rates from them. */
export interface Overview extends Omit<ServerStats, "namespaces"> {
  readonly at: number;
  readonly namespaces: readonly NamespaceRow[];
  readonly namespaceCount: number;
  /** Events since somebody has begun to watch. */
  readonly events: EventCounts;
  /** In bytes. */
  readonly memory: { readonly rss: number; readonly heapUsed: number };
  /** Time of the CPU that the process has used, in ms. */
  readonly cpu: number;
  readonly uptime: number;
}

/** What does not change while the page is open. */
export interface Greeting {
  readonly readonly: boolean;
  readonly pid: number;
  readonly hostname: string;
  readonly node: string;
  readonly host: string;
}

export function greetingOf(readonly: boolean, host: string): Greeting {
  return { readonly, pid: process.pid, hostname: hostname(), node: process.version, host };
}

/** Summarizes a server while somebody watches it. */
export class OverviewReader {
  readonly #view: internals.ServerView;
  readonly #delay: internals.EventLoopDelay = new internals.EventLoopDelay();

  constructor(view: internals.ServerView) {
    this.#view = view;
  }

  start(): void {
    this.#delay.start();
  }

  stop(): void {
    this.#delay.stop();
  }

  read(events: EventCounts): Overview {
    const { namespaces, disconnects, cluster, ...stats } = this.#view.stats();
    const { user, system } = process.cpuUsage();
    const { rss, heapUsed } = process.memoryUsage();
    const names = Object.entries(namespaces);
    return {
      ...stats,
      at: Date.now(),
      namespaces: names
        .toSorted(([, a], [, b]) => b.sockets - a.sockets)
        .slice(0, MAX_NAMESPACES)
        .map(([name, each]) => ({ name: short(name), ...each })),
      namespaceCount: names.length,
      disconnects: disconnects.toSorted((a, b) => b.count - a.count).slice(0, MAX_ROWS),
      cluster: cluster && { ...cluster, nodes: cluster.nodes.slice(0, MAX_ROWS) },
      events: { ...events },
      memory: { rss, heapUsed },
      cpu: (user + system) / 1000,
      uptime: process.uptime(),
      eventLoopDelay: this.#delay.take(),
    };
  }
}
