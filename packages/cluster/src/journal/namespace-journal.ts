import { randomUUID } from "node:crypto";
import { internals } from "@tidewire/server";
import type { Room, SocketId } from "socket.io-adapter";
import { Sequences } from "../broadcasting/sequences.ts";
import { assertNotLonger } from "../broadcasting/size.ts";
import { LinkError } from "../errors.ts";
import type { NodeId } from "../node-id.ts";
import { BEGIN, CAST, isFor, MOST_ITEM_BYTES, PASSING, readCast, readEvent, sizeOf } from "./items.ts";
import type { EventItem } from "./items.ts";
import { HeldBatches } from "./held-batches.ts";
import { EVENT } from "./journal.ts";
import type { ArrivedBatch, Journal, JournaledEvent, Place, PublisherId } from "./journal.ts";
import type { RelayedItems } from "./journal-links.ts";
import { LateEvents } from "./late-events.ts";
import { formatOffset, unknownOffset } from "./offset.ts";
import type { Had, Received } from "./offset.ts";
import { Outbox } from "./outbox.ts";
import type { OwnItems } from "./outbox.ts";
import { RecentItems } from "./recent-items.ts";
import { Restoration } from "./restoration.ts";
import type { KeptEvent } from "./restoration.ts";
import { Waiters } from "./waiters.ts";

const { RecoveryLog } = internals;

/** How long batches may be on their way to this node, in ms, before what is missing is read. */
const LAG = 100;

/** How long a restored client waits for them at most, in ms. */
const PATIENCE = 2000;

/** How exactly the age of events is known: a part of the time for which they are kept. */
const AGES = 16;

/** The node of a namespace, as its journal uses it. */
export interface JournalNode {
  readonly journal: Journal;
  readonly publisher: PublisherId;
  /** Whether the journal takes items. */
  readonly isUp: boolean;
  /** Whether it cannot be reached: items travel over links, and are not kept. */
  readonly isAway: boolean;
  /** Whether the server has closed. */
  readonly hasStopped: boolean;
  /** Fails if the journal takes too long. */
  call<T>(answer: Promise<T>): Promise<T>;
  /** The journal does not answer. */
  onAway(error: unknown): void;
  /** Calls `flush()` at the end of the tick. */
  flushLater(namespace: NamespaceJournal): void;
  /** Sends items to the other nodes over the links. */
  relay(namespace: string, first: number, items: readonly string[]): void;
  /** Sends items, which the journal gets, to the nodes that do not get them from there, or to one of them. */
  relayKept(namespace: string, first: number, items: readonly string[], to?: NodeId): void;
  /** Calls `renew()`, which says where the namespace is. */
  renewSoon(): void;
  /** Calls `resume()` of the journal: events are missing in it. */
  repair(namespace: NamespaceJournal): void;
  onGap(from: PublisherId, missed: number): void;
  /** Calls back once, after so many ms. */
  later(run: () => void, ms: number): void;
  rethrow(error: unknown): void;
}

/** What a namespace does with what arrives. */
export interface JournalReceiver {
  onEvent(event: EventItem, offset: string): void;
  onCast(from: NodeId, payload: Buffer): void;
}

export interface NamespaceJournalOptions {
  /** Whether this node delivers its own events when they come back, in the order in which all nodes do. */
  readonly isTotallyOrdered: boolean;
  /** The size of the events that are held in memory, in bytes. */
  readonly maxLogBytes: number;
  /** How long events are kept, in ms. */
  readonly window: number;
}

/**
 * The journal of one namespace on one node. It numbers and sends what this node has to say, follows what all nodes have said, and
 * holds the latest events in memory, where most of what a returning client has missed is found.
 */
export class NamespaceJournal {
  readonly name: string;
  readonly #node: JournalNode;
  readonly #receiver: JournalReceiver;
  readonly #options: NamespaceJournalOptions;
  #epoch = "";
  #birth = 0;
  #history = "";
  /** When the journal has last said something, by its time. */
  #latest = -Infinity;
  #log: internals.RecoveryLog<KeptEvent>;
  readonly #outbox: Outbox;
  /** Whether the other nodes know where the numbers of this one begin. */
  #hasBegun: boolean;
  readonly #recent: RecentItems = new RecentItems();
  readonly #heard: Sequences = new Sequences();
  /** Batches that have to wait for what is read before. */
  readonly #held: HeldBatches;
  #isFilling = false;
  /** How many events were sent that the journal does not have. */
  #lost = 0;
  /** Of how many the epochs have ended. */
  #repaired = 0;
  /** The ids of some events and their times, oldest first. */
  readonly #ages: { readonly id: number; readonly at: number }[] = [];
  /** What clients that were recovered here have received before. */
  readonly #late: LateEvents = new LateEvents();
  readonly #restorations: Set<Restoration> = new Set();
  /** Who waits until it is known where the namespace is. */
  readonly #unready: Waiters = new Waiters();
  /** Who waits for events, by their ids. */
  readonly #reaching: Waiters = new Waiters();

