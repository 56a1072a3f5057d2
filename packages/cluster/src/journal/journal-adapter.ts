import { defaultParser, PacketType } from "@tidewire/parser";
import type { Packet, Parser } from "@tidewire/parser";
import { internals } from "@tidewire/server";
import type { BroadcastOptions, Room, SocketId } from "socket.io-adapter";
import type { Broadcasting, Namespaces } from "../broadcasting/broadcasting.ts";
import { ClusterAdapter } from "../broadcasting/cluster-adapter.ts";
import type { ClusterNamespace } from "../broadcasting/cluster-adapter.ts";
import { RemotePacket } from "../broadcasting/remote-packet.ts";
import { assertNotLarger } from "../broadcasting/size.ts";
import { decodePacket } from "../broadcasting/wire.ts";
import type { PacketParts, Target } from "../broadcasting/wire.ts";
import { copyOf, MOST_ITEM_BYTES, PASSING, writeEvent } from "./items.ts";
import type { EventItem } from "./items.ts";
import type { JournalBus } from "./journal-bus.ts";
import { EVENT } from "./journal.ts";
import type { StateChange } from "./journal.ts";
import type { Journaling } from "./journaling.ts";
import type { Release } from "./journal-links.ts";
import type { NamespaceJournal } from "./namespace-journal.ts";
import { formatOffset, hadWith, receivedBy } from "./offset.ts";
import type { Had } from "./offset.ts";
import type { Restoration } from "./restoration.ts";
import { readState, SessionStates } from "./session-states.ts";
import type { RecoverableSocket } from "./session-states.ts";

const DEFAULT_MAX_LOG_BYTES = 16 * 1024 * 1024;

type RestoredState = internals.RestoredState;

/** The namespace of the adapter. */
export interface JournalNamespace extends ClusterNamespace {
  readonly sockets: ReadonlyMap<SocketId, internals.LocalSocket & RecoverableSocket>;
  readonly server: ClusterNamespace["server"] & {
    readonly _nsps: Namespaces;
    readonly opts: {
      readonly connectionStateRecovery?: {
        readonly maxDisconnectionDuration?: number;
        readonly maxLogBytes?: number;
      };
    } & Parameters<typeof internals.blindTimeOf>[0]["opts"];
    readonly engine?: { readonly opts?: Parameters<typeof internals.blindTimeOf>[0]["opts"] };
  };
  /** The socket of a state makes way. */
  _letGo(pid: string, isKept?: (id: SocketId) => boolean): void;
}

/** What all adapters of a server have in common. */
export interface JournalAdapterParts {
  readonly broadcasting: Broadcasting;
  readonly bus: JournalBus;
  readonly journaling: Journaling;
  /** Whether all clients of all nodes get broadcasts in the same order. */
  readonly isTotallyOrdered: boolean;
}

/**
 * The adapter of a server in a cluster with a journal: keeps there what is sent and the states of sockets, from the moment at which
 * they join, so that a client can be recovered on any node. Every event carries, as its last argument, what its client has received.
 */
export class JournalAdapter extends ClusterAdapter {
  declare readonly nsp: JournalNamespace;
  override readonly keepsNoStates: boolean;
  /** A client that has received nothing yet has no offset; its state is restored too. */
  readonly restoresWithoutOffset: boolean = true;
  readonly #parts: JournalAdapterParts;
  readonly #states: SessionStates;
  #open: NamespaceJournal | undefined = undefined;
  /** Clients whose state is being taken over, by pid. */
  readonly #restoring: Map<string, Takeover> = new Map();
  /** Clients that have come back, and whose sockets have not joined. */
  readonly #resumed: Map<SocketId, Restoration> = new Map();
  /** What recovered clients had received before they joined, where more of it may arrive. */
  readonly #covered: Map<SocketId, Had> = new Map();
  #lastLeave: StateChange | undefined = undefined;

  constructor(nsp: JournalNamespace, parts: JournalAdapterParts) {
    super(nsp, parts.broadcasting);
    this.#parts = parts;
    this.keepsNoStates = nsp.server.opts.connectionStateRecovery === undefined;
    this.#states = new SessionStates(nsp.name, parts.journaling.publisher, nsp.sockets);
    // Before the first event, so that nothing of other nodes is missing then.
    this.#open = this.#openJournal();
  }

