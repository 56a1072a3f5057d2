import type { OutgoingPacket } from "../protocol/packet.ts";

/** The packets of one event: its text, then its attachments. */
type Group = readonly OutgoingPacket[];

/**
 * The packets that wait for one client, some of which may be left out: those that a newer one replaces, and those that may be lost.
 * It takes the place of the plain array only where there are such packets.
 */
export class SelectiveQueue extends Array<OutgoingPacket> {
  /** The newest packets of each key. */
  readonly #newest: Map<string, Group> = new Map();
  /** Packets that may be lost, the oldest first. */
  readonly #droppable: Set<Group> = new Set();

  /** Methods such as `filter` create plain arrays. */
  static override get [Symbol.species](): ArrayConstructor {
    return Array;
  }

  /** Returns the queue itself, or one with the same packets. */
  static holding(packets: Group): SelectiveQueue {
    if (packets instanceof SelectiveQueue) return packets;
    const queue = new SelectiveQueue();
    for (const packet of packets) queue.push(packet);
    return queue;
  }

  /** Makes the packets the newest of their key. Returns the earlier ones, which wait no more. */
  replace(key: string, packets: Group): Group {
    const earlier = this.#newest.get(key);
    this.#newest.set(key, packets);
    return earlier === undefined ? [] : this.#take(earlier);
  }

  /** Allows the packets to be lost. */
  allowLoss(packets: Group): void {
    this.#droppable.add(packets);
  }

  /** Whether the packets may still be lost: false once they were. */
  mayLose(packets: Group): boolean {
    return this.#droppable.has(packets);
  }

  /** Returns the oldest packets that may be lost, which wait no more; undefined if there are none. */
  dropOldest(): Group | undefined {
    for (const packets of this.#droppable) {
      this.#droppable.delete(packets);
      return this.#take(packets);
    }
    return undefined;
  }

  /** The application may have changed the queue by itself: it is `conn.writeBuffer`. */
  #take(packets: Group): Group {
    const first = packets[0];
    const at = first === undefined ? -1 : this.indexOf(first);
    return at === -1 ? [] : this.splice(at, packets.length);
  }
}
