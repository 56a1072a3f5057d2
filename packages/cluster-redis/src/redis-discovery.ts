import { setTimeout as delay } from "node:timers/promises";
import { ClusterError } from "@tidewire/cluster";
import type { Announcement, Discovery, DiscoveryHandlers, FoundNode } from "@tidewire/cluster";
import type { RedisDriver } from "./driver/driver.ts";
import { RENEW } from "./script.ts";

/** How long an answer of Redis may take before it counts as away, in ms. */
const PATIENCE = 2000;

/** How many times a lease is renewed before it ends. */
const RENEWALS = 3;

/** A call of `announce()` that waits for its answer. */
interface Waiting {
  readonly self: Announcement;
  resolve(hasId: boolean): void;
  reject(error: Error): void;
}

/**
 * Nodes find each other through Redis: each renews the lease of its id, and reads those of the others, in one script. A channel says
 * when something has changed.
 */
export class RedisDiscovery implements Discovery {
  readonly #driver: RedisDriver;
  readonly #prefix: string;
  readonly #lease: number;
  #key = "";
  #handlers: DiscoveryHandlers | undefined = undefined;
  #self: Announcement | undefined = undefined;
  #waiting: Waiting | undefined = undefined;
  #timer: NodeJS.Timeout | undefined = undefined;
  #unsubscribe: (() => void) | undefined = undefined;
  #isSubscribing = false;
  #isAsking = false;
  /** Something has changed while Redis was asked. */
  #isDue = false;
  #isAway = false;

  /**
   * @param prefix - of the keys and channels
   * @param lease - in ms
   */
  constructor(driver: RedisDriver, prefix: string, lease: number) {
    this.#driver = driver;
    this.#prefix = prefix;
    this.#lease = lease;
  }

  start(cluster: string, handlers: DiscoveryHandlers): void {
    // The braces keep what belongs together in one slot of Redis Cluster.
    this.#key = `${this.#prefix}:{${cluster}}:nodes`;
    this.#handlers = handlers;
    this.#isAway = false;
    this.#timer = setInterval(() => this.refresh(), this.#lease / RENEWALS).unref();
    this.refresh();
  }

  announce(self: Announcement): Promise<boolean> {
    const previous = this.#self;
    this.#self = self;
    if (previous !== undefined && previous.id !== self.id) void this.#give(previous);
    return new Promise((resolve, reject) => {
      this.#waiting = { self, resolve, reject };
      this.refresh();
    });
  }

  refresh(): void {
    if (this.#handlers === undefined) return;
    void this.#subscribe();
    if (this.#isAsking) this.#isDue = true;
    else void this.#askAll();
  }

  async close(): Promise<void> {
    const self = this.#self;
    this.#handlers = undefined;
    this.#self = undefined;
    this.#waiting = undefined;
    clearInterval(this.#timer);
    this.#unsubscribe?.();
    this.#unsubscribe = undefined;
    if (self === undefined) return;
    const given = this.#give(self);
    if (!this.#isAway) await Promise.race([given, delay(PATIENCE, undefined, { ref: false })]);
  }

  async #subscribe(): Promise<void> {
    if (this.#unsubscribe !== undefined || this.#isSubscribing) return;
    this.#isSubscribing = true;
    try {
      const unsubscribe = await this.#driver.subscribe(this.#channel, () => this.refresh());
      if (this.#handlers === undefined) unsubscribe();
      else this.#unsubscribe = unsubscribe;
      // Of what has changed before, the channel has said nothing.
      this.refresh();
    } catch {
      // It is tried again, and nodes are looked for all the same.
    } finally {
      this.#isSubscribing = false;
    }
  }

  get #channel(): string {
    return `${this.#key}:changes`;
  }

  async #askAll(): Promise<void> {
    this.#isAsking = true;
    do {
      this.#isDue = false;
      await this.#ask();
    } while (this.#isDue && this.#handlers !== undefined);
    this.#isAsking = false;
  }

  /** Renews the lease, and looks for nodes. A client that waits for Redis to come back is asked nothing else meanwhile. */
  async #ask(): Promise<void> {
    const handlers = this.#handlers;
    const self = this.#self;
    const waiting = this.#waiting?.self === self ? this.#waiting : undefined;
    const isCurrent = (): boolean => this.#handlers === handlers && handlers !== undefined;
    const fail = (error: Error): void => {
      if (isCurrent()) this.#onAway(error, waiting);
    };
    const late = setTimeout(() => fail(new Error(`no answer for ${PATIENCE} ms`)), PATIENCE).unref();
    try {
      const [isTaken, ...nodes] = (await this.#renew(self)) as [number, ...string[]];
      if (!isCurrent()) return;
      this.#onNodes(nodes);
      if (self === this.#self) this.#onAnswer(isTaken === 1, waiting);
    } catch (error) {
      fail(error instanceof Error ? error : new Error(String(error)));
    } finally {
      clearTimeout(late);
    }
  }

  #renew(self: Announcement | undefined): Promise<unknown> {
    const node = self === undefined ? [] : [self.id, self.epoch, self.address];
    return this.#driver.evaluate(RENEW, this.#key, [this.#channel, String(this.#lease), ...node]);
  }

  /** The id is not used any more. */
  async #give(self: Announcement): Promise<void> {
    try {
      await this.#renew({ ...self, address: "" });
    } catch {
      // The lease ends by itself.
    }
  }

  #onNodes(fields: readonly string[]): void {
    if (this.#isAway) {
      this.#isAway = false;
      this.#handlers?.onBack();
    }
    const nodes: FoundNode[] = [];
    for (let i = 0; i < fields.length; i += 2) nodes.push({ id: fields[i]!, address: fields[i + 1]! });
    this.#handlers?.onNodes(nodes);
  }

  #onAnswer(isTaken: boolean, waiting: Waiting | undefined): void {
    if (isTaken) this.#self = undefined;
    if (this.#waiting === waiting) this.#waiting = undefined;
    if (waiting !== undefined) waiting.resolve(!isTaken);
    else if (isTaken) this.#handlers?.onTaken();
  }

  #onAway(error: Error, waiting: Waiting | undefined): void {
    if (this.#waiting === waiting) this.#waiting = undefined;
    if (!this.#isAway) {
      this.#isAway = true;
      this.#handlers?.onAway(new ClusterError("DISCOVERY_AWAY", `Redis: ${error.message}`, { cause: error }));
    }
    waiting?.reject(error);
  }
}
