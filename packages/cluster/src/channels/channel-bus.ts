import { randomBytes } from "node:crypto";
import type { Room } from "socket.io-adapter";
import { LinkBus } from "../broadcasting/link-bus.ts";
import type { Bus, BusHandlers, RoomInterest } from "../broadcasting/bus.ts";
import { MOST_BYTES } from "../broadcasting/size.ts";
import { ClusterError, LinkError } from "../errors.ts";
import { Kind } from "../link/kinds.ts";
import type { Link, Part } from "../link/link.ts";
import { PayloadWriter } from "../link/writer.ts";
import type { Members } from "../members.ts";
import type { NodeId } from "../node-id.ts";
import { Arrivals } from "./arrivals.ts";
import type { Channels } from "./channels.ts";
import { writeCopy } from "./link-copy.ts";
import { PartitionInterest } from "./partition-interest.ts";
import { channelOf, channelsOf, EVERYONE, toEveryone } from "./partitions.ts";
import { encodePublication, publicationSize } from "./publication.ts";
import { RecentPublications } from "./recent.ts";
import type { Published } from "./recent.ts";
import { mostInRun, Run, sizeInRun } from "./run.ts";

/** How long other nodes may take to subscribe to a partition, in ms. */
const SUBSCRIBING = 2000;

/** How long a message waits at most, in ms. */
const MOST_WAIT = 2;

/** A pause that ends a burst, in ms. */
const PAUSE = 1;

/** How many bytes wait at most. */
const MOST_WAITING = 64 * 1024;

/** Callbacks of a bus about its channels. */
export interface ChannelBusHandlers {
  /** The broker cannot be reached: broadcasts travel over the links. */
  onAway(error: ClusterError): void;
  onBack(): void;
}

export interface ChannelBusOptions {
  /** How long a partition without members stays subscribed to, in ms. */
  linger?: number;
  /** How long a message waits at most to leave with others, in ms. */
  patience?: number;
}

/**
 * The bus of nodes that publish on the channels of a broker: what is for one room reaches the nodes that have members in rooms of its
 * partition. Each node tells the others over the links whether it hears the channels; one that does not gets everything over its
 * link, and while the broker is away so do all. Replies always go over the links.
 *
 * A message leaves in its own tick, unless others leave just before and after it: while one tick after the other publishes, or the
 * broker has yet to take what was published before, messages wait for each other, and leave together, which costs both sides about as
 * much as one message. Order and numbers stay.
 */
export class ChannelBus implements Bus {
  readonly interest: RoomInterest;
  /** What the broker does not carry travels over the links. */
  readonly maxBytes: number = MOST_BYTES;
  readonly #members: Members;
  readonly #channels: Channels;
  readonly #handlers: ChannelBusHandlers;
  readonly #links: LinkBus;
  readonly #interest: PartitionInterest;
  /** 48 bits. */
  readonly #epoch: number = randomBytes(6).readUIntBE(0, 6);
  #arrivals!: Arrivals;
  readonly #writer: PayloadWriter = new PayloadWriter();
  readonly #run: Run = new Run();
  readonly #patience: number;
  /** Runs that have ended, in their order. */
  #ended: Published[] = [];
  #endedBytes = 0;
  #isFlushing = false;
  /** Whether somebody waits for an answer to what is published in this tick. */
  #isUrgent = false;
  /** Whether something was published since the last look. */
  #isFresh = false;
  /** When something that was published was last looked at, in ms. */
  #freshAt = -Infinity;
  /** Since when messages wait, in ms; undefined while none does. */
  #waitingSince: number | undefined = undefined;
  /** Whether messages wait for the broker. */
  #isWaiting = false;
  /** Whether a timer runs that ends a wait. */
  #isTimed = false;
  /** The number of the last message, by channel. */
  readonly #numbers: Float64Array = new Float64Array(EVERYONE + 1);
  /** How many messages went to several channels. */
  #copies = 0;
  readonly #recent: RecentPublications = new RecentPublications();
  /** Partitions that other nodes may be about to subscribe to, with the number of times that they were told to. */
  readonly #widened: Map<number, number> = new Map();
  /** Each time the channels are started, another one; undefined while they are not. */
  #session: object | undefined = undefined;
  #isAway = false;
  /** Whether this node publishes on the channels, and gets what the others publish there. */
  #hears = false;
  /** The nodes that hear the channels, of those that are linked. */
  readonly #hearing: Set<NodeId> = new Set();
  /** Subscriptions that do not hold yet, by channel. */
  readonly #unheld: Map<number, Unheld> = new Map();

