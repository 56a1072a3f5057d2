import { randomBytes } from "node:crypto";
import { answerWithin, Deadline } from "../deadline.ts";
import { ClusterError } from "../errors.ts";
import type { Members } from "../members.ts";
import type { NodeId } from "../node-id.ts";
import { JournalLinks } from "./journal-links.ts";
import { CAST, readCast } from "./items.ts";
import type {
  ArrivedBatch,
  Journal,
  JournalSettings,
  PublisherId,
  Renewal,
  StateChange,
  TakenState,
} from "./journal.ts";
import { NamespaceJournal } from "./namespace-journal.ts";
import type { JournalNode, JournalReceiver, NamespaceJournalOptions } from "./namespace-journal.ts";
import type { SessionStates } from "./session-states.ts";

/** How long an answer of the journal may take before it counts as away, in ms. */
const PATIENCE = 2000;

/** How often a journal that is away is asked whether it is back, in ms. */
const PROBE_INTERVAL = 500;

/** How often epochs end at most while another node cannot reach the journal, in ms. */
const REPAIR_INTERVAL = 1000;

/** How many times a node says that it lives within the time of a lease. */
const RENEWALS = 3;

/** Callbacks of the journal of a server. */
export interface JournalingHandlers {
  onAway(error: Error): void;
  onBack(): void;
  /** Messages of another node are missing. */
  onGap(from: NodeId, missed: number): void;
}

/** A namespace, as the other nodes reach it. */
export interface JournaledNamespace extends JournalReceiver {
  readonly states: SessionStates;
  /** Another node has taken over a state, then. Returns the state as it is, if it is here, unless it was taken over later. */
  letGo(pid: string, takenAt: number): string | undefined;
}

interface OpenNamespace {
  readonly journal: NamespaceJournal;
  readonly namespace: JournaledNamespace;
}

type Settings = Pick<JournalSettings, "maxDisconnectionDuration" | "blindTime">;

/**
 * The journal of a server: gives it what all namespaces have to say, once per tick, and says that this node lives. While the journal
 * is away, the other nodes get events over the links, and nobody is recovered.
 */
export class Journaling implements JournalNode {
  readonly journal: Journal;
  readonly publisher: PublisherId = randomBytes(6).toString("base64url");
  readonly #members: Members;
  readonly #handlers: JournalingHandlers;
  readonly #links: JournalLinks;
  readonly #namespaces: Map<string, OpenNamespace> = new Map();
  /** The number of the latest item of namespaces that were closed, until the journal has heard of that. */
  readonly #closed: Map<string, number> = new Map();
  /** The greatest of those numbers that are forgotten. A namespace that is opened again goes on above it. */
  #forgotten = 0;
  /** States of namespaces that are closed, which wait for their clients. */
  readonly #waiting: Map<string, SessionStates> = new Map();
  /** In the order in which they have happened. */
  #changes: Map<string, StateChange> = new Map();
  /** Those that the journal was given and may not have, by key. */
  readonly #uncertain: Set<string> = new Set();
  #isWriting = false;
  /** Who waits until the changes are written, or cannot be. */
  #writtenWaiters: (() => void)[] = [];
  readonly #due: Set<NamespaceJournal> = new Set();
  #isFlushing = false;
  #mode: "stopped" | "starting" | "up" | "away" | "returning" = "stopped";
  /** Says how long states and events are kept; it is asked when the journal starts. */
  settings: () => Settings = () => ({ maxDisconnectionDuration: 0, blindTime: 0 });
  /** Called with messages of broadcasting for a namespace that this node does not have. */
  onForeignCast: (from: NodeId, payload: Buffer) => void = ignore;
  /** How many times it has started. */
  #starts = 0;
  /** Whether batches arrive. */
  #isListening = false;
  /** Whether the application was told that the journal is away. */
  #hasToldAway = false;
  #isRenewing = false;
  #isRenewalDue = false;
  /** Whether the states are gone from the journal, and were not written again. */
  #hasLostStates = false;
  readonly #repairing: Set<NamespaceJournal> = new Set();
  #onStarted: (() => void) | undefined = undefined;

