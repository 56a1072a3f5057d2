import { randomBytes } from "node:crypto";
import { ClusterError, internals } from "@tidewire/cluster";
import type { Announcement, Discovery, DiscoveryHandlers } from "@tidewire/cluster";
import type { NatsConnection, NatsMessage, NatsSubscription } from "./connection.ts";
import { read, write } from "./messages.ts";
import type { Notice } from "./messages.ts";
import type { Reachability } from "./reachability.ts";
import { Roster } from "./roster.ts";
import { subjectOf } from "./subjects.ts";

/** How long a node may take to say who is there, in ms; then another one is asked. */
const ANSWER_TIME = 500;

/** How many nodes are asked, one after another. */
const MOST_ASKED = 3;

export interface NatsDiscoveryOptions {
  connection: NatsConnection;
  reachability: Reachability;
  /** Of subjects. */
  prefix: string;
  /** In ms. */
  lease: number;
  /** How often a node says that it is there, in ms. */
  interval: number;
}

/**
 * Nodes find each other by what they say on a subject: where they are, again and again, and when they leave. Who comes asks one of the
 * others who is there; it is alone if NATS knows nobody who could answer. NATS stores nothing, and no clock counts: a lease is the time
 * since its node was heard.
 *
 *     <prefix>.<cluster>.nodes           notices, to all
 *     <prefix>.<cluster>.nodes.who       questions, of which NATS gives each to one node
 *     <prefix>.<cluster>.nodes.<token>   answers, and notices for one node
 *
 * Of two nodes with one id, that which has it keeps it. If both have just taken it, or have met after they were cut off from each other,
 * the one with the smaller epoch does.
 */
export class NatsDiscovery implements Discovery {
  readonly #connection: NatsConnection;
  readonly #reachability: Reachability;
  readonly #prefix: string;
  readonly #lease: number;
  readonly #interval: number;
  readonly #roster: Roster;
  #subject = "";
  #inbox = "";
  #handlers: DiscoveryHandlers | undefined = undefined;
  #self: Announcement | undefined = undefined;
  /** Whether the others have been told of `#self`. */
  #isAnnounced = false;
  /** When they were first told of it, in ms of `performance.now()`: they may object for a while. */
  #claimedAt = 0;
  /** A call of `announce()` has not returned. */
  #isAnnouncing = false;
  /** Who is there is known, so that this node may answer others. */
  #isKnowing = false;
  #subscriptions: NatsSubscription[] = [];
  #timer: NodeJS.Timeout | undefined = undefined;
  #beatAt = 0;
  #unwatch: (() => void) | undefined = undefined;
  /** Who waits for an answer. */
  readonly #asking: Set<() => void> = new Set();

  constructor({ connection, reachability, prefix, lease, interval }: NatsDiscoveryOptions) {
    this.#connection = connection;
    this.#reachability = reachability;
    this.#prefix = prefix;
    this.#lease = lease;
    this.#interval = interval;
    this.#roster = new Roster(lease);
  }

