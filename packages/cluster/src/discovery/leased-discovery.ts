import { setTimeout as delay } from "node:timers/promises";
import { Deadline } from "../deadline.ts";
import { ClusterError } from "../errors.ts";
import type { Announcement, Discovery, DiscoveryHandlers, FoundNode } from "./discovery.ts";

/** How long an answer of the store may take before it counts as away, in ms. */
const PATIENCE = 2000;

/** How many times a lease is renewed before it ends. */
const RENEWALS = 3;

/**
 * A database in which nodes lease their ids. The clock of leases is its own.
 *
 * @example
 * const store: LeaseStore = {
 *   open(cluster, onChange) {
 *     database.listen(`nodes of ${cluster}`, onChange);
 *   },
 *   async renew(self) {
 *     const [{ isTaken }, nodes] = await database.transaction(renewAndList, self);
 *     return { isTaken, nodes };
 *   },
 *   async close() {
 *     await database.unlisten();
 *   },
 * };
 * const discovery = new LeasedDiscovery(store, "our database", 15_000);
 */
export interface LeaseStore {
  /** Begins to serve a cluster; again after `close()`. `onChange` may be called too often, and need not be called while it is away. */
  open(cluster: string, onChange: () => void): void;
  /**
   * Renews the lease of a node, unless another epoch has its id, and finds the others. A node that has left has an empty address:
   * nobody finds it, and nobody else gets its id before the lease ends. Calls follow one another, but for that of a node that leaves.
   *
   * @param self - undefined if the node only looks
   * @returns rejected, or not settled, while it is away
   */
  renew(self: Announcement | undefined): Promise<Leases>;
  /** Fulfilled within some seconds; never rejected. */
  close(): Promise<void>;
}

/** What a store answers. */
export interface Leases {
  /** Whether another node has the id. */
  readonly isTaken: boolean;
  /** The nodes that can be found, perhaps this one among them. */
  readonly nodes: readonly FoundNode[];
}

/** A call of `announce()` that waits for its answer. */
interface Waiting {
  readonly self: Announcement;
  resolve(hasId: boolean): void;
  reject(error: Error): void;
}

/**
 * Nodes find each other through a database: each renews the lease of its id, and finds those of the others, in one step.
 *
 * @example
 * const discovery = new LeasedDiscovery(store, "our database", 15_000);
 * cluster({ name: "chat", listen, discovery });
 *
 * // What the cluster then calls:
 * discovery.start("chat", handlers);
 * await discovery.announce({ id, epoch, address: "10.0.0.1:7900" });
 * discovery.refresh();
 * await discovery.close();
 */
export class LeasedDiscovery implements Discovery {
  readonly #store: LeaseStore;
  readonly #name: string;
  readonly #lease: number;
  #handlers: DiscoveryHandlers | undefined = undefined;
  #self: Announcement | undefined = undefined;
  #waiting: Waiting | undefined = undefined;
  #timer: NodeJS.Timeout | undefined = undefined;
  #isAsking = false;
  /** Something has changed while the store was asked. */
  #isDue = false;
  #isAway = false;

  /**
   * @param name - what errors call the store
   * @param lease - in ms
   */
  constructor(store: LeaseStore, name: string, lease: number) {
    this.#store = store;
    this.#name = name;
    this.#lease = lease;
  }

  start(cluster: string, handlers: DiscoveryHandlers): void {
    this.#handlers = handlers;
    this.#isAway = false;
    this.#timer = setInterval(() => this.refresh(), this.#lease / RENEWALS).unref();
    this.#store.open(cluster, () => this.refresh());
    this.refresh();
  }

  announce(self: Announcement): Promise<boolean> {
    const previous = this.#self;
    this.#self = self;
    if (previous !== undefined && previous.id !== self.id) void this.#give(previous);
    if (this.#isAway) {
      // A question may be on its way that is answered when the store is back.
      this.refresh();
      return Promise.reject(new Error(`${this.#name} cannot be reached`));
    }
    return new Promise((resolve, reject) => {
      const waiting = { self, resolve, reject };
      this.#waiting = waiting;
      // The store may owe an answer that it was asked for before.
      new Deadline(PATIENCE, () => this.#giveUp(waiting));
      this.refresh();
    });
  }

  refresh(): void {
    if (this.#handlers === undefined) return;
    if (this.#isAsking) this.#isDue = true;
    else void this.#askAll();
  }

  async close(): Promise<void> {
    const self = this.#self;
    this.#handlers = undefined;
    this.#self = undefined;
    this.#waiting = undefined;
    clearInterval(this.#timer);
    if (self !== undefined) {
      const given = this.#give(self);
      if (!this.#isAway) await Promise.race([given, delay(PATIENCE, undefined, { ref: false })]);
    }
    // It may have begun again meanwhile.
    if (this.#handlers === undefined) await this.#store.close();
  }

  async #askAll(): Promise<void> {
    this.#isAsking = true;
    do {
      this.#isDue = false;
      await this.#ask();
    } while (this.#isDue && this.#handlers !== undefined);
    this.#isAsking = false;
  }

  /** Renews the lease, and looks for nodes. A store that does not answer is asked nothing else meanwhile. */
  async #ask(): Promise<void> {
    const handlers = this.#handlers;
    const self = this.#self;
    const waiting = this.#waiting?.self === self ? this.#waiting : undefined;
    const isCurrent = (): boolean => this.#handlers === handlers && handlers !== undefined;
    const fail = (error: Error): void => {
      if (isCurrent()) this.#onAway(error, waiting);
    };
    const deadline = new Deadline(PATIENCE, () => fail(new Error(`no answer for ${PATIENCE} ms`)));
    try {
      const { isTaken, nodes } = await this.#store.renew(self);
      if (!isCurrent()) return;
      this.#onNodes(nodes);
      if (self === this.#self) this.#onAnswer(isTaken, waiting);
    } catch (error) {
      fail(error instanceof Error ? error : new Error(String(error)));
    } finally {
      deadline.end();
    }
  }

  /** The id is not used any more. */
  async #give(self: Announcement): Promise<void> {
    try {
      await this.#store.renew({ ...self, address: "" });
    } catch {
      // The lease ends by itself.
    }
  }

  #onNodes(nodes: readonly FoundNode[]): void {
    if (this.#isAway) {
      this.#isAway = false;
      this.#handlers?.onBack();
    }
    this.#handlers?.onNodes(nodes);
  }

  #onAnswer(isTaken: boolean, waiting: Waiting | undefined): void {
    if (isTaken) this.#self = undefined;
    if (this.#waiting === waiting) this.#waiting = undefined;
    if (waiting !== undefined) waiting.resolve(!isTaken);
    else if (isTaken) this.#handlers?.onTaken();
  }

  #giveUp(waiting: Waiting): void {
    if (this.#waiting === waiting) this.#onAway(new Error(`no answer for ${PATIENCE} ms`), waiting);
  }

  #onAway(error: Error, waiting: Waiting | undefined): void {
    if (this.#waiting === waiting) this.#waiting = undefined;
    if (!this.#isAway) {
      this.#isAway = true;
      const detail = `${this.#name}: ${error.message}`;
      this.#handlers?.onAway(new ClusterError("DISCOVERY_AWAY", detail, { cause: error }));
    }
    waiting?.reject(error);
  }
}
