import { randomBytes } from "node:crypto";
import { setTimeout as delay } from "node:timers/promises";
import { ClusterError, internals } from "@tidewire/cluster";
import type { Channels, ChannelsHandlers } from "@tidewire/cluster";
import type { Message, RedisDriver, Subscriber } from "./driver/driver.ts";
import { Echo } from "./echo.ts";

/** How often an echo makes its way through Redis and back, in ms. */
const INTERVAL = 1000;

/** How long it may take, in ms. */
const PATIENCE = 2000;

/** How many hash slots the channels share in Redis Cluster, which spreads them among its servers. Each has an echo. */
const SLOTS = 16;

/** Larger publications would fill the buffers that Redis has for its subscribers. */
const MOST_BYTES = 1024 * 1024;

const COLON = ":".charCodeAt(0);
const DOT = ".".charCodeAt(0);
const ZERO = "0".charCodeAt(0);

const NOTHING: Buffer = Buffer.alloc(0);

/** A channel that is subscribed to. */
class Subscription {
  /** The connection on which it holds. */
  connection: object | undefined = undefined;
  readonly held: Promise<void>;
  hold!: () => void;

  constructor() {
    this.held = new Promise((resolve) => (this.hold = resolve));
  }
}

/**
 * The pub/sub of Redis. It is sharded where Redis can do that, since version 7. In Redis Cluster each of the servers has a part of the
 * channels, and any of them may move to another server: an echo for each slot shows whether messages get through.
 */
export class RedisChannels implements Channels {
  readonly maxBytes: number = MOST_BYTES;
  readonly #driver: RedisDriver;
  readonly #prefix: string;
  #cluster = "";
  #echoes: readonly Echo[] = [];
  #handlers: ChannelsHandlers | undefined = undefined;
  #subscriber: Subscriber | undefined = undefined;
  readonly #subscriptions: Map<number, Subscription> = new Map();
  /** What is published in this tick. */
  #queue: Message[] = [];
  /** The last publications, until Redis has answered. */
  #sending: Promise<void> = Promise.resolve();
  /** How many times something was published that Redis has not answered. */
  #unanswered = 0;
  #isSharded = true;
  /** Each time the subscriber is connected, another one; undefined while it is not. */
  #connection: object | undefined = undefined;
  /** How long the channels have been in use, in ms: it does not pass while the process is stopped. */
  #time = 0;
  /** When the subscriber was last opened. */
  #openedAt = 0;
  /** Whether the connection subscribes to the echoes. */
  #hasEchoes = false;
  #isAway = false;
  /** Whether subscriptions were refused, on this connection. */
  #isIncomplete = false;
  #error: Error | undefined = undefined;
  #timer: NodeJS.Timeout | undefined = undefined;

  constructor(driver: RedisDriver, prefix: string) {
    this.#driver = driver;
    this.#prefix = prefix;
  }

  get isBusy(): boolean {
    return this.#unanswered > 0;
  }

