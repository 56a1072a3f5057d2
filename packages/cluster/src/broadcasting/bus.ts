import type { Room } from "socket.io-adapter";
import type { Part } from "../link/link.ts";
import type { NodeId } from "../node-id.ts";

/** For {@link Bus.publish}: a message for all nodes, whichever rooms have members there. */
export const NO_ROOMS: ReadonlySet<Room> = new Set();

/**
 * Carries the messages of broadcasting between the nodes. What a node publishes arrives in that order and once; a bus numbers it, and
 * tells how much of it was lost.
 */
export interface Bus {
  readonly self: NodeId;
  /** The largest packet that it carries, in bytes. */
  readonly maxBytes: number;
  /** What must know which rooms have members here; undefined if every node gets everything. */
  readonly interest: RoomInterest | undefined;
  /** The other nodes that can be reached. */
  members(): Iterable<NodeId>;
  /**
   * Publishes a message to the other nodes: to those with members in one of the rooms at least, or to all if no room is named. What
   * is published in one tick leaves together, perhaps with that of the next ones. The parts are copied before it returns.
   */
  publish(namespace: string, rooms: ReadonlySet<Room>, parts: readonly Part[]): void;
  /** Somebody waits for an answer to what is published in this tick: it leaves at its end, and does not wait to save work. */
  hurry(): void;
  /**
   * Other nodes have just been told to let sockets join the rooms: for some time, what is published for these rooms reaches them
   * although they may not have subscribed yet.
   */
  widen(namespace: string, rooms: Iterable<Room>): void;
  /** Sends a reply to one of them, if it can be reached. The parts are copied before it returns. */
  reply(to: NodeId, parts: readonly Part[]): void;
  /** Starts to listen. Called once. */
  listen(handlers: BusHandlers): void;
}

/** Which rooms have members here: their publications must arrive. */
export interface RoomInterest {
  /** A room has its first member. */
  add(namespace: string, room: Room): void;
  /** A room has lost its last one. */
  delete(namespace: string, room: Room): void;
  /** Returns what is fulfilled once publications for the rooms arrive, and never rejected; undefined if they do already. */
  reached(namespace: string, rooms: Iterable<Room>): Promise<void> | undefined;
}

/** What a bus calls. */
export interface BusHandlers {
  /** A publication. Its bytes are only valid until this returns. What is thrown for a malformed one, the bus handles. */
  onMessage(from: NodeId, payload: Buffer): void;
  /** A reply, in the same way. */
  onReply(from: NodeId, payload: Buffer): void;
  /** Publications of a node are missing. */
  onGap(from: NodeId, missed: number): void;
  /** A node has left, or cannot be reached any more: it will not answer. */
  onLeave(node: NodeId): void;
}
