import type { Part } from "../link/link.ts";
import type { NodeId } from "../node-id.ts";

/**
 * Carries the messages of broadcasting between the nodes. From one node to another they arrive in the order in which they were
 * sent. A bus may lose or repeat publications: those of each node are numbered.
 */
export interface Bus {
  readonly self: NodeId;
  /** The other nodes that can be reached. */
  members(): Iterable<NodeId>;
  /** Sends a message to all of them. What is published in one tick leaves together. The parts are copied before it returns. */
  publish(parts: readonly Part[]): void;
  /** Sends a message to one of them, if it can be reached. The parts are copied before it returns. */
  send(to: NodeId, parts: readonly Part[]): void;
  /** Starts to listen. Called once. */
  listen(handlers: BusHandlers): void;
}

/** What a bus calls. */
export interface BusHandlers {
  /** The payload's bytes are only valid until this returns. What is thrown for a malformed one, the bus handles. */
  onMessage(from: NodeId, payload: Buffer): void;
  /** A node has left, or cannot be reached any more: it will not answer. */
  onLeave(node: NodeId): void;
}