  constructor(journal: Journal, members: Members, handlers: JournalingHandlers) {
    this.journal = journal;
    this.#members = members;
    this.#handlers = handlers;
    this.#links = new JournalLinks(members, this.publisher, {
      onRelayed: (name, relayed) => {
        const open = this.#namespaces.get(name);
        if (open === undefined) this.#passForeign(relayed.items);
        else open.journal.onRelayed(relayed);
      },
      onDeaf: (node) => {
        for (const { journal } of this.#namespaces.values()) journal.repeatTo(node);
      },
      onLetGo: (name, pid, at) => this.#letGo(name, pid, at),
    });
  }

  get isUp(): boolean {
    return this.#mode === "up";
  }

  get isAway(): boolean {
    return this.#mode === "away";
  }

  get hasStopped(): boolean {
    return this.#mode === "stopped" && this.#starts > 0;
  }

  get #isReturning(): boolean {
    return this.#mode === "returning";
  }

  /** Begins to use the journal. Fulfilled once it can be used, or cannot be reached; never rejected. */
  start(cluster: string): Promise<void> {
    this.#mode = "starting";
    const started = new Promise<void>((resolve) => (this.#onStarted = resolve));
    const { publisher } = this;
    this.journal.start(
      { cluster, publisher, ...this.settings() },
      {
        onBatch: (batch) => this.#onBatch(batch),
        onRevoked: (name, pid, at) => void this.#namespaces.get(name)?.namespace.letGo(pid, at),
        onListening: () => {
          this.#isListening = true;
          this.renewSoon();
        },
        onDeaf: () => (this.#isListening = false),
      },
    );
    const start = ++this.#starts;
    new Deadline(PATIENCE, () => {
      if (this.#mode === "starting" && this.#starts === start) this.onAway(lateError());
    });
    this.#beatLater(start);
    return started;
  }

  #beatLater(start: number): void {
    this.later(() => {
      if (this.#mode === "stopped" || this.#starts !== start) return;
      this.#beat();
      this.#beatLater(start);
    }, this.journal.lease / RENEWALS);
  }

  #onBatch(batch: ArrivedBatch): void {
    const open = this.#namespaces.get(batch.namespace);
    if (open !== undefined) open.journal.onBatch(batch);
    else if (batch.publisher !== this.publisher) this.#passForeign(batch.items);
  }

  /** Whoever asks wants to know that the namespace is not here. */
  #passForeign(items: readonly string[]): void {
    for (const item of items) {
      if (!item.startsWith(CAST)) continue;
      const { from, payload } = readCast(item);
      this.#tell(() => this.onForeignCast(from, payload));
    }
  }

  /** What has been sent is kept. */
  async stop(): Promise<void> {
    if (this.#mode === "stopped") return;
    const written = this.#allWritten();
    this.#flush();
    await written;
    this.#mode = "stopped";
    this.#onStarted?.();
    this.#isListening = false;
    await this.journal.close();
  }

  open(name: string, namespace: JournaledNamespace, options: NamespaceJournalOptions): NamespaceJournal {
    const earlier = this.#namespaces.get(name);
    const sent = earlier?.journal.sent ?? this.#closed.get(name);
    const isExact = sent !== undefined || this.#forgotten === 0;
    const journal = new NamespaceJournal(name, this, namespace, options, sent ?? this.#forgotten, isExact);
    this.#namespaces.set(name, { journal, namespace });
    this.#closed.delete(name);
    namespace.states.adopt(earlier?.namespace.states ?? this.#waiting.get(name));
    this.#waiting.delete(name);
    this.renewSoon();
    return journal;
  }

  /** Sends an item to the nodes that have the namespace. */
  add(namespace: string, item: string): void {
    this.#namespaces.get(namespace)?.journal.add(item);
  }

  /** What it has sent is kept. */
  async close(journal: NamespaceJournal): Promise<void> {
    const written = this.#allWritten();
    this.#flush();
    if (this.isUp) await Promise.all([written, journal.settled()]);
    const { name } = journal;
    const open = this.#namespaces.get(name);
    if (open?.journal !== journal) return;
    this.#namespaces.delete(name);
    this.#closed.set(name, journal.sent);
    this.#waiting.set(name, open.namespace.states);
  }

  /** How many namespaces that are closed are remembered. */
  get closedNamespaces(): number {
    return this.#closed.size + this.#waiting.size;
  }

  /** The journal has heard that namespaces are closed, and does not expect their next numbers. */
  #forget(closed: ReadonlyMap<string, number>): void {
    for (const [name, sent] of closed) {
      if (this.#closed.get(name) !== sent) continue;
      this.#closed.delete(name);
      this.#forgotten = Math.max(this.#forgotten, sent);
    }
  }

  call<T>(answer: Promise<T>): Promise<T> {
    return answerWithin(answer, PATIENCE);
  }

  flushLater(journal: NamespaceJournal): void {
    this.#due.add(journal);
    this.#flushAtEnd();
  }

  #flushAtEnd(): void {
    if (this.#isFlushing) return;
    this.#isFlushing = true;
    this.#members.loop.setImmediate(() => this.#flush());
  }

  #flush(): void {
    this.#isFlushing = false;
    const due = [...this.#due];
    this.#due.clear();
    for (const journal of due) {
      journal.flush();
      const open = this.#namespaces.get(journal.name);
      if (open?.journal === journal && journal.isReady) {
        const offsetAfter = (sent: number): string => journal.offsetAfter(sent);
        for (const change of open.namespace.states.changes(offsetAfter)) this.#addChange(change);
      }
    }
    if (!this.#isWriting) void this.#writeChanges();
  }

  /** Writes a change of a state at the end of the tick. */
  change(change: StateChange): void {
    this.#addChange(change);
    this.#flushAtEnd();
  }

  /** Resolves once the changes of this tick are written, or cannot be. */
  written(): Promise<void> {
    this.#flushAtEnd();
    return this.#allWritten();
  }

  /** Before a flush: resolves once the changes that are there then are written, or cannot be. */
  #allWritten(): Promise<void> {
    return new Promise((resolve) => this.#writtenWaiters.push(resolve));
  }

  #addChange(change: StateChange): void {
    const key = keyOf(change);
    const earlier = this.#changes.get(key);
    this.#changes.delete(key);
    // The journal has never heard of it.
    if (earlier?.isNew && change.state === undefined && !this.#uncertain.has(key)) return;
    this.#changes.set(key, earlier === undefined ? change : merge(earlier, change));
  }

  /** One write after the other: what could not be written is older than all that has changed since. */
  async #writeChanges(): Promise<void> {
    const waiters = this.#writtenWaiters.splice(0);
    if (this.#changes.size > 0 && this.isUp) {
      const changes = this.#changes;
      this.#changes = new Map();
      this.#isWriting = true;
      await this.#write(changes);
      this.#isWriting = false;
      // Others have come meanwhile.
      if (this.#changes.size > 0 || this.#writtenWaiters.length > 0) this.#flushAtEnd();
    }
    for (const resolve of waiters) resolve();
  }

  async #write(changes: Map<string, StateChange>): Promise<void> {
    try {
      await this.call(this.journal.write([...changes.values()]));
      if (this.#uncertain.size > 0) for (const key of changes.keys()) this.#uncertain.delete(key);
    } catch (error) {
      const later = this.#changes;
      this.#changes = changes;
      for (const key of changes.keys()) this.#uncertain.add(key);
      for (const change of later.values()) this.#addChange(change);
      this.onAway(error);
    }
  }

  /** Takes over the state of a client that has come back, if there is one. */
  async take(journal: NamespaceJournal, pid: string): Promise<TakenState | undefined> {
    try {
      return await this.call(this.journal.take(journal.name, pid, journal.place));
    } catch (error) {
      this.onAway(error);
      return undefined;
    }
  }

  /**
   * Lets the node which had a state let go of its socket.
   *
   * @returns undefined if that node has died, or does not answer; it is told when it goes on
   */
  async release(
    namespace: string,
    pid: string,
    { publisher, takenAt }: TakenState,
  ): Promise<{ upTo: number; state: string | undefined } | undefined> {
    const released = await this.#links.release(publisher, namespace, pid, takenAt);
    if (released === undefined) {
      this.call(this.journal.revoke(publisher, namespace, pid, takenAt)).catch((error: unknown) =>
        this.onAway(error),
      );
    }
    return released;
  }

  async #letGo(name: string, pid: string, at: number): Promise<{ upTo: number; state: string | undefined }> {
    const open = this.#namespaces.get(name);
    if (open === undefined) return { upTo: 0, state: undefined };
    const state = open.namespace.letGo(pid, at);
    return { state, upTo: await open.journal.settled() };
  }

  relayKept(namespace: string, first: number, items: readonly string[], to?: NodeId): void {
    this.#links.relayKept(namespace, first, items, to);
  }

  relay(namespace: string, first: number, items: readonly string[]): void {
    this.#links.relay(namespace, first, items);
  }

  onGap(from: PublisherId, missed: number): void {
    this.#tell(() => this.#handlers.onGap(this.#links.nodeOf(from) ?? from, missed));
  }

  /** Calls the application. */
  #tell(call: () => void): void {
    try {
      call();
    } catch (error) {
      this.rethrow(error);
    }
  }

  later(run: () => void, ms: number): void {
    this.#members.loop.setTimeout(run, ms);
  }

  rethrow(error: unknown): void {
    this.#members.loop.rethrow(error);
  }

  renewSoon(): void {
    if (this.#mode === "stopped") return;
    if (this.#isRenewing) this.#isRenewalDue = true;
    else void this.#renew();
  }

  /** Says that this node lives, and writes what has changed without notice. */
  #beat(): void {
    const oldest = Date.now() - this.settings().maxDisconnectionDuration;
    for (const { journal, namespace } of this.#namespaces.values()) {
      journal.sweep();
      namespace.states.lookAgain();
      for (const change of namespace.states.expired(oldest)) this.#addChange(change);
      this.flushLater(journal);
    }
    for (const [name, states] of this.#waiting) {
      for (const change of states.expired(oldest)) this.#addChange(change);
      if (!states.areWaiting) this.#waiting.delete(name);
    }
    this.#flushAtEnd();
    this.renewSoon();
  }

  async #renew(): Promise<void> {
    this.#isRenewing = true;
    this.#isRenewalDue = false;
    const opened = [...this.#namespaces];
    const closed = new Map(this.#closed);
    try {
      const places = new Map(opened.map(([name, { journal }]) => [name, journal.place]));
      const answer = this.journal.renew(places).then((renewal) => {
        // It says so once, and may say it too late.
        if (renewal.hasLostStates) this.#hasLostStates = true;
        return renewal;
      });
      const renewal = await this.call(answer);
      this.#forget(closed);
      if (this.#mode !== "stopped") await this.#onRenewed(renewal);
    } catch (error) {
      this.onAway(error);
    }
    this.#isRenewing = false;
    if (this.#isRenewalDue) this.renewSoon();
  }

  async #onRenewed({ places }: Renewal): Promise<void> {
    // What is sent now would be missing here.
    if (!this.isUp && !this.#isListening) return;
    if (this.isAway) await this.#return();
    else if (this.#mode === "starting") this.#mode = "up";
    for (const [name, place] of places) this.#namespaces.get(name)?.journal.onPlace(place);
    this.#onStarted?.();
    const hasLostStates = this.#hasLostStates;
    this.#hasLostStates = false;
    for (const { journal, namespace } of this.#namespaces.values()) {
      if (hasLostStates) namespace.states.rewrite();
      this.flushLater(journal);
    }
  }

  /** Goes on with the journal. Items wait meanwhile. */
  async #return(): Promise<void> {
    this.#mode = "returning";
    // What comes from the journal must not overtake what is still on its way over the links.
    await this.#links.arrived();
    for (const { journal } of this.#namespaces.values()) await this.#resume(journal);
    if (!this.#isReturning) return;
    this.#mode = "up";
    this.#links.isDeaf = false;
    this.#hasToldAway = false;
    this.#tell(() => this.#handlers.onBack());
  }

  async #resume(journal: NamespaceJournal): Promise<void> {
    const { lost } = journal;
    if (journal.appended === 0 && !journal.isLost) return;
    const place = await this.call(this.journal.resume(journal.name, journal.appended, journal.isLost));
    journal.onResumed(place, lost);
  }

  onAway(reason: unknown): void {
    if (this.isAway || this.#mode === "stopped") return;
    this.#mode = "away";
    this.#links.isDeaf = true;
    const error = reason instanceof Error ? reason : new Error(String(reason));
    if (!this.#hasToldAway) {
      this.#hasToldAway = true;
      const told = new ClusterError("JOURNAL_AWAY", error.message, { cause: error });
      this.#tell(() => this.#handlers.onAway(told));
    }
    this.#onStarted?.();
    for (const { journal } of this.#namespaces.values()) journal.onAway();
    this.#probe();
  }

  #probe(): void {
    this.later(() => {
      if (!this.isAway) return;
      this.renewSoon();
      this.#probe();
    }, PROBE_INTERVAL);
  }

  repair(journal: NamespaceJournal): void {
    if (this.#repairing.has(journal)) return;
    this.#repairing.add(journal);
    // At once, and then not again for a while.
    this.#members.loop.setImmediate(() => void this.#repair(journal));
    this.later(() => {
      this.#repairing.delete(journal);
      if (journal.isLost && this.isUp) this.repair(journal);
    }, REPAIR_INTERVAL);
  }

  async #repair(journal: NamespaceJournal): Promise<void> {
    // When it is back, it is repaired.
    if (!this.isUp || !journal.isLost) return;
    try {
      await this.#resume(journal);
    } catch (error) {
      this.onAway(error);
    }
  }
}

function keyOf({ namespace, pid }: StateChange): string {
  return `${pid} ${namespace}`;
}

function merge(earlier: StateChange, later: StateChange): StateChange {
  return earlier.isNew && later.state !== undefined ? { ...later, isNew: true } : later;
}

function lateError(): Error {
  return new Error(`no answer for ${PATIENCE} ms`);
}

function ignore(): void {}
