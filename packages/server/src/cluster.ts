import type { Engine } from "@tidewire/engine";
import type { AdapterConstructor } from "./adapter-constructor.ts";

/** A node of a cluster: one server in one process. */
export interface ClusterNode {
  /** Names the node as long as it runs: the first four characters of the ids of its sessions. */
  readonly id: string;
  /** `joining` until it has met the others, `draining` while its clients leave. */
  readonly state: "joining" | "up" | "draining";
  /** Its open sessions, of another node as of a second ago at most. */
  readonly sessions: number;
  /** The round trip of the last heartbeat, in ms; 0 of this node, undefined before the first one. */
  readonly rtt: number | undefined;
  /** When it was last heard of, in ms since 1970. */
  readonly lastSeen: number;
}

/** Broadcasts that did not arrive at this node. */
export interface ClusterGap {
  /** The node that sent them. */
  readonly from: string;
  /** How many of its broadcasts and commands are missing. */
  readonly missed: number;
}

/** A machine to which there is no link, because one of the two refuses the other: its secret is another one, for example. */
export interface ClusterRefusal {
  /** The other machine: `host:port`. */
  readonly address: string;
  readonly error: Error;
}

/** The events of a {@link Cluster}. */
export interface ClusterEvents {
  /** This node has met the others: new clients may be sent to it. */
  ready: () => void;
  /** Another node can be reached. */
  join: (node: ClusterNode) => void;
  /** A node has left, has died, or can no longer be reached. */
  leave: (node: ClusterNode) => void;
  /** Broadcasts of another node were lost on their way. */
  gap: (gap: ClusterGap) => void;
  /**
   * What the machines share is away; links and sessions go on. The `code` of the error says what is missing: `DISCOVERY_AWAY` if nodes
   * of other machines cannot be found at present, `CHANNELS_AWAY` if broadcasts go over the links instead of the broker. Without a
   * listener it is a warning of the process, the first time.
   */
  away: (error: Error & { readonly code?: string }) => void;
  /** It is back. `code` is that of the error of `away`. */
  back: (code: string) => void;
  /** Another machine and this one have not come together. Without a listener it is a warning of the process, the first time. */
  refused: (refusal: ClusterRefusal) => void;
}

/**
 * The cluster as one of its servers sees it: `io.cluster`.
 *
 * @example
 * io.cluster.on("join", ({ id }) => console.log(`${id} has joined`));
 * io.cluster.once("ready", () => console.log("new clients may come"));
 * io.cluster.off("gap", report);
 */
export interface Cluster {
  /** The nodes that can be reached; this one is the first. */
  readonly nodes: readonly ClusterNode[];
  /** Whether this node takes part and new clients may be sent to it. */
  readonly ready: boolean;
  on<E extends keyof ClusterEvents>(event: E, listener: ClusterEvents[E]): this;
  once<E extends keyof ClusterEvents>(event: E, listener: ClusterEvents[E]): this;
  off<E extends keyof ClusterEvents>(event: E, listener: ClusterEvents[E]): this;
}

/**
 * What the option `cluster` takes, such as `cluster()` of `@tidewire/cluster`. One object serves one server, which calls it.
 *
 * @example
 * // What the server calls, in order:
 * option.joinEngine(io.engine);
 * option.drain?.(true);
 * await option.retire?.();
 * await option.leave();
 */
export interface ClusterOption {
  /** `io.cluster` */
  readonly handle: Cluster;
  /** The adapter of a server that has no option `adapter`; undefined for the server's own default. */
  readonly adapter: AdapterConstructor | undefined;
  /**
   * Called with each engine whose connections the server accepts, before it gets the first one; again with the same engine when
   * the server is attached again after `io.close()`.
   */
  joinEngine(engine: Engine): void;
  /** Called when the clients of the server begin to leave, and with false if they stay after all. */
  drain?(isDraining: boolean): void;
  /** Called at the beginning of `io.close()`, which waits for it before the connections close. */
  retire?(): Promise<void>;
  /** Called at the end of `io.close()`, once the sockets, the adapters and the HTTP server are closed. */
  leave(): Promise<void> | void;
}
