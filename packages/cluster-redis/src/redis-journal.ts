import { randomBytes } from "node:crypto";
import type {
  ArrivedBatch,
  Batch,
  Journal,
  JournaledEvent,
  JournalHandlers,
  JournalSettings,
  Place,
  Renewal,
  StateChange,
  TakenState,
} from "@tidewire/cluster";
import type { RedisDriver, Subscriber } from "./driver/driver.ts";
import { APPEND, READ, RENEW, RESUME, TAKE, WRITE } from "./journal-scripts.ts";

/** How many events are read at a time. */
const READ_AT_ONCE = 1000;

/** How long after a connection could not subscribe it does so again, in ms. */
const RETRY_INTERVAL = 500;

/** How a revocation begins, and no batch does. */
const BRACKET = "[".charCodeAt(0);

/** A state was taken over from a node. */
type Revocation = [from: string, namespace: string, pid: string, at: number];

/**
 * The journal in Redis. A counter, a stream of events and a channel for each cluster are on one server, and one script counts, keeps
 * and publishes: who listens gets everything in the order of the ids.
 */
export class RedisJournal implements Journal {
  readonly lease: number;
  readonly #driver: RedisDriver;
  readonly #prefix: string;
  readonly #maxEvents: number;
  #key = "";
  #settings: JournalSettings | undefined = undefined;
  #handlers: JournalHandlers | undefined = undefined;
  #subscriber: Subscriber | undefined = undefined;
  #timer: NodeJS.Timeout | undefined = undefined;
  /** What the states of this node in Redis are marked with; with another mark, or without one, they were lost. */
  #mark = "";
  /** The states of which this node has been told that others have taken them over: for each, its field and when. */
  #told: readonly string[] = [];

  /**
   * @param prefix - of the keys and channels
   * @param lease - in ms
   * @param maxEvents - how many events of a namespace are kept
   */
  constructor(driver: RedisDriver, prefix: string, lease: number, maxEvents: number) {
    this.#driver = driver;
    this.#prefix = prefix;
    this.lease = lease;
    this.#maxEvents = maxEvents;
  }

  start(settings: JournalSettings, handlers: JournalHandlers): void {
    // The braces keep what belongs together in one slot of Redis Cluster.
    this.#key = `${this.#prefix}:{${settings.cluster}}:journal`;
    this.#settings = settings;
    this.#handlers = handlers;
    this.#told = [];
    this.#listen();
  }

