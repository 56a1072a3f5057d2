import { inBatches } from "./items.ts";
import type { EventItem } from "./items.ts";

/** An item of this node that has not come back. */
export interface OwnItem {
  readonly seq: number;
  readonly item: string;
  /** Of an item that is kept, or is delivered when it comes back. */
  readonly event: EventItem | undefined;
}

/** Items that follow one another, and the number of the first. */
export interface OwnItems {
  readonly first: number;
  readonly items: readonly string[];
}

/** What this node says in a namespace: its items in the order of their numbers, and how far each of them has come. */
export class Outbox {
  #sent: number;
  #appended: number;
  #confirmed: number;
  #confirmedId = 0;
  #returned: number;
  #relayed: number;
  #own: OwnItem[] = [];
  #waiters: { readonly seq: number; resolve(): void }[] = [];

  /** @param sent - the number of the latest item of an earlier journal of the namespace on this node */
  constructor(sent: number) {
    this.#sent = this.#appended = this.#confirmed = this.#returned = this.#relayed = sent;
  }

  /** The number of the latest item. */
  get sent(): number {
    return this.#sent;
  }

  /** Up to this number, items are with the journal, or never will be. */
  get appended(): number {
    return this.#appended;
  }

  /** Up to this number, they have come back. */
  get returned(): number {
    return this.#returned;
  }

  /** Up to this number, they were relayed, if they had not come back. */
  get relayed(): number {
    return this.#relayed;
  }

  /** Those that have not come back, and were not relayed. */
  get own(): readonly OwnItem[] {
    return this.#own;
  }

  add(item: string, event: EventItem | undefined): void {
    this.#own.push({ seq: ++this.#sent, item, event });
  }

  /** Takes what the journal is to get next, in one batch; undefined if there is nothing. */
  takeNext(): OwnItems | undefined {
    if (this.#appended === this.#sent) return undefined;
    const first = this.#appended + 1;
    const waiting = this.#own.slice(first - this.#own[0]!.seq).map(({ item }) => item);
    const [items = []] = inBatches(waiting);
    this.#appended += items.length;
    return { first, items };
  }

  /** Takes what the journal may not have, to be relayed; it never will have what was not given to it. */
  takeAll(): readonly OwnItem[] {
    const own = this.#own;
    this.#own = [];
    this.#appended = this.#sent;
    return own;
  }

  /** All items were relayed. */
  relayedAll(): void {
    this.#relayed = this.#sent;
    this.#confirm(this.#sent);
  }

  /** The journal has the items up to a number, and their events up to an id. */
  confirm(seq: number, id: number): void {
    this.#confirmedId = id;
    this.#confirm(seq);
  }

  #confirm(seq: number): void {
    this.#confirmed = Math.max(this.#confirmed, seq);
    const waiters = this.#waiters;
    this.#waiters = waiters.filter((waiter) => waiter.seq > this.#confirmed);
    for (const waiter of waiters) if (waiter.seq <= this.#confirmed) waiter.resolve();
  }

  /**
   * Waits until the journal has what was sent until now, or never will.
   *
   * @returns the id up to which this node's events reach
   */
  async settled(): Promise<number> {
    const seq = this.#sent;
    if (this.#confirmed < seq) {
      await new Promise<void>((resolve) => this.#waiters.push({ seq, resolve }));
    }
    return this.#confirmedId;
  }

  /** An item has come back, and those before it have, or never will. */
  takeBack(seq: number): OwnItem | undefined {
    this.#returned = Math.max(this.#returned, seq);
    while (this.#own.length > 0 && this.#own[0]!.seq < seq) this.#own.shift();
    return this.#own[0]?.seq === seq ? this.#own.shift() : undefined;
  }
}
