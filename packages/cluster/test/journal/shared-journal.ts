import { randomBytes } from "node:crypto";
import type {
  ArrivedBatch,
  Batch,
  Journal,
  JournaledEvent,
  JournalHandlers,
  JournalSettings,
  Place,
  PublisherId,
  Renewal,
  StateChange,
  TakenState,
} from "../../src/journal/journal.ts";
import { EVENT } from "../../src/journal/journal.ts";

interface KeptState {
  readonly state: string;
  /** When it was last taken over. */
  readonly takenAt: number;
  /** When its socket left; 0 if it has not. */
  readonly left: number;
}

const newEpoch = (): string => randomBytes(6).toString("base64url");

/** What the journal in Redis keeps, in memory, with the same rules. */
export class JournalStore {
  readonly #places: Map<string, Omit<Place, "at">> = new Map();
  readonly #events: Map<string, JournaledEvent[]> = new Map();
  readonly #nodes: Map<PublisherId, number> = new Map();
  readonly #sent: Map<PublisherId, Map<string, number>> = new Map();
  /** By node and `<pid> <namespace>`. */
  readonly states: Map<PublisherId, Map<string, KeptState>> = new Map();
  /** By node and `<pid> <namespace>`: when others have taken over its states. */
  readonly #revoked: Map<PublisherId, Map<string, number>> = new Map();
  /** The marks of the states of nodes. */
  readonly #marks: Map<PublisherId, string> = new Map();
  readonly subscribers: Set<SharedJournal> = new Set();
  readonly #now: () => number;

  constructor(now: () => number) {
    this.#now = now;
  }

  /** It comes back with nothing in it. */
  clear(): void {
    const { states } = this;
    this.#marks.clear();
    for (const each of [this.#places, this.#events, this.#nodes, this.#sent, this.#revoked, states])
      each.clear();
  }

  #place(namespace: string, known: Place | undefined, isBroken: boolean): Place {
    const at = this.#now();
    const found = this.#places.get(namespace);
    const id = found?.id ?? 0;
    if (found === undefined) this.#events.delete(namespace);
    const isLost = found === undefined || (found.epoch === known?.epoch && id < known.id);
    const epoch = newEpoch();
    const { history, origin } = isLost ? { history: epoch, origin: id } : found;
    const place = isLost || isBroken ? { epoch, birth: id, history, origin, id } : found;
    this.#places.set(namespace, place);
    return { ...place, at };
  }

  append(publisher: PublisherId, { namespace, first, items }: Batch, known: Place): Place {
    const sent = this.#sent.get(publisher) ?? new Map<string, number>();
    this.#sent.set(publisher, sent);
    const last = sent.get(namespace);
    if (last !== undefined && first > last + 1) throw new Error("items are missing");
    const after = this.#place(namespace, known, false);
    const fresh = last === undefined ? items : items.slice(last + 1 - first);
    if (fresh.length === 0) return after;
    const from = first + items.length - fresh.length;
    const events = this.#events.get(namespace) ?? [];
    this.#events.set(namespace, events);
    let { id } = after;
    for (const [index, item] of fresh.entries()) {
      if (item.startsWith(EVENT)) events.push({ id: ++id, item, publisher, seq: from + index, at: after.at });
    }
    sent.set(namespace, first + items.length - 1);
    const place = { ...after, id };
    this.#places.set(namespace, place);
    this.#publish({ namespace, publisher, first: from, items: fresh, after });
    return place;
  }

  #publish(batch: ArrivedBatch): void {
    for (const subscriber of this.subscribers) subscriber.arrive((handlers) => handlers.onBatch(batch));
  }