  start(cluster: string, handlers: DiscoveryHandlers): void {
    this.#subject = `${subjectOf(this.#prefix, cluster)}.nodes`;
    this.#inbox = `${this.#subject}.${randomBytes(12).toString("hex")}`;
    this.#handlers = handlers;
    this.#isKnowing = false;
    this.#roster.clear();
    this.#subscribe(this.#subject);
    this.#subscribe(this.#inbox);
    this.#beatAt = performance.now();
    // Of a process that was stopped, what the others have said meanwhile may be in the kernel.
    this.#timer = setInterval(() => internals.afterReading(() => this.#beat()), this.#interval).unref();
    this.#unwatch = this.#reachability.watch({
      onAway: (error) =>
        handlers.onAway(new ClusterError("DISCOVERY_AWAY", `NATS: ${error.message}`, { cause: error })),
      onBack: () => {
        handlers.onBack();
        this.#comeBack();
      },
    });
    this.refresh();
  }

  async announce(self: Announcement): Promise<boolean> {
    const previous = this.#self;
    if (previous !== undefined && previous.id !== self.id && this.#isAnnounced) this.#leave(previous);
    this.#self = self;
    this.#isAnnounced = false;
    this.#isAnnouncing = true;
    try {
      await this.#takeId(self);
      // Objections to the claim may come until it has been read.
      if (!(await this.#reachability.probe())) throw new Error("NATS cannot be reached");
      return this.#self !== undefined;
    } finally {
      this.#isAnnouncing = false;
    }
  }

  refresh(): void {
    void this.#look();
  }

  async close(): Promise<void> {
    const self = this.#isAnnounced ? this.#self : undefined;
    this.#handlers = undefined;
    this.#self = undefined;
    this.#isAnnounced = false;
    clearInterval(this.#timer);
    for (const subscription of this.#subscriptions.splice(0)) subscription.unsubscribe();
    const { isAway } = this.#reachability;
    this.#unwatch?.();
    this.#unwatch = undefined;
    if (self === undefined || isAway) return;
    this.#leave(self);
    await this.#reachability.probe();
  }

  #subscribe(subject: string, queue?: string): void {
    try {
      const subscription = this.#connection.subscribe(subject, {
        ...(queue === undefined ? {} : { queue }),
        callback: (error, message) => {
          if (this.#handlers === undefined) return;
          if (error !== null) this.#reachability.deny(error);
          else if (queue === undefined) this.#onMessage(message);
          else this.#onQuestion(message);
        },
      });
      this.#subscriptions.push(subscription);
    } catch {
      // The application has closed the connection.
    }
  }

  /** Takes the id, unless another node has it. */
  async #takeId(self: Announcement | undefined): Promise<void> {
    await this.#look();
    if (self === undefined || self !== this.#self || this.#reachability.isAway) return;
    if (this.#roster.isTaken(self)) return this.#lose();
    this.#isAnnounced = true;
    this.#claimedAt = performance.now();
    this.#say({ ...self, isClaim: true });
  }

  /** It has heard nobody for some time, nor has anybody heard it: its id may be another node's now. */
  #comeBack(): void {
    this.#isAnnounced = false;
    this.#roster.renewAll(performance.now());
    void this.#takeId(this.#self);
  }

  /** Learns who is there, and tells. */
  async #look(): Promise<void> {
    const handlers = this.#handlers;
    let isAnswered = false;
    for (let asked = 0; asked < MOST_ASKED && !isAnswered; asked++) isAnswered = await this.#ask();
    // Without an answer, NATS itself may be away.
    if (!isAnswered && !(await this.#reachability.probe())) return;
    if (this.#handlers !== handlers || handlers === undefined) return;
    if (!this.#isKnowing) {
      this.#isKnowing = true;
      this.#subscribe(`${this.#subject}.who`, "nodes");
    }
    this.#tell();
  }

  /** Asks one node who is there. Returns whether somebody has answered: that node, or NATS, that there is none. */
  #ask(): Promise<boolean> {
    return new Promise((resolve) => {
      const end = (isAnswered: boolean): void => {
        deadline.end();
        this.#asking.delete(answered);
        resolve(isAnswered);
      };
      const answered = (): void => end(true);
      const deadline = new internals.Deadline(ANSWER_TIME, () => end(false));
      this.#asking.add(answered);
      if (!this.#publish(`${this.#subject}.who`, "")) end(false);
    });
  }

  #onQuestion({ reply }: NatsMessage): void {
    if (reply === undefined) return;
    const nodes = this.#roster.acquaintances(performance.now());
    if (this.#self !== undefined && this.#isAnnounced) nodes.push({ ...this.#self, age: 0 });
    this.#publish(reply, write({ nodes }));
  }

  #onMessage({ data, reply }: NatsMessage): void {
    // NATS answers with an empty message for nobody.
    if (data.length === 0) return this.#onAnswer();
    const message = read(data);
    if (message === undefined) return;
    const now = performance.now();
    let hasChanged = false;
    if ("nodes" in message) {
      for (const node of message.nodes) {
        if (!this.#isSelf(node)) hasChanged = this.#roster.learn(node, now) || hasChanged;
      }
      this.#onAnswer();
    } else if (this.#isAnnounced && message.id === this.#self?.id) {
      if (message.address !== "" && message.epoch !== this.#self.epoch) this.#onRival(message);
    } else {
      hasChanged = this.#roster.hear(message, now);
      if (message.isClaim && reply !== undefined) this.#greet(reply);
    }
    if (hasChanged) this.#tell();
  }

  #onAnswer(): void {
    for (const answered of this.#asking) answered();
  }

  /** One who has come learns of this node. */
  #greet(inbox: string): void {
    if (this.#self !== undefined && this.#isAnnounced)
      this.#publish(inbox, write({ ...this.#self, isClaim: false }));
  }

  /** Another node has said that it has the id of this one. */
  #onRival(rival: Notice): void {
    const self = this.#self;
    if (self === undefined) return;
    const isFirst = rival.isClaim === this.#isClaiming ? self.epoch < rival.epoch : rival.isClaim;
    if (isFirst) return this.#say({ ...self, isClaim: false });
    this.#roster.hear(rival, performance.now());
    this.#lose();
  }

  /** Another node has the id. */
  #lose(): void {
    this.#self = undefined;
    this.#isAnnounced = false;
    if (!this.#isAnnouncing) this.#handlers?.onTaken();
  }

  /** Says that this node is there, and forgets those that do not. */
  #beat(): void {
    const now = performance.now();
    const hasSlept = now - this.#beatAt >= this.#lease;
    this.#beatAt = now;
    if (this.#reachability.isAway) return;
    if (hasSlept) return this.#comeBack();
    const self = this.#isAnnounced ? this.#self : undefined;
    if (self !== undefined) this.#say({ ...self, isClaim: this.#isClaiming });
    this.#roster.lapse(now);
    this.#tell();
  }

  #tell(): void {
    if (this.#isKnowing && !this.#reachability.isAway) this.#handlers?.onNodes(this.#roster.nodes());
  }

  get #isClaiming(): boolean {
    return performance.now() - this.#claimedAt < this.#interval;
  }

  #isSelf({ id, epoch }: Announcement): boolean {
    return this.#self?.id === id && this.#self.epoch === epoch;
  }

  #say(notice: Notice): void {
    this.#publish(this.#subject, write(notice));
  }

  #leave(self: Announcement): void {
    this.#say({ ...self, address: "", isClaim: false });
  }

  /** @returns false if NATS cannot be reached */
  #publish(subject: string, message: string): boolean {
    if (this.#reachability.isAway) return false;
    try {
      this.#connection.publish(subject, message, { reply: this.#inbox });
      return true;
    } catch {
      return false;
    }
  }
}
