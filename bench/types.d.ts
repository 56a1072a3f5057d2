// What the files of the bench share. Everything else is inferred, or not checked.
import type { ServerProcess } from "./harness/server-handle.mjs";

declare global {
  /** What a run is sized for: seconds, under eight minutes, or as long as it takes. */
  type Mode = "smoke" | "quick" | "full";

  /** One server under test: a default export of a file in servers/, or an item of it. */
  interface Variant {
    name: string;
    title: string;
    /** Place in the tables and in each round. */
    order: number;
    /** Who must have answered the WebSocket handshake; a server that fell back to another host is refused. */
    host: "uws" | "node" | "other";
    /** Measures the packages of this repository, which therefore must be built. */
    built?: boolean;
    /** A folder of peers/ that is installed first. */
    peer?: string;
    /** The program that runs the server process, and its arguments before the script; this Node by default. */
    command?: string[];
    /** Is written by hand, without the API of Socket.IO. */
    floor?: boolean;
    /** Is measured only when it is asked for by name. */
    named?: boolean;
    /**
     * Runs in the server process, and imports the server there, so that the file can be listed without it. Actions are functions
     * that the load generator calls over IPC.
     */
    start(
      options: ServerOptions,
    ): Promise<{ port: number; actions: Record<string, (...args: never[]) => unknown> }>;
  }

  /** The options of a Socket.IO server that workloads set. */
  interface ServerOptions {
    /** In ms; 25,000 by default. */
    pingInterval?: number;
    /** In bytes. Tidewire's alone. */
    maxBackpressure?: number;
    cleanupEmptyChildNamespaces?: boolean;
  }

  /** One figure of a workload. */
  interface Metric {
    key: string;
    unit: string;
    /** What it is a figure of, when the workload has several: "io.to(room)". */
    title?: string;
    /**
     * What ours is to stay within: on uWebSockets.js as a ratio to the floor, on node:http to the official server; or as a
     * figure in its unit.
     */
    budget?: { uws: number; node: number; plain?: boolean };
    /** Its ratios to other servers say nothing. */
    absolute?: boolean;
    /** What it is to stay within; more is marked in the table. */
    atMost?: number;
  }

  /** One measurement: a default export of a file in workloads/, or an item of it. */
  interface Workload {
    name: string;
    title: (size: Record<string, number>) => string;
    order: number;
    /** Runs only when it is asked for by name. */
    named?: boolean;
    /** Needs a server with the Socket.IO API, which the floors have not. */
    api?: boolean;
    metrics: Metric[];
    sizes: Record<Mode, Record<string, number>>;
    /** More arguments for a Node that runs the server. */
    nodeArgs?: string[];
    /** What the server is started with, instead of its defaults. */
    serverOptions?: ServerOptions;
    /**
     * Runs in the load generator against a fresh server process, a ServerProcess of harness/server-handle.mjs. `size` has the
     * counts of the mode chosen; `note` says something about this measurement beside its figures.
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

  /** What became of one workload on one variant in one round. */
  interface Cell {
    round: number;
    workload: string;
    variant: string;
    /** Figures by metric key; absent when the cell failed. */
    figures?: Record<string, number>;
    error?: string;
    notes: string[];
  }
}
