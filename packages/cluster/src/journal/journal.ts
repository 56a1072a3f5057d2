/**
 * Where the nodes of a cluster keep what they have sent, and the states of their sockets, so that a client can be recovered after its
 * node has died: on any other one. Such as that of `redis()` of `@tidewire/cluster-redis`. One object serves one server, which calls
 * it. Promises are rejected, or never settled, while it cannot be reached.
 *
 * @example
 * // What a server does with one, in order:
 * journal.start(settings, handlers);
 * await journal.renew(new Map());
 * const place = await journal.append({ namespace: "/", first: 1, items }, known, oldest);
 * await journal.write([{ namespace: "/", pid, state, isNew: true, hasLeft: false }]);
 *
 * // A client comes back.
 * const taken = await journal.take("/", pid, place);
 * const missed = await journal.read("/", received, place.id);
 * // The node that had its state does not answer: it is told when it goes on.
 * if (taken !== undefined) await journal.revoke(taken.publisher, "/", pid, taken.takenAt);
 *
 * // The journal was away, and events of this node were lost.
 * await journal.resume("/", sent, true);
 * await journal.close();
 */
export interface Journal {
  /** How long a node that has died counts as alive, in ms: it renews itself three times as often. */
  readonly lease: number;
  /** Begins to connect, and to listen for batches. It may begin again after `close()`. */
  start(settings: JournalSettings, handlers: JournalHandlers): void;
  /**
   * Adds a batch, and publishes it. The events in it get the next ids of their namespace. What the journal has of it already is
   * skipped. Batches of one namespace take effect in the order of the calls.
   *
   * @param known - what the caller knows of the namespace: a journal that has lost some of it begins another epoch
   * @param oldest - the id up to which events may be dropped
   * @returns rejected if the items before it are missing
   */
  append(batch: Batch, known: Place, oldest: number): Promise<Place>;
  /**
   * Returns the events after one id, up to another, in order: a part of them if they are many, and without those that have been
   * dropped.
   */
  read(namespace: string, after: number, until: number): Promise<JournaledEvent[]>;
  /** Says that this node lives, and which namespaces it has. Creates what is missing. */
  renew(namespaces: ReadonlyMap<string, Place>): Promise<Renewal>;
  /**
   * Goes on after a time in which items did not reach the journal.
   *
   * @param sent - the number of the latest item of this node: those before it are not expected any more
   * @param isLost - events are missing: another epoch begins, of which all nodes are told by a batch
   */
  resume(namespace: string, sent: number, isLost: boolean): Promise<Place>;
  /** Changes states of this node, in order. */
  write(changes: readonly StateChange[]): Promise<void>;
  /**
   * Takes over a state, which belongs to this node from now on. Of two nodes, the later one has it. The one whose it was is told so by
   * `onRevoked()`, once it can be, for as long as it lives: it may not be reachable at present.
   */
  take(namespace: string, pid: string, known: Place): Promise<TakenState | undefined>;
  /**
   * Tells another node at once that a state of it was taken over, if it can be told, for that node cannot be asked to let go of its socket.
   *
   * @param from - whose the state was
   * @param at - when it was taken
   */
  revoke(from: PublisherId, namespace: string, pid: string, at: number): Promise<void>;
  /** What has been given to it is kept. Fulfilled within some seconds; never rejected. */
  close(): Promise<void>;
}

/** Names a node in the journal, each time it starts. */
export type PublisherId = string;

export interface JournalSettings {
  /** The name of the cluster. */
  readonly cluster: string;
  readonly publisher: PublisherId;
  /** How long the state of a socket waits for its client, in ms. */
  readonly maxDisconnectionDuration: number;
  /** How much longer events are kept, in ms: a connection may be dead for that long before anybody knows. */
  readonly blindTime: number;
}

/** The place that a namespace has reached in the journal. */
export interface Place {
  /** Random: another one after the journal has lost something. Empty if it is not known. */
  readonly epoch: string;
  /** The id of the latest event when the epoch began. */
  readonly birth: number;
  /** Random: another one after the journal has begun to count anew, or has lost ids that it has given. */
  readonly history: string;
  /** The id of the latest event when that happened. */
  readonly origin: number;
  /** The id of the latest event. Ids count up by one. */
  readonly id: number;
  /** The time of the journal, in ms. */
  readonly at: number;
}

/** What a node sends to a namespace in one tick. */
export interface Batch {
  readonly namespace: string;
  /**
   * The number of the first item: those of a node and namespace count up by one. After a renewal without the namespace, they may go on
   * at any greater number.
   */
  readonly first: number;
  /** Events begin with `EVENT` and are kept, all others are published only. None has more than 16 MiB. */
  readonly items: readonly string[];
}

/** How an item begins that is kept. */
export const EVENT = "E";

/** A batch as all nodes get it, that of this one included. Batches arrive in the order in which they were added, or not at all. */
export interface ArrivedBatch extends Batch {
  readonly publisher: PublisherId;
  /** Where the namespace was before it. */
  readonly after: Place;
}

/** An event that is kept. */
export interface JournaledEvent {
  readonly id: number;
  readonly item: string;
  readonly publisher: PublisherId;
  /** The number of the item. */
  readonly seq: number;
  /** The time of the journal, in ms. */
  readonly at: number;
}

export interface Renewal {
  /** Whether the states of this node are gone since the renewal before. */
  readonly hasLostStates: boolean;
  readonly places: ReadonlyMap<string, Place>;
}

/** A change of the state of a socket of this node. */
export interface StateChange {
  readonly namespace: string;
  readonly pid: string;
  /** Undefined to remove it. */
  readonly state: string | undefined;
  /** Whether it may be a new one. Otherwise it is not changed if it is not there, and never if another node has taken it over. */
  readonly isNew: boolean;
  /** Whether the socket has left, and the state waits for its client. */
  readonly hasLeft: boolean;
}

/** A state that this node has taken over. */
export interface TakenState {
  readonly state: string;
  /** Whose it was. */
  readonly publisher: PublisherId;
  /** When this node has taken it over: each time that a state is taken over, a greater number. */
  readonly takenAt: number;
  /** When its socket left, or else when its node was last known to live: the time of the journal, in ms. */
  readonly aliveAt: number;
  /** Where its namespace was. */
  readonly place: Place;
}

/**
 * What a journal calls.
 *
 * @example
 * // A journal that listens to a stream:
 * stream.on("open", () => handlers.onListening());
 * stream.on("batch", (batch) => handlers.onBatch(batch));
 * stream.on("revoked", ({ namespace, pid, at }) => handlers.onRevoked(namespace, pid, at));
 * stream.on("close", () => handlers.onDeaf());
 */
export interface JournalHandlers {
  onBatch(batch: ArrivedBatch): void;
  /** Another node has taken over a state of this one. Perhaps it is told more than once, and the state is of this node again. */
  onRevoked(namespace: string, pid: string, at: number): void;
  /** Batches arrive from now on; there may be a gap before. */
  onListening(): void;
  /** Batches do not arrive any more. */
  onDeaf(): void;
}