  /**
   * @param sent - the number of the latest item of an earlier journal of the namespace on this node, or a greater one
   * @param isExact - whether it is that number
   */
  constructor(
    name: string,
    node: JournalNode,
    receiver: JournalReceiver,
    options: NamespaceJournalOptions,
    sent: number = 0,
    isExact: boolean = true,
  ) {
    this.name = name;
    this.#hasBegun = isExact;
    this.#outbox = new Outbox(sent);
    this.#node = node;
    this.#receiver = receiver;
    this.#options = options;
    this.#log = new RecoveryLog(0, options.maxLogBytes);
    this.#held = new HeldBatches(options.maxLogBytes);
  }

  /** Whether it is known where the namespace is. */
  get isReady(): boolean {
    return this.#epoch !== "";
  }

  /** Whether events were sent that the journal does not have: nobody can be recovered before the next epoch. */
  get isLost(): boolean {
    return this.#lost > this.#repaired;
  }

  /** Whether nothing can be recovered at present. */
  get isBroken(): boolean {
    return !this.isReady || this.isLost || !this.#node.isUp;
  }

  get place(): Place {
    const { position: id } = this.#log;
    return { epoch: this.#epoch, birth: this.#birth, history: this.#history, origin: 0, id, at: 0 };
  }

  get epoch(): string {
    return this.#epoch;
  }

  /** The number of the latest item of this node. */
  get sent(): number {
    return this.#outbox.sent;
  }

  /** Up to this number, its items are with the journal, or never will be. */
  get appended(): number {
    return this.#outbox.appended;
  }

  /** How many events were sent that the journal does not have. */
  get lost(): number {
    return this.#lost;
  }

  /** What a client that is connected here has received, as its offset. */
  get offset(): string {
    return this.offsetAfter(this.#outbox.sent);
  }

  /** The same for a client that has none of the items which this node has sent after that one. */
  offsetAfter(sent: number): string {
    return this.#offset(this.#options.isTotallyOrdered ? this.#outbox.returned : sent);
  }

  #offset(seq: number): string {
    // Of events from before the epoch began, some may be missing.
    if (this.isBroken || this.#log.position < this.#birth) return unknownOffset(this.#epoch);
    return formatOffset(this.#epoch, this.#log.position, this.#node.publisher, seq);
  }

  /**
   * Sends an event to all nodes.
   *
   * @throws ClusterError (`TOO_LARGE`) if it has more than 16 MiB
   * @returns the offset with which this node delivers it, at once; undefined if it does so when the event comes back
   */
  addEvent(item: string, event: EventItem): string | undefined {
    this.#add(item, event);
    return this.#options.isTotallyOrdered ? undefined : this.#offset(this.#outbox.sent);
  }

  /** Sends another item to all nodes. */
  add(item: string): void {
    this.#add(item, undefined);
  }

  #add(item: string, event: EventItem | undefined): void {
    // It would wait until the server is attached again, and more with it each time.
    if (this.#node.hasStopped) return;
    assertNotLonger(item, MOST_ITEM_BYTES);
    if (!this.#hasBegun) {
      this.#hasBegun = true;
      this.#outbox.add(BEGIN, undefined);
    }
    this.#outbox.add(item, event);
    // Links send what is relayed in one tick together.
    if (this.#node.isAway) this.#relay();
    else this.#node.flushLater(this);
  }

  /** Gives the items of a tick to the journal. */
  flush(): void {
    if (!this.#node.isUp || !this.isReady) return;
    for (let next = this.#outbox.takeNext(); next !== undefined; next = this.#outbox.takeNext()) {
      void this.#append(next);
      const { first, items } = next;
      this.#recent.add(items, first);
      this.#node.relayKept(this.name, first, items);
    }
  }

  /** A node may have missed what was sent lately, and does not know it yet. */
  repeatTo(node: NodeId): void {
    const { first, items } = this.#recent.list();
    if (items.length > 0) this.#node.relayKept(this.name, first, items, node);
  }

  async #append({ first, items }: OwnItems): Promise<void> {
    const { journal } = this.#node;
    try {
      const batch = { namespace: this.name, first, items };
      const { id } = await this.#node.call(journal.append(batch, this.place, this.#oldest));
      this.#outbox.confirm(first + items.length - 1, id);
    } catch (error) {
      // Otherwise they were relayed meanwhile.
      if (first > this.#outbox.relayed) this.#node.onAway(error);
    }
  }

  /**
   * Waits until the journal has what was sent until now, or never will.
   *
   * @returns the id up to which this node's events reach
   */
  settled(): Promise<number> {
    return this.#outbox.settled();
  }

  /** The journal cannot be reached: what it may not have travels over the links. */
  onAway(): void {
    this.#relay();
  }

  #relay(): void {
    const own = this.#outbox.takeAll();
    const [first] = own;
    if (first !== undefined) {
      this.#node.relay(
        this.name,
        first.seq,
        own.map(({ item }) => item),
      );
      for (const { seq, item, event } of own) {
        if (event === undefined) continue;
        if (item.startsWith(EVENT)) this.#lose(event, this.#node.publisher, seq);
        if (this.#options.isTotallyOrdered) this.#deliver(event, unknownOffset(this.#epoch));
      }
    }
    this.#outbox.relayedAll();
  }

  /** An event was sent that the journal does not have, or may not have. */
  #lose(event: EventItem, publisher: PublisherId, seq: number): void {
    this.#lost++;
    const { position: id } = this.#log;
    for (const restoration of this.#restorations) {
      restoration.loose.push({ ...event, id: id + 1, publisher, seq, bytes: 0, at: 0 });
    }
    this.#node.repair(this);
  }

  /** Items that another node could not give to the journal, or that this one does not get from there. */
  onRelayed({ publisher, first, items, areKept }: RelayedItems): void {
    for (const [index, item] of items.entries()) {
      if (!this.#isNew(publisher, first + index, item)) continue;
      if (item.startsWith(CAST)) {
        this.#pass(item);
        continue;
      }
      // A later version may have others.
      if (!item.startsWith(EVENT) && !item.startsWith(PASSING)) continue;
      const event = readEvent(item);
      if (item.startsWith(EVENT) && !areKept) this.#lose(event, publisher, first + index);
      this.#deliver(this.#late.without(event, publisher, first + index), unknownOffset(this.#epoch));
    }
  }

  /** The journal has said where the namespace is. */
  onPlace(place: Place): void {
    if (!this.isReady) {
      this.#begin(place, place.id);
      this.#unready.wake(place.id);
      this.#node.flushLater(this);
    } else if (place.epoch === this.#epoch ? place.id > this.#log.position : place.at > this.#latest) {
      // Usually the batches that say so are under way.
      const { epoch } = this;
      this.#node.later(() => {
        if (this.epoch === epoch) this.#catchUp(place);
      }, LAG);
    }
    // They wait since something could not be read.
    this.#release();
  }

  /**
   * The journal goes on, in another epoch if events were lost.
   *
   * @param lost - how many were lost before
   */
  onResumed(place: Place, lost: number): void {
    this.#repaired = lost;
    this.onPlace(place);
    if (this.isLost) this.#node.repair(this);
  }

  #begin(place: Place, id: number): void {
    const { at } = place;
    this.#history = place.history;
    this.#enter(place);
    this.#log = new RecoveryLog(id, this.#options.maxLogBytes);
    this.#log.droppedUntil = at;
    this.#ages.length = 0;
  }

  /** Goes on in another epoch, of which this node has seen nothing yet. */
  #changeEpoch(place: Place): void {
    if (place.history !== this.#history) this.#begin(place, place.origin);
    // What was sent before it began may still have to arrive.
    else this.#enter(place);
  }

  #enter({ epoch, birth, at }: Place): void {
    this.#latest = at;
    this.#epoch = epoch;
    this.#birth = birth;
  }