  get #channel(): string {
    return `${this.#key}:batches`;
  }

  #listen(): void {
    const handlers = this.#handlers;
    const subscriber = this.#driver.openSubscriber(
      {
        onMessage: (_channel, payload) => {
          if (this.#handlers === handlers) this.#onMessage(payload);
        },
        onOpen: () => void this.#subscribe(subscriber),
        onClose: () => {
          if (this.#subscriber === subscriber) this.#handlers?.onDeaf();
          this.#retry(subscriber);
        },
        onError: () => this.#retry(subscriber),
      },
      false,
    );
    this.#subscriber = subscriber;
  }

  #onMessage(payload: Buffer): void {
    if (payload[0] === BRACKET) return this.#onRevocation(payload);
    const batch = readBatch(payload);
    if (batch !== undefined) this.#handlers?.onBatch(batch);
  }

  /** Another node has taken over a state, perhaps while this one could not be told. */
  #onTaken(field: string, at: number): void {
    const [pid = ""] = field.split(" ", 1);
    this.#handlers?.onRevoked(field.slice(pid.length + 1), pid, at);
  }

  #onRevocation(payload: Buffer): void {
    const revocation = readRevocation(payload);
    if (revocation === undefined || revocation[0] !== this.#started.publisher) return;
    const [, namespace, pid, at] = revocation;
    this.#handlers?.onRevoked(namespace, pid, at);
  }

  async #subscribe(subscriber: Subscriber): Promise<void> {
    try {
      await subscriber.subscribe(this.#channel, false);
    } catch {
      return this.#retry(subscriber);
    }
    if (this.#subscriber === subscriber) this.#handlers?.onListening();
  }

  /** A connection that does not come back by itself is replaced. */
  #retry(subscriber: Subscriber): void {
    if (this.#subscriber !== subscriber || this.#timer !== undefined) return;
    this.#timer = setTimeout(() => {
      this.#timer = undefined;
      if (this.#subscriber !== subscriber || !subscriber.hasEnded) return;
      subscriber.close();
      this.#listen();
    }, RETRY_INTERVAL).unref();
  }

  async append({ namespace, first, items }: Batch, known: Place, oldest: number): Promise<Place> {
    const { publisher } = this.#started;
    const limits = [oldest, this.#maxEvents, this.#stay].map(String);
    const knowledge = [known.epoch, String(known.id), newEpoch()];
    const reply = await this.#run(APPEND, [
      this.#channel,
      namespace,
      publisher,
      ...knowledge,
      String(first),
      ...limits,
      ...items,
    ]);
    return placeOf(reply);
  }

  async read(namespace: string, after: number, until: number): Promise<JournaledEvent[]> {
    const range = [after + 1, until, READ_AT_ONCE].map(String);
    const fields = await this.#run(READ, [namespace, ...range]);
    const events: JournaledEvent[] = [];
    for (let i = 0; i < fields.length; i += 5) {
      const [id, item = "", publisher = "", seq, at] = fields.slice(i, i + 5);
      events.push({ id: Number(id), item, publisher, seq: Number(seq), at: Number(at) });
    }
    return events;
  }

  async renew(namespaces: ReadonlyMap<string, Place>): Promise<Renewal> {
    const { publisher } = this.#started;
    const known = [...namespaces].flatMap(([name, { epoch, id }]) => [name, epoch, String(id), newEpoch()]);
    const mark = newEpoch();
    const stays = [String(this.#statesStay), String(this.#stay)];
    const told = [String(this.#told.length), ...this.#told];
    const args = [publisher, ...stays, this.#mark, mark, ...told, ...known];
    const [lost, count, ...rest] = await this.#run(RENEW, args);
    const revoked = rest.slice(0, Number(count));
    const fields = rest.slice(Number(count));
    this.#told = revoked;
    for (let i = 0; i < revoked.length; i += 2) this.#onTaken(revoked[i]!, Number(revoked[i + 1]));
    const hasLostStates = Number(lost) === 1;
    if (hasLostStates) this.#mark = mark;
    const places = new Map<string, Place>();
    for (const [index, name] of [...namespaces.keys()].entries()) {
      places.set(name, placeOf(fields.slice(index * 3, index * 3 + 3)));
    }
    return { hasLostStates, places };
  }

  async resume(namespace: string, sent: number, isLost: boolean): Promise<Place> {
    const { publisher } = this.#started;
    const args = [String(sent), newEpoch(), isLost ? "1" : "0", String(this.#stay)];
    return placeOf(await this.#run(RESUME, [this.#channel, namespace, publisher, ...args]));
  }

  async write(changes: readonly StateChange[]): Promise<void> {
    const { publisher } = this.#started;
    const args = changes.flatMap(({ namespace, pid, state = "", isNew, hasLeft }) => [
      fieldOf(namespace, pid),
      state,
      `${isNew ? "n" : ""}${hasLeft ? "l" : ""}`,
    ]);
    await this.#run(WRITE, [publisher, String(this.#statesStay), ...args]);
  }

  async take(namespace: string, pid: string, known: Place): Promise<TakenState | undefined> {
    const { publisher, maxDisconnectionDuration } = this.#started;
    const reply = await this.#run(TAKE, [
      publisher,
      namespace,
      fieldOf(namespace, pid),
      String(maxDisconnectionDuration),
      String(this.#statesStay),
      known.epoch,
      String(known.id),
      newEpoch(),
    ]);
    const [state, from, takenAt, aliveAt, ...place] = reply;
    if (state === undefined || from === undefined) return undefined;
    const at = { takenAt: Number(takenAt), aliveAt: Number(aliveAt) };
    return { state, publisher: from, ...at, place: placeOf(place) };
  }

  async revoke(from: string, namespace: string, pid: string, at: number): Promise<void> {
    const revocation: Revocation = [from, namespace, pid, at];
    const payload = Buffer.from(JSON.stringify(revocation));
    await this.#driver.publish([{ channel: this.#channel, payload }], false);
  }

  close(): Promise<void> {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    this.#subscriber?.close();
    this.#subscriber = undefined;
    this.#handlers = undefined;
    return Promise.resolve();
  }

  get #started(): JournalSettings {
    if (this.#settings === undefined) throw new Error("the journal has not been started");
    return this.#settings;
  }

  /** How long the states of a node stay after it has last said that it lives, in ms. */
  get #statesStay(): number {
    return this.lease + this.#started.maxDisconnectionDuration;
  }

  /** How long everything else stays, in ms. */
  get #stay(): number {
    return this.#statesStay + this.#started.blindTime;
  }

  async #run(script: string, args: readonly string[]): Promise<string[]> {
    const reply = await this.#driver.evaluate(script, this.#key, args);
    return Array.isArray(reply) ? reply.map(String) : [];
  }
}

/** Pids and names of namespaces may be any text; a pid has no spaces, unless a stranger makes one up. */
function fieldOf(namespace: string, pid: string): string {
  return `${pid} ${namespace}`;
}

function newEpoch(): string {
  return randomBytes(6).toString("base64url");
}

function placeOf([found = "", id, at]: readonly string[]): Place {
  const [epoch = "", birth, history = "", origin] = found.split(" ");
  return { epoch, birth: Number(birth), history, origin: Number(origin), id: Number(id), at: Number(at) };
}

/** Returns undefined for what nobody of this cluster has published. */
function readRevocation(payload: Buffer): Revocation | undefined {
  try {
    const [from, namespace, pid, at] = JSON.parse(payload.toString()) as unknown[];
    return [String(from), String(namespace), String(pid), Number(at)];
  } catch {
    return undefined;
  }
}

/** Returns undefined for what nobody of this cluster has published. */
function readBatch(payload: Buffer): ArrivedBatch | undefined {
  const end = payload.indexOf("\n");
  const head = payload.toString("utf8", 0, Math.max(end, 0)).split(" ");
  const [id, at, publisher, first, lengths] = head.slice(4);
  if (head.length !== 9 || id === undefined || publisher === undefined || lengths === undefined) {
    return undefined;
  }
  const texts: string[] = [];
  let position = end + 1;
  for (const length of lengths.split(",")) {
    texts.push(payload.toString("utf8", position, (position += Number(length))));
  }
  const [namespace = "", ...items] = texts;
  const after = placeOf([head.slice(0, 4).join(" "), id, String(at)]);
  return { namespace, publisher, first: Number(first), items, after };
}
