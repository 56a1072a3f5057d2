import { randomBytes } from "node:crypto";
import { setTimeout as delay } from "node:timers/promises";
import { ClusterError } from "@tidewire/cluster";
import type { Channels, ChannelsHandlers } from "@tidewire/cluster";
import type { Message, RedisDriver, Subscriber } from "./driver/driver.ts";

/** How often a message makes its way through Redis and back, in ms. */
const INTERVAL = 1000;

/** How long it may take, in ms. */
const PATIENCE = 2000;

/** How soon another one follows while Redis is away, in ms. */
const IMPATIENCE = 100;

/** Larger publications would fill the buffers that Redis has for its subscribers. */
const MOST_BYTES = 1024 * 1024;

const COLON = ":".charCodeAt(0);
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
 * The pub/sub of Redis. It is sharded where Redis can do that, since version 7. Whether messages get through is seen by an echo: a
 * message to a channel of this node alone, by way of the connection that publishes, Redis, and the connection that subscribes.
 */
export class RedisChannels implements Channels {
  readonly maxBytes: number = MOST_BYTES;
  readonly #driver: RedisDriver;
  readonly #prefix: string;
  #names = "";
  #echo = "";
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
  /** Whether the connection subscribes to its echo. */
  #hasEcho = false;
  /** Whether an echo has come over this connection. */
  #isHeard = false;
  #isAway = false;
  /** Whether subscriptions were refused, on this connection. */
  #isIncomplete = false;
  #isAsking = false;
  /** Since when there is no echo, or no connection. */
  #silentSince: number | undefined = undefined;
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
    this.#names = `${this.#prefix}:${cluster}:`;
    this.#echo = `${this.#names}echo-${randomBytes(9).toString("base64url")}`;
    this.#handlers = handlers;
    this.#isAway = false;
    this.#silentSince = performance.now();
    this.#timer = setInterval(() => this.#beat(), INTERVAL).unref();
    this.#open();
  }

  subscribe(channel: number): Promise<void> {
    let subscription = this.#subscriptions.get(channel);
    if (subscription === undefined) {
      subscription = new Subscription();
      this.#subscriptions.set(channel, subscription);
      if (this.#hasEcho) void this.#subscribe(channel, subscription);
    }
    return subscription.held;
  }

  unsubscribe(channel: number): void {
    if (!this.#subscriptions.delete(channel) || this.#connection === undefined) return;
    // A connection that is lost meanwhile has no subscriptions.
    this.#subscriber?.unsubscribe(this.#names + channel, this.#isSharded).catch(ignore);
  }

  publish(channel: number, payload: Buffer): void {
    // A client would keep it, and publish it when it is old.
    if (this.#isAway) return;
    this.#queue.push({ channel: this.#names + channel, payload });
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
    this.#hasEcho = false;
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
    const subscriber = this.#driver.openSubscriber({
      onMessage: (channel, payload) => this.#onMessage(channel, payload),
      onOpen: () => isCurrent() && void this.#onOpen(),
      onClose: () => isCurrent() && this.#onClose(),
      onError: (error) => (this.#error = error),
    });
    this.#subscriber = subscriber;
  }

  /** The connection has no subscriptions, or it is not known which. */
  async #onOpen(): Promise<void> {
    const connection = (this.#connection = {});
    this.#hasEcho = this.#isHeard = this.#isIncomplete = false;
    try {
      await this.#subscribeToEcho();
    } catch (error) {
      return this.#onNoSubscription(connection, error);
    }
    if (this.#connection !== connection) return;
    this.#hasEcho = true;
    for (const [channel, subscription] of this.#subscriptions) void this.#subscribe(channel, subscription);
    this.#ask();
  }

  async #subscribeToEcho(): Promise<void> {
    const subscriber = this.#subscriber;
    this.#isSharded = true;
    try {
      await subscriber?.subscribe(this.#echo, true);
    } catch (error) {
      if (!/unknown command/i.test(String(error))) throw error;
      this.#isSharded = false;
      await subscriber?.subscribe(this.#echo, false);
    }
  }

  async #subscribe(channel: number, subscription: Subscription): Promise<void> {
    const connection = this.#connection;
    try {
      await this.#subscriber?.subscribe(this.#names + channel, this.#isSharded);
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
    this.#hasEcho = this.#isHeard = false;
    this.#silentSince ??= performance.now();
    this.#fail(this.#error ?? new Error("the connection was lost"));
  }

  #onMessage(channel: Buffer, payload: Buffer): void {
    const number = numberOf(channel);
    if (number !== undefined) this.#handlers?.onPublication(number, payload);
    else this.#onEcho();
  }

  #onEcho(): void {
    if (!this.#hasEcho) return;
    this.#silentSince = undefined;
    this.#isHeard = true;
    this.#check();
  }

  #check(): void {
    if (!this.#isAway || !this.#isHeard) return;
    for (const { connection } of this.#subscriptions.values()) if (connection !== this.#connection) return;
    this.#isAway = false;
    this.#error = undefined;
    this.#handlers?.onBack();
  }

  #fail(error: unknown): void {
    this.#isHeard = false;
    if (this.#isAway || this.#handlers === undefined) return;
    this.#isAway = true;
    const { message } = error instanceof Error ? error : new Error(String(error));
    this.#handlers.onAway(new ClusterError("CHANNELS_AWAY", `Redis: ${message}`, { cause: error }));
  }

  #beat(): void {
    if (this.#subscriber?.hasEnded === true) this.#open();
    const silence = this.#silentSince === undefined ? 0 : performance.now() - this.#silentSince;
    if (silence > PATIENCE) this.#fail(this.#error ?? new Error(`no answer for ${PATIENCE} ms`));
    if (this.#isIncomplete) void this.#onOpen();
    else this.#ask();
  }

  /** Publishes an echo, unless one is on its way. */
  #ask(): void {
    if (this.#isAsking || !this.#hasEcho) return;
    this.#isAsking = true;
    this.#silentSince ??= performance.now();
    const onAnswered = (): void => {
      this.#isAsking = false;
      // It may have been published before it was subscribed to.
      if (this.#isAway) setTimeout(() => this.#ask(), IMPATIENCE).unref();
    };
    this.#driver
      .publish([{ channel: this.#echo, payload: NOTHING }], this.#isSharded)
      .then(onAnswered, (error: unknown) => {
        this.#fail(error);
        onAnswered();
      });
  }
}

/** Returns the number at the end of a name, in front of which a client may have put a prefix; undefined if it is none. */
function numberOf(name: Buffer): number | undefined {
  let [number, unit] = [0, 1];
  for (let at = name.length - 1; name[at] !== COLON; at--, unit *= 10) {
    const digit = (name[at] ?? 0) - ZERO;
    if (digit < 0 || digit > 9) return undefined;
    number += digit * unit;
  }
  return number;
}

function ignore(): void {}