  /** It is opened again if the server is attached again after `io.close()`. */
  #journal(): NamespaceJournal {
    return (this.#open ??= this.#openJournal());
  }

  /** Whether the namespace was removed, because its last client has left. */
  #isRemoved(): boolean {
    return this.#open === undefined && this.nsp.server._nsps.get(this.nsp.name)?.adapter !== this;
  }

  #openJournal(): NamespaceJournal {
    const { bus, journaling, isTotallyOrdered } = this.#parts;
    const { connectionStateRecovery } = this.nsp.server.opts;
    const receiver = {
      states: this.#states,
      letGo: (pid: string, at: number) => this.#letGo(pid, at),
      onEvent: (event: EventItem, offset: string) => this.#deliver(event, offset),
      onCast: (from: string, payload: Buffer) => bus.receive(from, payload),
    };
    return journaling.open(this.nsp.name, receiver, {
      isTotallyOrdered,
      maxLogBytes: connectionStateRecovery?.maxLogBytes ?? DEFAULT_MAX_LOG_BYTES,
      window: (connectionStateRecovery?.maxDisconnectionDuration ?? 0) + this.#blindTime,
    });
  }

  get #blindTime(): number {
    return internals.blindTimeOf(this.nsp.server);
  }

  override async close(): Promise<void> {
    const open = this.#open;
    this.#open = undefined;
    if (open !== undefined) await this.#parts.journaling.close(open);
  }

  override broadcast(packet: Packet, target: BroadcastOptions): void {
    const { flags } = target;
    const isForAll = packet.type === PacketType.EVENT && packet.id === undefined;
    if (!isForAll || this.#isRemoved() || (flags?.local && this.keepsNoStates)) {
      // An event that asks for an answer is for a socket of this node, whose client keeps the offset it has.
      const isLocal = packet.id !== undefined && packet.type === PacketType.EVENT;
      return super.broadcast(packet, isLocal ? { ...target, flags: { ...flags, local: true } } : target);
    }
    const encoded = this.nsp.server.encoder.encode({ ...packet, nsp: this.nsp.name });
    if (!flags?.local) assertNotLarger(encoded, MOST_ITEM_BYTES);
    const parts = copyOf(encoded);
    const event: EventItem = { target: completed(target), parts };
    const offset = flags?.local ? this.#journal().offset : this.#send(event);
    if (offset !== undefined) this.#deliver(event, offset, packet);
  }

  /** Sends an event to all nodes. Returns the offset with which this one delivers it at once, if it does. */
  #send(event: EventItem): string | undefined {
    const isKept = !this.keepsNoStates && !event.target.flags.volatile;
    return this.#journal().addEvent(writeEvent(isKept ? EVENT : PASSING, event.target, event.parts), event);
  }

  /** @param packet - what was encoded, if that was here */
  #deliver({ target, parts }: EventItem, offset: string, packet?: Packet): void {
    // Most events for one socket are for one of another node. With a parser of the application, the offset costs more than all the rest.
    if (this.table.count(target.rooms) === 0) return;
    const encoded = this.keepsNoStates ? parts : this.#stamp(parts, offset);
    const { name } = this.nsp;
    if (packet === undefined) {
      this.send(new RemotePacket(name, this.#parser(), encoded), encoded, target);
    } else {
      const data = packet.data as unknown[];
      // A copy, because other namespaces may be given the same packet.
      this.send(
        { ...packet, nsp: name, data: this.keepsNoStates ? data : [...data, offset] },
        encoded,
        target,
      );
    }
  }

  #parser(): Parser {
    return this.nsp.server._parser ?? defaultParser;
  }

  /** Adds the offset to the arguments of an encoded event. */
  #stamp(parts: PacketParts, offset: string): PacketParts {
    const parser = this.#parser();
    const [text, ...attachments] = parts;
    // It is JSON, and ends with a list.
    if (parser === defaultParser) return [`${String(text).slice(0, -1)},"${offset}"]`, ...attachments];
    const packet = decodePacket(parser, parts);
    (packet.data as unknown[]).push(offset);
    return copyOf(this.nsp.server.encoder.encode(packet));
  }

  override addAll(id: SocketId, rooms: Set<Room>): Promise<void> | void {
    const joins = rooms.has(id) && !this.table.has(id, id);
    try {
      return super.addAll(id, rooms);
    } finally {
      // A listener may throw, or make the socket leave.
      if (joins && this.table.has(id, id)) this.#joined(id);
      else this.#changed(id);
    }
  }

  override del(id: SocketId, room: Room): void {
    try {
      super.del(id, room);
    } finally {
      this.#changed(id);
    }
  }

  override delAll(id: SocketId): void {
    try {
      super.delAll(id);
    } finally {
      if (this.nsp.sockets.get(id)?._gone === false) this.#changed(id);
      else this.#left(id);
    }
  }

  #joined(id: SocketId): void {
    if (this.keepsNoStates) return;
    const restoration = this.#resumed.get(id);
    this.#resumed.delete(id);
    const journal = this.#journal();
    if (restoration === undefined) {
      this.#states.joined(id, journal.isReady ? journal.offset : journal.sent, undefined);
    } else {
      const { received, had, takenAt } = restoration;
      // The missed events are only on their way. Until the client confirms more, its state starts where it was.
      const { epoch, id: position, publisher, seq } = received;
      this.#states.joined(id, formatOffset(epoch, position, publisher, seq), takenAt, had);
      this.#covered.set(id, had);
      journal.cover(id, had);
    }
    this.#parts.journaling.flushLater(journal);
  }

  #changed(id: SocketId): void {
    if (this.#states.changed(id)) this.#parts.journaling.flushLater(this.#journal());
  }

  #left(id: SocketId): void {
    const restoration = this.#resumed.get(id);
    this.#resumed.delete(id);
    if (restoration !== undefined) this.#open?.abandon(restoration);
    const covered = this.#covered.get(id);
    this.#covered.delete(id);
    if (covered !== undefined) this.#open?.uncover(id, covered);
    const change = this.#states.left(id);
    if (change !== undefined) this.#parts.journaling.change(change);
  }

  /** @returns a promise that is fulfilled once the state is kept, or cannot be */
  override persistSession(state: internals.LeavingState): unknown {
    const change = this.#states.leave(state);
    this.#lastLeave = change;
    if (change === undefined) return undefined;
    this.#parts.journaling.change(change);
    return this.#parts.journaling.written();
  }

  /** The client of a state has come back to another node, which has taken it over then. It may be here again. */
  #letGo(pid: string, at: number): string | undefined {
    this.#restoring.get(pid)?.revoke(at);
    this.#lastLeave = undefined;
    this.nsp._letGo(pid, (id) => this.#takenAt(id) > at);
    const leave: StateChange | undefined = this.#lastLeave;
    return leave !== undefined && (leave as StateChange).pid === pid
      ? (leave as StateChange).state
      : undefined;
  }

  /** When the state of a socket was taken over; 0 if it was not another's. */
  #takenAt(id: SocketId): number {
    return this.#resumed.get(id)?.takenAt ?? this.#states.takenAt(id);
  }

  /**
   * Takes over the state of a client that has come back, and finds what it has missed.
   *
   * @param offset - of the latest event that the client has received; undefined if it has received none
   * @returns null if the state is unknown or has expired, if an event that the client has missed is no longer kept, or if the
   * journal cannot be reached
   */
  override async restoreSession(pid: string, offset?: string): Promise<RestoredState> {
    const earlier = this.#restoring.get(pid);
    const restoring = new Takeover();
    this.#restoring.set(pid, restoring);
    try {
      if (earlier !== undefined) restoring.release = await earlier.giveWay();
      const restored = await this.#restore(pid, offset, restoring);
      // The type of the base class does not allow null.
      return (restoring.isWanted ? restored : null) as RestoredState;
    } finally {
      restoring.end();
      if (this.#restoring.get(pid) === restoring) this.#restoring.delete(pid);
    }
  }

  async #restore(
    pid: string,
    offset: string | undefined,
    restoring: Takeover,
  ): Promise<RestoredState | null> {
    const { journaling } = this.#parts;
    const journal = this.#journal();
    if (!(await journal.ready()) || journal.isBroken || !restoring.isWanted) return null;
    const taken = await journaling.take(journal, pid);
    // Without an answer, the state may be this node's.
    if (taken !== undefined || journaling.isAway) this.#states.wait(pid);
    if (taken === undefined) return null;
    restoring.takenAt = taken.takenAt;
    const { publisher, place, aliveAt } = taken;
    const isElsewhere = publisher !== journaling.publisher;
    if (isElsewhere) restoring.release = await journaling.release(journal.name, pid, taken);
    const { release } = restoring;
    const hasAll = await journal.reach(Math.max(place.id, release?.upTo ?? 0));
    if (!restoring.isWanted) return null;
    // What its node has said of it is newer than what it had written.
    const state = readState(pid, release?.state ?? taken.state);
    const received = receivedBy(state.start, offset, place.epoch, state.home);
    const isKnown = received !== undefined && received.id <= journal.place.id;
    if (!hasAll || !isKnown || place.epoch !== journal.epoch || journal.isBroken) return this.#refuse(pid);
    const had = hadWith(state.had, received);
    const restoration = await this.#find(journal, received, had, state.rooms, aliveAt, taken.takenAt);
    if (restoration === undefined || journal.isBroken || !restoring.isWanted) {
      if (restoration !== undefined) journal.abandon(restoration);
      return restoring.isWanted ? this.#refuse(pid) : null;
    }
    const earlier = this.#resumed.get(state.sid);
    if (earlier !== undefined) journal.abandon(earlier);
    this.#resumed.set(state.sid, restoration);
    return this.#restored(journal, state, restoration);
  }

  async #find(
    journal: NamespaceJournal,
    ...[received, had, rooms, aliveAt, takenAt]: Parameters<NamespaceJournal["restore"]>
  ): Promise<Restoration | undefined> {
    try {
      return await journal.restore(received, had, rooms, aliveAt - this.#blindTime, takenAt);
    } catch (error) {
      this.#parts.journaling.onAway(error);
      return undefined;
    }
  }

  /** The client begins anew. */
  #refuse(pid: string): null {
    this.#parts.journaling.change({
      namespace: this.nsp.name,
      pid,
      state: undefined,
      isNew: false,
      hasLeft: false,
    });
    return null;
  }

  #restored(
    journal: NamespaceJournal,
    { sid, pid, rooms, data, expiresAt }: internals.LeavingState,
    restoration: Restoration,
  ): RestoredState {
    const parser = this.#parser();
    let missed: PacketParts[] | undefined;
    const find = (): PacketParts[] =>
      journal.finish(restoration).map(({ event, offset }) => this.#stamp(event.parts, offset));
    return {
      sid,
      pid,
      rooms,
      data,
      ...(expiresAt === undefined ? {} : { expiresAt }),
      /** Read when the socket joins: includes what was sent until then. */
      get missedEncoded() {
        return (missed ??= find());
      },
      get missedPackets() {
        return (this.missedEncoded ?? []).map(
          (parts) => decodePacket(parser, parts as PacketParts).data as unknown[],
        );
      },
    };
  }
}

/** A state that this node takes over, and perhaps another one later, or this one for a later connection. */
class Takeover {
  /** When this node has; undefined until the journal has said so. */
  takenAt: number | undefined = undefined;
  /** What its former node has said of it, to this takeover or to one that has given way to it. */
  release: Release | undefined = undefined;
  #hasGivenWay = false;
  end!: () => void;
  readonly #ended: Promise<void> = new Promise((resolve) => (this.end = resolve));
  /** When another one has. */
  #revokedAt = 0;

  revoke(at: number): void {
    this.#revokedAt = Math.max(this.#revokedAt, at);
  }

  /** The client has come back on another connection. Resolves to what the former node of the state has said. */
  async giveWay(): Promise<Release | undefined> {
    this.#hasGivenWay = true;
    await this.#ended;
    return this.release;
  }

  /** Whether it is the last. */
  get isWanted(): boolean {
    return !this.#hasGivenWay && (this.takenAt === undefined || this.takenAt > this.#revokedAt);
  }
}

function completed({ rooms, except = new Set(), flags = {} }: BroadcastOptions): Target {
  return { rooms, except, flags };
}
