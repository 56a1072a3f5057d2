import type { HttpServerLike, Server as Engine } from "@tidewire/engine";
import type { ClusterOption } from "./cluster.ts";
import type { DrainOptions } from "./drain.ts";

/**
 * What a supervisor puts at `globalThis[Symbol.for("tidewire.worker")]` in a process that is one of several, before the application is
 * loaded. Servers share their port there, and join a cluster, without a change in the application. It is the one thing that servers
 * of a process have in common, and works whatever copy of this package, or bundle with it, the application loads.
 */
export interface Worker {
  /** Returns the cluster of a server whose options name none; undefined for none. */
  cluster(): ClusterOption | undefined;
  /** Called whenever a server is attached: it listens, or will. */
  onAttached(server: WorkerServer): void;
}

/** A server, as its supervisor sees it. */
export interface WorkerServer {
  readonly engine: Engine;
  /** What accepts the connections; undefined if it is unknown. */
  readonly httpServer: HttpServerLike | undefined;
  drain(options: DrainOptions): Promise<void>;
  close(): Promise<void>;
}

/** Returns what a supervisor has said of this process; undefined in a process of its own. */
export function currentWorker(): Worker | undefined {
  return (globalThis as { [WORKER]?: Worker })[WORKER];
}

const WORKER: unique symbol = Symbol.for("tidewire.worker") as never;
