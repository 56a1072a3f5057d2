import type { Announcement, FoundNode, NodeId } from "@tidewire/cluster";

/** A node that has been heard of, and when, in ms of `performance.now()`. The address of one that has left is empty. */
interface Entry extends Announcement {
  readonly heardAt: number;
}

/** A node as one of the others knows it. */
export interface Acquaintance extends Announcement {
  /** How long ago it was heard, in ms. */
  readonly age: number;
}

/** Who has been heard of within the time of a lease. Nobody gets the id of one that has left before that. */
export class Roster {
  readonly #lease: number;
  readonly #entries: Map<NodeId, Entry> = new Map();

  /** @param lease - in ms */
  constructor(lease: number) {
    this.#lease = lease;
  }

  /**
   * A node has said where it is, or that it has left.
   *
   * @returns whether others are found now than before
   */
  hear({ id, epoch, address }: Announcement, now: number): boolean {
    const known = this.#entries.get(id);
    // One that loses an id does not take it from the node that has it.
    if (address === "" && known !== undefined && known.epoch !== epoch) return false;
    this.#entries.set(id, { id, epoch, address, heardAt: now });
    return (known?.address ?? "") !== address;
  }

  /** Another node has told of one. What has been heard since counts, and whoever has left does not come back by hearsay. */
  learn({ age, ...node }: Acquaintance, now: number): boolean {
    const heardAt = now - age;
    const known = this.#entries.get(node.id);
    const isOld = known !== undefined && (known.heardAt >= heardAt || isGone(known, node));
    return !isOld && age < this.#lease && this.hear(node, heardAt);
  }

  /** Forgets those whose leases have ended. */
  lapse(now: number): void {
    for (const { id, heardAt } of this.#entries.values()) {
      if (now - heardAt >= this.#lease) this.#entries.delete(id);
    }
  }

  /** Nobody could be heard for some time: all leases begin anew. */
  renewAll(now: number): void {
    for (const entry of this.#entries.values()) this.#entries.set(entry.id, { ...entry, heardAt: now });
  }

  clear(): void {
    this.#entries.clear();
  }

  /** Whether another node has the id, or has had it within the time of a lease. */
  isTaken({ id, epoch }: Announcement): boolean {
    const known = this.#entries.get(id);
    return known !== undefined && known.epoch !== epoch;
  }

  nodes(): FoundNode[] {
    return [...this.#entries.values()]
      .filter(({ address }) => address !== "")
      .map(({ id, address }) => ({ id, address }));
  }

  /** Everything, for a node that has just come. */
  acquaintances(now: number): Acquaintance[] {
    return [...this.#entries.values()].map(({ heardAt, ...node }) => ({
      ...node,
      age: Math.round(now - heardAt),
    }));
  }
}

function isGone(known: Entry, { epoch }: Announcement): boolean {
  return known.address === "" && known.epoch === epoch;
}
