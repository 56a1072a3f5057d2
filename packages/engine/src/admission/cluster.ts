import type { HostTarget, HttpExchange, RequestHead, UpgradeExchange } from "../host/host.ts";

/** Takes requests that have come here and are answered elsewhere, or later. */
export interface RequestTaker {
  onRequest(exchange: HttpExchange): void;
  onUpgrade(exchange: UpgradeExchange): void;
}

/** Serves the requests of a session that is not open here: another node does, or this one, once it has bound the session. */
export interface RemoteSession extends RequestTaker {
  /** Whether somebody may look at all headers of its requests. */
  readonly needsWholeHead: boolean;
  /**
   * Asks for the session, because a request of it that nobody can forward has come here.
   *
   * @param done - called once, when the session is open here, or will not be
   */
  claim(sid: string, done: () => void): void;
}

/** What joins an engine with the engines of other processes. */
export interface EngineCluster {
  /** The node's id: the characters with which the ids of its sessions begin. */
  readonly idPrefix: string;
  /** Fulfilled when the other nodes can be reached; undefined once they can. New sessions wait for it. */
  readonly starting: Promise<void> | undefined;
  /** Whether a session that may change to a WebSocket is held until that has shown up on one of the nodes. */
  readonly bindsLate: boolean;
  /** How long a session is held at most, in ms. */
  readonly bindTimeout: number;
  /** Called once, when the engine has joined. */
  bind(target: ClusterTarget): void;
  /** Returns who serves a session that is neither open nor held here; undefined if nobody does. */
  find(sid: string): RemoteSession | undefined;
  /** Returns who takes a new client while this node takes none; undefined if nobody can. */
  successor(): RequestTaker | undefined;
  /** A session has left long-polling: it has no further requests. */
  onUpgraded(sid: string): void;
  onEnded(sid: string): void;
}

/** The engine, as the cluster that it has joined sees it. Requests from other nodes come to it as from any host. */
export interface ClusterTarget extends HostTarget {
  /** Whether somebody may look at all headers of each request. */
  readonly readsHeads: boolean;
  /** The limits of the engine that a node keeps for sessions of others, in bytes; 0 for none. */
  readonly limits: { readonly maxBackpressure: number; readonly maxReceiveBacklog: number };
  /**
   * Begins to hand a held session over to another node.
   *
   * @param onRevoked - called once if the session is bound here after all, or has ended
   * @returns undefined if it is not held, or another node has claimed it
   */
  claim(sid: string, onRevoked: () => void): Claim | undefined;
  /**
   * Replays a handshake that another node has answered: the middlewares run, and `allowRequest`. Their answer goes nowhere.
   *
   * @param done - called once, with undefined if they refuse it
   */
  adopt(sid: string, handshake: RequestHead, done: (adopted: AdoptedSession | undefined) => void): void;
  /** Answers the poll of a session, so that the client sends the next one: the node that has its connection is about to close it. */
  releasePoll(url: string): void;
  /** Binds all sessions here that are held. */
  bindAll(): void;
  /** Refuses a request whose session was lost on its way. */
  refuseUnknown(exchange: HttpExchange | UpgradeExchange): void;
  /** Refuses a new client that nobody has taken. It may try again. */
  refuseNew(exchange: HttpExchange | UpgradeExchange): void;
}

/** A held session that another node has claimed. */
export interface Claim {
  readonly handshake: RequestHead;
  /** The other node has bound it, or is about to: hands over the requests that have waited. */
  complete(successor: RemoteSession): void;
  /** The other node does not take it: binds it here. */
  giveUp(): void;
}

/** A session that waits to be opened. */
export interface AdoptedSession {
  /** Opens it, on long-polling. */
  open(): void;
}