  start(cluster: string, handlers: ChannelsHandlers): void {
    this.#cluster = cluster;
    this.#handlers = handlers;
    this.#isAway = false;
    const id = randomBytes(9).toString("base64url");
    this.#echoes = Array.from({ length: this.#driver.isCluster ? SLOTS : 1 }, (_, slot) =>
      this.#newEcho(id, slot),
    );
    // Of a process that was stopped, what has come meanwhile may be in the kernel.
    this.#timer = setInterval(() => internals.afterReading(() => this.#beat()), INTERVAL).unref();
    this.#open();
  }

  #newEcho(id: string, slot: number): Echo {
    return new Echo(this.#nameOf(slot, `echo-${id}.${slot}`), {
      publish: (channel) => this.#driver.publish([{ channel, payload: NOTHING }], this.#isSharded),
      onFailed: (error) => this.#fail(error),
      isAwaited: () => this.#isAway && this.#hasEchoes,
      time: () => this.#time,
    });
  }

  /** The braces keep what belongs together in one slot of Redis Cluster. */
  #nameOf(slot: number, channel: string): string {
    const group = this.#driver.isCluster ? `{${this.#cluster}.${slot}}` : this.#cluster;
    return `${this.#prefix}:${group}:${channel}`;
  }

  #channelName(channel: number): string {
    return this.#nameOf(channel % SLOTS, String(channel));
  }

  subscribe(channel: number): Promise<void> {
    let subscription = this.#subscriptions.get(channel);
    if (subscription === undefined) {
      subscription = new Subscription();
      this.#subscriptions.set(channel, subscription);
      if (this.#hasEchoes) void this.#subscribe(channel, subscription);
    }
    return subscription.held;
  }

  unsubscribe(channel: number): void {
    if (!this.#subscriptions.delete(channel) || this.#connection === undefined) return;
    // A connection that is lost meanwhile has no subscriptions.
    this.#subscriber?.unsubscribe(this.#channelName(channel), this.#isSharded).catch(ignore);
  }

  publish(channel: number, payload: Buffer): void {
    // A client would keep it, and publish it when it is old.
    if (this.#isAway) return;
    this.#queue.push({ channel: this.#channelName(channel), payload });
    if (this.#queue.length === 1) process.nextTick(() => this.#flush());
  }

  async close(): Promise<void> {
    this.#flush();
    const sent = this.#sending;
    const wasAway = this.#isAway;
    this.#handlers = undefined;
    clearInterval(this.#timer);
    for (const { hold } of this.#subscriptions.values()) hold();
    this.#subscriptions.clear();
    this.#connection = undefined;
    this.#hasEchoes = false;
    this.#subscriber?.close();
    this.#subscriber = undefined;
    if (!wasAway) await Promise.race([sent, delay(PATIENCE, undefined, { ref: false })]);
  }

  #flush(): void {
    const messages = this.#queue;
    this.#queue = [];
    if (messages.length === 0 || this.#handlers === undefined || this.#isAway) return;
    const handlers = this.#handlers;
    this.#unanswered++;
    const onAnswered = (error?: unknown): void => {
      this.#unanswered--;
      if (this.#handlers !== handlers) return;
      if (error !== undefined) this.#fail(error);
      if (!this.isBusy) handlers.onConfirmed();
    };
    this.#sending = this.#driver.publish(messages, this.#isSharded).then(onAnswered, onAnswered);
  }

  #open(): void {
    const isCurrent = (): boolean => this.#subscriber === subscriber;
    const subscriber = this.#driver.openSubscriber(
      {
        onMessage: (channel, payload) => this.#onMessage(channel, payload),
        onOpen: () => isCurrent() && void this.#onOpen(),
        onClose: () => isCurrent() && this.#onClose(),
        onError: (error) => (this.#error = error),
      },
      true,
    );
    this.#subscriber = subscriber;
    this.#openedAt = this.#time;
  }

  /** The connection has no subscriptions, or it is not known which. */
  async #onOpen(): Promise<void> {
    const connection = (this.#connection = {});
    this.#hasEchoes = this.#isIncomplete = false;
    for (const echo of this.#echoes) echo.isHeard = false;
    try {
      await this.#subscribeToEchoes();
    } catch (error) {
      return this.#onNoSubscription(connection, error);
    }
    if (this.#connection !== connection) return;
    this.#hasEchoes = true;
    for (const [channel, subscription] of this.#subscriptions) void this.#subscribe(channel, subscription);
    for (const echo of this.#echoes) echo.ask();
  }

  async #subscribeToEchoes(): Promise<void> {
    this.#isSharded = true;
    try {
      await this.#subscribeTo(this.#echoes);
    } catch (error) {
      if (!/unknown command/i.test(String(error))) throw error;
      this.#isSharded = false;
      await this.#subscribeTo(this.#echoes);
    }
  }

  async #subscribeTo(echoes: readonly Echo[]): Promise<void> {
    const subscriber = this.#subscriber;
    if (subscriber === undefined) return;
    await Promise.all(echoes.map(({ channel }) => subscriber.subscribe(channel, this.#isSharded)));
  }

  async #subscribe(channel: number, subscription: Subscription): Promise<void> {
    const connection = this.#connection;
    try {
      await this.#subscriber?.subscribe(this.#channelName(channel), this.#isSharded);
    } catch (error) {
      return this.#onNoSubscription(connection, error);
    }
    if (this.#connection !== connection || connection === undefined) return;
    subscription.connection = connection;
    subscription.hold();
    this.#check();
  }

  /** It is tried again. */
  #onNoSubscription(connection: object | undefined, error: unknown): void {
    if (this.#connection !== connection) return;
    this.#isIncomplete = true;
    this.#fail(error);
  }

  #onClose(): void {
    this.#connection = undefined;
    this.#hasEchoes = false;
    for (const echo of this.#echoes) echo.lose();
    this.#fail(this.#error ?? new Error("the connection was lost"));
  }

  #onMessage(channel: Buffer, payload: Buffer): void {
    const { number, isEcho } = lastOf(channel);
    if (!isEcho) this.#handlers?.onPublication(number, payload);
    else if (this.#hasEchoes) this.#onEcho(this.#echoes[number]);
  }

  #onEcho(echo: Echo | undefined): void {
    echo?.hear();
    this.#check();
  }

  #check(): void {
    if (!this.#isAway || !this.#echoes.every(({ isHeard }) => isHeard)) return;
    for (const { connection } of this.#subscriptions.values()) if (connection !== this.#connection) return;
    this.#isAway = false;
    this.#error = undefined;
    this.#handlers?.onBack();
  }

  #fail(error: unknown): void {
    for (const echo of this.#echoes) echo.isHeard = false;
    if (this.#isAway || this.#handlers === undefined) return;
    this.#isAway = true;
    const { message } = error instanceof Error ? error : new Error(String(error));
    this.#handlers.onAway(new ClusterError("CHANNELS_AWAY", `Redis: ${message}`, { cause: error }));
  }

  #beat(): void {
    if (this.#handlers === undefined) return;
    this.#time += INTERVAL;
    const isSilent = this.#echoes.some(({ silence }) => silence >= PATIENCE);
    if (isSilent) this.#fail(this.#error ?? new Error(`no answer for ${PATIENCE} ms`));
    if (this.#subscriber?.hasEnded === true || (isSilent && this.#isStale)) this.#reopen();
    else if (this.#isIncomplete) void this.#onOpen();
    else if (this.#hasEchoes) for (const echo of this.#echoes) echo.ask();
  }

  /** Whether the subscriber may be connected to servers of a Redis Cluster that have other slots now. */
  get #isStale(): boolean {
    return this.#driver.isCluster && this.#time - this.#openedAt > PATIENCE;
  }

  #reopen(): void {
    this.#subscriber?.close();
    this.#connection = undefined;
    this.#hasEchoes = false;
    this.#open();
  }
}

/** Returns the number at the end of a name, in front of which a client may have put a prefix. */
function lastOf(name: Buffer): { readonly number: number; readonly isEcho: boolean } {
  let [number, unit, at] = [0, 1, name.length - 1];
  for (; at >= 0 && name[at] !== COLON && name[at] !== DOT; at--, unit *= 10)
    number += ((name[at] ?? ZERO) - ZERO) * unit;
  return { number, isEcho: name[at] === DOT };
}

function ignore(): void {}