  #catchUp(place: Place): void {
    if (place.epoch !== this.#epoch) {
      if (this.#isFilling || !this.#held.isEmpty) return;
      this.#changeEpoch(place);
    }
    if (place.id > this.#log.position) void this.#fill(place.id);
  }

  onBatch(batch: ArrivedBatch): void {
    if (!this.isReady || this.#isFilling || !this.#held.isEmpty) this.#held.add(batch);
    else this.#follow(batch);
  }

  #follow(batch: ArrivedBatch): void {
    const { after, publisher, first, items } = batch;
    if (after.epoch !== this.#epoch) {
      // It may have waited while another epoch began.
      if (after.at < this.#latest) return;
      this.#changeEpoch(after);
    }
    this.#latest = after.at;
    if (after.id > this.#log.position) {
      this.#held.putBack(batch);
      void this.#fill(after.id);
      return;
    }
    let { id } = after;
    for (const [index, item] of items.entries()) {
      const seq = first + index;
      if (!item.startsWith(EVENT)) this.#onPassing(publisher, seq, item);
      else if (++id > this.#log.position) this.#onEvent({ id, item, publisher, seq, at: after.at });
    }
    this.#note(after.at);
    this.#reaching.wake(this.#log.position);
  }

  #onEvent({ id, item, publisher, seq, at }: JournaledEvent): void {
    const isOwn = publisher === this.#node.publisher;
    const event = (isOwn ? this.#outbox.takeBack(seq)?.event : undefined) ?? readOrDrop(item);
    this.#log.append({ ...event, bytes: sizeOf(event), at, id, publisher, seq });
    if (isOwn ? this.#isTurnOf(seq) : this.#isNew(publisher, seq, item)) {
      this.#deliver(this.#late.without(event, publisher, seq), this.offset);
    }
  }

  #onPassing(publisher: PublisherId, seq: number, item: string): void {
    if (publisher === this.#node.publisher) {
      const own = this.#outbox.takeBack(seq);
      if (own?.event !== undefined && this.#isTurnOf(seq)) this.#deliver(own.event, this.offset);
    } else if (this.#isNew(publisher, seq, item)) {
      if (item.startsWith(PASSING)) {
        this.#deliver(this.#late.without(readOrDrop(item), publisher, seq), this.offset);
      }
      if (item.startsWith(CAST)) this.#pass(item);
    }
  }

  #isTurnOf(seq: number): boolean {
    return this.#options.isTotallyOrdered && seq > this.#outbox.relayed;
  }

  /** Whether an item of another node has not arrived before. Says how many before it have not. */
  #isNew(publisher: PublisherId, seq: number, item: string): boolean {
    const missed = this.#heard.accept(publisher, { epoch: 0, seq });
    if (missed !== undefined && missed > 0 && item !== BEGIN) this.#node.onGap(publisher, missed);
    return missed !== undefined;
  }

  #deliver(event: EventItem, offset: string): void {
    try {
      this.#receiver.onEvent(event, offset);
    } catch (error) {
      this.#node.rethrow(error);
    }
  }