  read(namespace: string, after: number, until: number): JournaledEvent[] {
    return (this.#events.get(namespace) ?? []).filter(({ id }) => id > after && id <= until);
  }

  /** Returns when others have taken over states of a node, by `<pid> <namespace>`. */
  revokedOf(publisher: PublisherId): Map<string, number> {
    const revoked = this.#revoked.get(publisher) ?? new Map<string, number>();
    this.#revoked.set(publisher, revoked);
    return revoked;
  }

  /** @param known - the mark of its states that the node knows */
  renew(
    publisher: PublisherId,
    namespaces: ReadonlyMap<string, Place>,
    known: string,
  ): Renewal & { mark: string } {
    this.#nodes.set(publisher, this.#now());
    const hasLostStates = this.#marks.get(publisher) !== known;
    const mark = hasLostStates ? newEpoch() : known;
    this.#marks.set(publisher, mark);
    const sent = this.#sent.get(publisher) ?? new Map<string, number>();
    for (const name of sent.keys()) if (!namespaces.has(name)) sent.delete(name);
    const places = new Map([...namespaces].map(([name, place]) => [name, this.#place(name, place, false)]));
    return { mark, hasLostStates, places };
  }

  resume(publisher: PublisherId, namespace: string, sent: number, isLost: boolean): Place {
    const place = this.#place(namespace, undefined, isLost);
    this.#sent.set(publisher, (this.#sent.get(publisher) ?? new Map<string, number>()).set(namespace, sent));
    if (isLost) this.#publish({ namespace, publisher, first: sent + 1, items: [], after: place });
    return place;
  }

  #statesOf(publisher: PublisherId): Map<string, KeptState> {
    const states = this.states.get(publisher) ?? new Map<string, KeptState>();
    this.states.set(publisher, states);
    return states;
  }

  write(publisher: PublisherId, changes: readonly StateChange[]): void {
    const states = this.#statesOf(publisher);
    for (const { namespace, pid, state, isNew, hasLeft } of changes) {
      const field = `${pid} ${namespace}`;
      const found = states.get(field);
      const mayBeNew = isNew && !this.revokedOf(publisher).has(field);
      const { takenAt = 0 } = found ?? {};
      if (state === undefined) states.delete(field);
      else if (found !== undefined || mayBeNew) {
        states.set(field, { state, takenAt, left: hasLeft ? this.#now() : 0 });
      }
    }
  }

  take(
    { publisher, maxDisconnectionDuration }: JournalSettings,
    namespace: string,
    pid: string,
    known: Place,
  ): TakenState | undefined {
    const field = `${pid} ${namespace}`;
    for (const [owner, renewed] of this.#nodes) {
      const states = this.states.get(owner);
      const kept = states?.get(field);
      if (states === undefined || kept === undefined) continue;
      const isOver = kept.left > 0 && this.#now() - kept.left > maxDisconnectionDuration;
      if (isOver || owner !== publisher) states.delete(field);
      if (isOver) return undefined;
      const takenAt = Math.max(this.#now(), kept.takenAt + 1);
      this.#statesOf(publisher).set(field, { ...kept, takenAt });
      if (owner !== publisher) this.revokedOf(owner).set(field, takenAt);
      this.revokedOf(publisher).delete(field);
      const aliveAt = kept.left > 0 ? kept.left : renewed;
      const place = this.#place(namespace, known, false);
      return { state: kept.state, publisher: owner, takenAt, aliveAt, place };
    }
    return undefined;
  }

  revoke(from: PublisherId, namespace: string, pid: string, at: number): void {
    for (const subscriber of this.subscribers) {
      if (subscriber.publisher === from)
        subscriber.arrive((handlers) => handlers.onRevoked(namespace, pid, at));
    }
  }
}

interface Command {
  run(): unknown;
  resolve(value: unknown): void;
  reject(error: unknown): void;
}

/** The way of one node to the store: commands and what is published, in order. It can stand still, and be lost. */
export class SharedJournal implements Journal {
  readonly lease: number = 15_000;
  readonly #store: JournalStore;
  readonly #receive: (task: () => void) => void;
  readonly #isResent: () => boolean;
  #settings: JournalSettings | undefined = undefined;
  #handlers: JournalHandlers | undefined = undefined;
  readonly #commands: Command[] = [];
  /** Replies and publications that are on their way to the node, and the command of a reply. */
  #held: { readonly task: () => void; readonly command?: Command }[] = [];
  #isStalled = false;
  #isLost = false;
  #mark = "";

  /**
   * @param receive - runs a task when the node reads what has come
   * @param isResent - whether a client sends a command again that was not answered before the connection was lost
   */
  constructor(store: JournalStore, receive: (task: () => void) => void, isResent: () => boolean) {
    this.#store = store;
    this.#receive = receive;
    this.#isResent = isResent;
  }

  get publisher(): PublisherId {
    return this.#settings?.publisher ?? "";
  }

  start(settings: JournalSettings, handlers: JournalHandlers): void {
    this.#settings = settings;
    this.#handlers = handlers;
    this.#subscribe();
  }

  #subscribe(): void {
    this.#store.subscribers.add(this);
    this.arrive((handlers) => handlers.onListening());
  }

  /** Something is published to this node. */
  arrive(tell: (handlers: JournalHandlers) => void): void {
    const handlers = this.#handlers;
    this.#pass({
      task: () => {
        if (handlers !== undefined && this.#handlers === handlers) tell(handlers);
      },
    });
  }

  #pass(arrival: { readonly task: () => void; readonly command?: Command }): void {
    if (this.#isStalled) this.#held.push(arrival);
    else this.#receive(arrival.task);
  }

  /** Nothing gets through any more, until it does. */
  stall(): void {
    this.#isStalled = true;
  }

  /** The connections are lost. New ones are made when it goes on. */
  lose(): void {
    if (this.#isLost || this.#handlers === undefined) return;
    const unanswered = this.#held.flatMap(({ command }) => (command === undefined ? [] : [command]));
    this.#held = [];
    this.#isLost = this.#isStalled = true;
    this.#store.subscribers.delete(this);
    for (const command of unanswered.toReversed()) {
      if (this.#isResent()) this.#commands.unshift(command);
      else this.#receive(() => command.reject(new Error("the connection was lost")));
    }
    const handlers = this.#handlers;
    this.#receive(() => handlers.onDeaf());
  }

  goOn(): void {
    if (!this.#isStalled) return;
    this.#isStalled = false;
    for (const { task } of this.#held.splice(0)) this.#receive(task);
    if (this.#isLost && this.#handlers !== undefined) this.#subscribe();
    this.#isLost = false;
    for (const command of this.#commands.splice(0)) this.#execute(command);
  }

  #run<T>(run: () => T): Promise<T> {
    return new Promise((resolve, reject) => {
      const command = { run, resolve: resolve as (value: unknown) => void, reject };
      // A client keeps what it cannot send.
      if (this.#isStalled) this.#commands.push(command);
      else setImmediate(() => (this.#isStalled ? this.#commands.push(command) : this.#execute(command)));
    });
  }

  #execute(command: Command): void {
    try {
      const value = command.run();
      this.#pass({ task: () => command.resolve(value), command });
    } catch (error) {
      this.#pass({ task: () => command.reject(error), command });
    }
  }

  append(batch: Batch, known: Place): Promise<Place> {
    return this.#run(() => this.#store.append(this.publisher, batch, known));
  }

  read(namespace: string, after: number, until: number): Promise<JournaledEvent[]> {
    return this.#run(() => this.#store.read(namespace, after, until));
  }

  renew(namespaces: ReadonlyMap<string, Place>): Promise<Renewal> {
    const known = this.#mark;
    return this.#run(() => {
      for (const [field, at] of this.#store.revokedOf(this.publisher)) this.#revoke(field, at);
      return this.#store.renew(this.publisher, namespaces, known);
    }).then((renewal) => {
      this.#mark = renewal.mark;
      return renewal;
    });
  }

  #revoke(field: string, at: number): void {
    const [pid = "", namespace = ""] = field.split(" ");
    this.arrive((handlers) => {
      handlers.onRevoked(namespace, pid, at);
      const revoked = this.#store.revokedOf(this.publisher);
      if (revoked.get(field) === at) revoked.delete(field);
    });
  }

  resume(namespace: string, sent: number, isLost: boolean): Promise<Place> {
    return this.#run(() => this.#store.resume(this.publisher, namespace, sent, isLost));
  }

  write(changes: readonly StateChange[]): Promise<void> {
    return this.#run(() => this.#store.write(this.publisher, changes));
  }

  take(namespace: string, pid: string, known: Place): Promise<TakenState | undefined> {
    return this.#run(() => this.#store.take(this.#settings!, namespace, pid, known));
  }

  revoke(from: PublisherId, namespace: string, pid: string, at: number): Promise<void> {
    return this.#run(() => this.#store.revoke(from, namespace, pid, at));
  }

  close(): Promise<void> {
    this.#store.subscribers.delete(this);
    this.#handlers = undefined;
    return Promise.resolve();
  }
}
