// The types that the files of the bench share. All others are inferred.
import type { ServerProcess } from "./harness/server-handle.mjs";

declare global {
  /** The length of a run: seconds, under eight minutes, or as long as it takes. */
  type Mode = "smoke" | "quick" | "full";

  /** What the two servers of a pair share: `redis` is broadcasts through Redis, `workers` is the load. */
  type Shared = "broadcasts" | "redis" | "sessions" | "workers";

  /** One server under test. */
  interface Variant {
    name: string;
    title: string;
    /** The title in a budget: "1.03 × floor". */
    short?: string;
    /** The host that must answer the handshake; the bench rejects a server that fell back to another. */
    host: "uws" | "node" | "other";
    /** Uses the packages of this repository, which must be built first. */
    built?: boolean;
    /** The folder of peers/ to install first. */
    peer?: string;
    /** The program that runs the server process, and its arguments before the script; this Node by default. */
    command?: string[];
    /** Is written by hand, without the Socket.IO API. */
    floor?: boolean;
    /** Differs from another floor only in workloads with `fanOut`, and runs in no others. */
    fanOut?: boolean;
    /** Is a pair of servers, for the workloads of pairs: those that need what the two share. */
    pair?: Shared[];
    /** Is measured only if it is named. */
    named?: boolean;
    /**
     * Runs in the server process. It imports the server there, so that the bench can list it without the server. The load generator calls
     * the actions over IPC.
     */
    start(
      options: ServerOptions,
    ): Promise<{ port: number; actions: Record<string, (...args: never[]) => unknown> }>;
  }

  /** The options of a Socket.IO server that workloads set. */
  interface ServerOptions {
    /** In ms; 25,000 by default. */
    pingInterval?: number;
    /** In bytes; only for Tidewire. */
    maxBackpressure?: number;
    cleanupEmptyChildNamespaces?: boolean;
  }

  /**
   * The limits of a figure of ours: the largest ratio to each of some servers, by their names, or the most that it may add to theirs, in
   * its unit; and with `value` the largest figure in its unit.
   */
  type Limits = Partial<
    Record<
      | "floor-uws"
      | "floor-publish"
      | "official-ws"
      | "official-uws"
      | "bun"
      | "pair-alone"
      | `redis-${"uws" | "node"}-${"adapter" | "sharded" | "streams"}`
      | "value",
      number | { more: number }
    >
  >;

  /** One figure of a workload. */
  interface Metric {
    key: string;
    unit: string;
    /** The title of the figure, if the workload has several: "io.to(room)". */
    title?: string;
    /** The title of a column. */
    short?: string;
    /** The limits for Tidewire on each host, and for two processes of it. */
    budget?: { uws: Limits; node: Limits } | { cluster: Limits } | { redis: Limits; redisNode: Limits };
    /** Has no ratios to other servers. */
    absolute?: boolean;
    /** The limit; the table marks larger figures. */
    atMost?: number;
  }

  /** One measurement. */
  interface Workload {
    name: string;
    title: (size: Record<string, number>) => string;
    /** Runs only if it is named. */
    named?: boolean;
    /** Needs the Socket.IO API, which the floors do not have. */
    api?: boolean;
    /** Measures what only the packages of this repository have. */
    built?: boolean;
    /** Sends the same messages to many clients. */
    fanOut?: boolean;
    /** Needs a pair of servers, for what they share. Pairs have no other workloads. */
    pair?: Shared;
    metrics: Metric[];
    sizes: Record<Mode, Record<string, number>>;
    /** More arguments for Node.js in the server process. */
    nodeArgs?: string[];
    /** The options of the server. */
    serverOptions?: ServerOptions;
    /**
     * Runs in the load generator against a fresh server process. `size` has the counts of the mode, and `note` adds a remark to the
     * figures.
     *
     * @returns a figure for each metric
     */
    run(context: {
      server: ServerProcess;
      variant: Variant;
      size: Record<string, number>;
      note: (text: string) => void;
    }): Promise<Record<string, number>>;
  }

  /** The result of one workload with one server in one round. */
  interface Cell {
    round: number;
    workload: string;
    variant: string;
    /** Figures by metric key, unless the measurement failed. */
    figures?: Record<string, number>;
    error?: string;
    notes: string[];
  }
}