  #pass(item: string): void {
    try {
      const { from, payload } = readCast(item);
      this.#receiver.onCast(from, payload);
    } catch (error) {
      // Whoever can reach the store can write into the channel.
      if (!(error instanceof LinkError)) this.#node.rethrow(error);
    }
  }

  /** Reads what has not arrived. Later batches wait meanwhile. */
  async #fill(until: number): Promise<void> {
    if (this.#isFilling) return;
    this.#isFilling = true;
    const epoch = this.#epoch;
    try {
      while (this.#log.position < until && this.#epoch === epoch) {
        const after = this.#log.position;
        const events = await this.#node.call(this.#node.journal.read(this.name, after, until));
        if (this.#epoch !== epoch || this.#log.position !== after) break;
        const first = events[0]?.id ?? until + 1;
        // It has dropped them already. What is missing is told when the next item of its node arrives.
        if (first > after + 1) this.#skipTo(first - 1, events[0]?.at ?? Date.now());
        for (const event of events) this.#onEvent(event);
      }
      this.#isFilling = false;
    } catch (error) {
      this.#isFilling = false;
      return this.#node.onAway(error);
    }
    this.#reaching.wake(this.#log.position);
    this.#release();
  }

  #skipTo(id: number, at: number): void {
    this.#log = new RecoveryLog(id, this.#options.maxLogBytes);
    this.#log.droppedUntil = at;
  }

  #release(): void {
    // One is put back if something before it is missing, which is read then.
    while (!this.#isFilling && this.isReady) {
      const batch = this.#held.take();
      if (batch === undefined) return;
      this.#follow(batch);
    }
  }

  /** Resolves once it is known where the namespace is, or to false if that takes too long. */
  ready(): Promise<boolean> {
    if (this.isReady) return Promise.resolve(true);
    this.#node.renewSoon();
    return this.#unready.wait(0, PATIENCE);
  }

  /** Resolves once this node has what was sent up to an id, or to false if that takes too long. */
  reach(id: number): Promise<boolean> {
    if (this.#log.position >= id) return Promise.resolve(true);
    this.#node.later(() => {
      if (this.#log.position < id) void this.#fill(id);
    }, LAG);
    return this.#reaching.wait(id, PATIENCE);
  }

  /**
   * Finds what a client has missed.
   *
   * @param had - what it has of the nodes on which it was
   * @param aliveAt - its connection was alive until then: earlier events that are no longer kept were received, or were for others
   * @param takenAt - when this node has taken its state over
   * @returns undefined if something that it has missed is no longer kept
   */
  async restore(
    received: Received,
    had: Had,
    rooms: readonly Room[],
    aliveAt: number,
    takenAt: number,
  ): Promise<Restoration | undefined> {
    const log = this.#log;
    if (received.id < this.#birth) return undefined;
    const restoration = new Restoration(received, had, rooms, takenAt);
    if (!log.reaches(received.id) && log.droppedUntil >= aliveAt) {
      const held = log.position - log.size;
      if (!(await this.#readInto(restoration, held, aliveAt))) return undefined;
      if (this.#log !== log || !log.reaches(held)) return undefined;
      restoration.take(log.between(held));
    } else {
      restoration.take(log.between(received.id));
    }
    restoration.follow(log);
    this.#restorations.add(restoration);
    return restoration;
  }

  /** Reads what this node does not hold any more, up to an id. */
  async #readInto(restoration: Restoration, until: number, aliveAt: number): Promise<boolean> {
    let after = restoration.received.id;
    while (after < until) {
      const events = await this.#node.call(this.#node.journal.read(this.name, after, until));
      const [first] = events;
      if (first === undefined || (first.id > after + 1 && first.at >= aliveAt)) return false;
      restoration.take(
        events
          .map(({ id, item, publisher, seq, at }) => ({
            ...readOrDrop(item),
            id,
            publisher,
            seq,
            at,
            bytes: 0,
          }))
          .filter(({ target }) => isFor(target, restoration.rooms)),
      );
      after = events.at(-1)!.id;
      aliveAt = -Infinity;
    }
    return true;
  }

  /** What a client has missed until now, with the offsets it gets. */
  finish(restoration: Restoration): { readonly event: EventItem; readonly offset: string }[] {
    this.#restorations.delete(restoration);
    const { received, had, loose } = restoration;
    const hasChanged = received.epoch !== this.#epoch;
    const missed = restoration.since().map((event) => ({
      event,
      offset: hasChanged
        ? unknownOffset(this.#epoch)
        : formatOffset(this.#epoch, event.id, received.publisher, received.seq),
    }));
    const add = (event: EventItem, offset: string): void => {
      if (isFor(event.target, restoration.rooms)) missed.push({ event: event as KeptEvent, offset });
    };
    if (restoration.log !== this.#log) {
      for (const event of this.#log.between(-Infinity)) add(event, unknownOffset(this.#epoch));
    }
    for (const event of restoration.missedOf(loose)) add(event, unknownOffset(this.#epoch));
    if (this.#options.isTotallyOrdered) return missed;
    const hadOfThis = had.get(this.#node.publisher) ?? 0;
    for (const { seq, item, event } of this.#outbox.own) {
      const hasIt = seq <= hadOfThis;
      if (event !== undefined && item.startsWith(EVENT) && !hasIt) add(event, this.#offset(seq));
    }
    return missed;
  }

  /** The client has not come after all. */
  abandon(restoration: Restoration): void {
    this.#restorations.delete(restoration);
  }

  /** A recovered client has joined, and has received something on other nodes. */
  cover(id: SocketId, had: Had): void {
    for (const [publisher, seq] of had) {
      if (publisher !== this.#node.publisher) this.#late.add(id, publisher, seq);
    }
  }

  /** It has left. */
  uncover(id: SocketId, had: Had): void {
    for (const publisher of had.keys()) this.#late.delete(id, publisher);
  }

  /** Takes note of how old events are. */
  #note(at: number): void {
    const ages = this.#ages;
    const { window } = this.#options;
    const last = ages.at(-1);
    if (last === undefined || at - last.at > window / AGES) ages.push({ id: this.#log.position, at });
    while (ages.length > 1 && ages[1]!.at < at - window) ages.shift();
  }

  /** The id up to which events are too old to be kept. */
  get #oldest(): number {
    const first = this.#ages[0];
    const last = this.#ages.at(-1);
    return first !== undefined && last!.at - first.at > this.#options.window ? first.id : 0;
  }

  /** Drops what is too old. */
  sweep(): void {
    this.#recent.drop();
    const last = this.#ages.at(-1);
    if (last !== undefined) this.#log.dropBefore(last.at - this.#options.window);
  }
}

/** An event that cannot be read is for nobody. */
function readOrDrop(item: string): EventItem {
  try {
    return readEvent(item);
  } catch {
    return nothing;
  }
}

const nothing: EventItem = {
  target: { rooms: new Set([randomUUID()]), except: new Set(), flags: {} },
  parts: [],
};