  readonly #flush = (): void => {
    this.#isFlushing = false;
    const now = this.#members.loop.now();
    const isInBurst = this.#look(now);
    if (!this.#mayWait(now)) this.#release();
    else if (isInBurst) this.#waitForNextTick(now);
    else if (this.#channels.isBusy === true) this.#waitForBroker(now);
    else this.#release();
  };

  readonly #onWaited = (): void => {
    this.#isTimed = false;
    if (this.#isWaiting) this.#release();
  };

  constructor(
    members: Members,
    channels: Channels,
    handlers: ChannelBusHandlers,
    { linger, patience = MOST_WAIT }: ChannelBusOptions = {},
  ) {
    this.#patience = patience;
    this.#members = members;
    this.#channels = channels;
    this.#handlers = handlers;
    this.#links = new LinkBus(members);
    const subscriptions = {
      subscribe: (partition: number) => this.#subscribe(partition),
      unsubscribe: (partition: number) => this.#unsubscribe(partition),
    };
    this.interest = this.#interest = new PartitionInterest(members.loop, subscriptions, linger);
  }

  get self(): NodeId {
    return this.#links.self;
  }

  members(): Iterable<NodeId> {
    return this.#links.members();
  }

  reply(to: NodeId, parts: readonly Part[]): void {
    this.#links.reply(to, parts);
  }

  listen(handlers: BusHandlers): void {
    const members = this.#members;
    const { wanted } = this.#interest;
    this.#arrivals = new Arrivals(members.loop, handlers, {
      epoch: this.#epoch,
      isWanted: (channel) => channel === EVERYONE || wanted.has(channel),
    });
    this.#links.listen(handlers, this.#arrivals);
    members.handle(Kind.HEARING, { onMessage: (link, payload) => this.#onHearing(link, payload[0] === 1) });
    members.on("join", (_id, link) => this.#tell(link));
    members.on("leave", (id) => this.#hearing.delete(id));
  }

  /** Begins to use the channels, under the name of the cluster. */
  start(cluster: string): void {
    this.#session = {};
    this.#isAway = false;
    this.#channels.start(cluster, {
      onPublication: (channel, payload) => this.#onPublication(channel, payload),
      onAway: (error) => this.#onAway(error),
      onBack: () => this.#onBack(),
      onConfirmed: () => this.#onConfirmed(),
    });
    for (const channel of [EVERYONE, ...this.#interest.wanted]) this.#hold(channel);
  }

  /** Publishes what waits. It can start again. */
  stop(): Promise<void> {
    this.#release();
    this.#hears = false;
    this.#session = undefined;
    this.#allHold();
    return this.#channels.close();
  }

  publish(namespace: string, rooms: ReadonlySet<Room>, parts: readonly Part[]): void {
    let channels = channelsOf(namespace, rooms);
    if (this.#widened.size > 0 && channels.some((channel) => this.#widened.has(channel)))
      channels = toEveryone;
    const run = this.#run;
    if (run.count > 0 && !(isSame(channels, run.channels) && this.#fits(parts))) this.#endRun();
    if (run.count === 0) run.begin(channels);
    run.add(parts);
    this.#isFresh = true;
    this.#flushAtEnd();
  }

  /** Whether the broker carries the run with another message. */
  #fits(parts: readonly Part[]): boolean {
    const { size } = this.#run;
    const { maxBytes } = this.#channels;
    if (publicationSize(this.self, size + mostInRun(parts)) <= maxBytes) return true;
    return publicationSize(this.self, size + sizeInRun(parts)) <= maxBytes;
  }

  #flushAtEnd(): void {
    if (this.#isFlushing) return;
    this.#isFlushing = true;
    this.#members.loop.setImmediate(this.#flush);
  }

  hurry(): void {
    this.#isUrgent = true;
  }

  widen(namespace: string, rooms: Iterable<Room>): void {
    for (const room of rooms) {
      const channel = channelOf(namespace, room);
      if (channel === EVERYONE) continue;
      this.#widened.set(channel, (this.#widened.get(channel) ?? 0) + 1);
      this.#members.loop.setTimeout(() => {
        const times = this.#widened.get(channel)! - 1;
        if (times > 0) this.#widened.set(channel, times);
        else this.#widened.delete(channel);
      }, SUBSCRIBING);
    }
  }

  /** Returns whether what was published since the last look follows closely on what was published before: the next tick may publish, too. */
  #look(now: number): boolean {
    if (!this.#isFresh) return false;
    const pause = now - this.#freshAt;
    this.#isFresh = false;
    this.#freshAt = now;
    return pause < PAUSE;
  }

  #mayWait(now: number): boolean {
    if (!this.#hears || this.#isUrgent || this.#endedBytes + this.#run.size > MOST_WAITING) return false;
    return now - (this.#waitingSince ?? now) < this.#patience;
  }

  #waitForNextTick(now: number): void {
    this.#waitingSince ??= now;
    this.#flushAtEnd();
  }

  #waitForBroker(now: number): void {
    this.#waitingSince ??= now;
    this.#isWaiting = true;
    if (this.#isTimed) return;
    this.#isTimed = true;
    this.#members.loop.setTimeout(this.#onWaited, this.#patience - (now - this.#waitingSince));
  }

  #onConfirmed(): void {
    // Together with what is published in this tick.
    if (this.#isWaiting) this.#flushAtEnd();
  }

  /** All that was published leaves, in this order. */
  #release(): void {
    this.#isWaiting = this.#isUrgent = false;
    this.#waitingSince = undefined;
    this.#endRun();
    if (this.#ended.length === 0) return;
    const ended = this.#ended;
    this.#ended = [];
    this.#endedBytes = 0;
    for (const published of ended) this.#send(published);
  }

  /** What was published in a row becomes a publication. */
  #endRun(): void {
    const { channels, count, messages } = this.#run;
    if (count === 0) return;
    const firstCopy = channels.length === 1 ? 0 : this.#copies + 1;
    if (firstCopy > 0) this.#copies += count;
    for (const channel of channels) {
      const first = this.#numbers[channel]! + 1;
      this.#numbers[channel]! += count;
      const publication = { from: this.self, epoch: this.#epoch, first, count, firstCopy, messages };
      const payload = encodePublication(this.#writer, publication);
      this.#ended.push({ channel, payload });
      this.#endedBytes += payload.length;
    }
    this.#run.begin([]);
  }

  #send(published: Published): void {
    const { channel, payload } = published;
    const { peers, loop } = this.#members;
    const isCarried = this.#hears && payload.length <= this.#channels.maxBytes;
    if (isCarried) {
      this.#recent.add(published, loop.now());
      this.#channels.publish(channel, payload);
      if (this.#hearing.size === peers.size) return;
    }
    const parts = writeCopy(this.#writer, { channel, isRepeated: false, publication: payload });
    for (const link of peers.values()) {
      if (!isCarried || !this.#hearing.has(link.peer)) link.send(Kind.PUBLICATION, parts);
    }
  }

  /** What was published lately may not have arrived. */
  #repeat(links: readonly Link[]): void {
    for (const { channel, payload } of this.#recent.list(this.#members.loop.now())) {
      const parts = writeCopy(this.#writer, { channel, isRepeated: true, publication: payload });
      for (const link of links) link.send(Kind.PUBLICATION, parts);
    }
  }

  #onPublication(channel: number, payload: Buffer): void {
    try {
      this.#arrivals.accept(channel, payload, false);
    } catch (error) {
      // The broker does not say who has sent it, so there is no link to break.
      if (!(error instanceof LinkError)) throw error;
    }
  }

  #onAway(error: Error): void {
    this.#isAway = true;
    const heard = this.#hears;
    this.#hear(false);
    if (heard) this.#repeat([...this.#members.peers.values()]);
    // Until the broker is back, everything arrives over the links.
    this.#allHold();
    const isNamed = error instanceof ClusterError;
    this.#handlers.onAway(
      isNamed ? error : new ClusterError("CHANNELS_AWAY", error.message, { cause: error }),
    );
  }

  #onBack(): void {
    this.#isAway = false;
    this.#allHold();
    this.#hear(true);
    this.#handlers.onBack();
  }

  #hear(hears: boolean): void {
    if (this.#hears === hears) return;
    // What has been published before goes the way that it would have gone.
    this.#release();
    this.#hears = hears;
    for (const link of this.#members.peers.values()) this.#tell(link);
  }

  #tell(link: Link): void {
    link.send(Kind.HEARING, [
      this.#writer
        .begin()
        .u8(this.#hears ? 1 : 0)
        .end(),
    ]);
  }

  #onHearing(link: Link, hears: boolean): void {
    this.#release();
    if (hears) this.#hearing.add(link.peer);
    // While this node does not publish on channels, the links have carried everything.
    else if (this.#hearing.delete(link.peer) && this.#hears) this.#repeat([link]);
  }

  #subscribe(partition: number): Promise<void> | undefined {
    if (this.#session === undefined) return undefined;
    const { promise } = this.#hold(partition);
    // Until the others are told, they send everything over the links.
    return this.#hears ? promise : undefined;
  }

  #hold(channel: number): Unheld {
    const session = this.#session;
    const unheld = new Unheld();
    this.#unheld.set(channel, unheld);
    void this.#channels.subscribe(channel).then(() => {
      if (this.#session === session) this.#onHeld(channel, unheld);
    });
    return unheld;
  }

  #onHeld(channel: number, unheld: Unheld): void {
    unheld.end();
    if (this.#unheld.get(channel) === unheld) this.#unheld.delete(channel);
    // Channels that are away say so when they are back.
    if (this.#unheld.size === 0 && !this.#isAway) this.#hear(true);
  }

  #allHold(): void {
    for (const unheld of this.#unheld.values()) unheld.end();
    this.#unheld.clear();
  }

  #unsubscribe(partition: number): void {
    this.#arrivals.forget(partition);
    if (this.#session === undefined) return;
    this.#channels.unsubscribe(partition);
    const unheld = this.#unheld.get(partition);
    if (unheld !== undefined) this.#onHeld(partition, unheld);
  }
}

/** A subscription that does not hold yet. */
class Unheld {
  readonly promise: Promise<void>;
  /** It holds, or is not waited for any more. */
  end!: () => void;

  constructor() {
    this.promise = new Promise((resolve) => (this.end = resolve));
  }
}

function isSame(some: readonly number[], others: readonly number[]): boolean {
  if (some === others) return true;
  return some.length === others.length && some.every((channel, index) => channel === others[index]);
}
