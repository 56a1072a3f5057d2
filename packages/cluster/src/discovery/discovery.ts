import type { NodeId } from "../node-id.ts";

/** A node as others find it. */
export interface FoundNode {
  /** Undefined if the discovery does not know: the node says it when it is dialled. */
  readonly id: NodeId | undefined;
  /** Where it listens: `host:port`. */
  readonly address: string;
}

/** How this node is to be found. */
export interface Announcement {
  readonly id: NodeId;
  /** Random; tells this node from another one with its id. */
  readonly epoch: string;
  /** Where it listens: `host:port`. */
  readonly address: string;
}

/**
 * Where the nodes of several machines find each other, such as `dns()`, or that of a backend. One object serves one
 * server, which calls it.
 *
 * @example
 * // Two nodes, whose addresses never change.
 * const discovery: Discovery = {
 *   start(cluster, handlers) {
 *     handlers.onNodes(["10.0.0.1:7900", "10.0.0.2:7900"].map((address) => ({ id: undefined, address })));
 *   },
 *   announce(self) {
 *     return Promise.resolve(true);
 *   },
 *   refresh() {},
 *   close() {
 *     return Promise.resolve();
 *   },
 * };
 */
export interface Discovery {
  /** Begins to look for nodes. It may begin again after `close()`. */
  start(cluster: string, handlers: DiscoveryHandlers): void;
  /**
   * Leases an id for this node, and lets the others find it there, until `close()` or the next call.
   *
   * @returns false if another node has the id; rejected if the discovery cannot be reached, in which case it goes on trying
   */
  announce(self: Announcement): Promise<boolean>;
  /** Looks for nodes at once. */
  refresh(): void;
  /** The others cannot find this node any more. Fulfilled within some seconds, once they know or cannot be told. Never rejected. */
  close(): Promise<void>;
}

/**
 * What a discovery calls.
 *
 * @example
 * // A discovery that watches a table of a database:
 * table.on("change", (rows) => {
 *   if (rows.some((row) => row.id === self.id && row.epoch !== self.epoch)) handlers.onTaken();
 *   handlers.onNodes(rows);
 * });
 * table.on("error", (error) => handlers.onAway(error));
 * table.on("reconnect", () => handlers.onBack());
 */
export interface DiscoveryHandlers {
  /** All nodes that can be found, this one perhaps among them. Called at the beginning, after changes, and once in a while. */
  onNodes(nodes: readonly FoundNode[]): void;
  /** Another node has the id: this one must take another, and announce it. */
  onTaken(): void;
  /** It cannot be reached. Called once, until it is back. */
  onAway(error: Error): void;
  /** It can be reached again. */
  onBack(): void;
}
