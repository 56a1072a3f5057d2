import type { EventLoop } from "@tidewire/engine";
import type { Room } from "socket.io-adapter";
import type { RoomInterest } from "../broadcasting/bus.ts";
import { channelOf, EVERYONE, PARTITIONS } from "./partitions.ts";

/** How long a partition stays subscribed to after its last room has lost its last member, in ms: somebody may come back. */
const LINGER = 5000;

/** What an interest calls. */
export interface PartitionInterestHandlers {
  /**
   * A partition has its first room.
   * @returns what is fulfilled once its publications arrive; undefined if they do already
   */
  subscribe(partition: number): Promise<void> | undefined;
  /** It has had none for a while. */
  unsubscribe(partition: number): void;
}

/** The partitions whose rooms have members here. */
export class PartitionInterest implements RoomInterest {
  readonly #loop: EventLoop;
  readonly #handlers: PartitionInterestHandlers;
  readonly #linger: number;
  /** How many rooms with members each partition has. */
  readonly #rooms: Uint32Array = new Uint32Array(PARTITIONS);
  /** The partitions that are subscribed to. */
  readonly #wanted: Set<number> = new Set();
  /** When partitions have lost their last room, in ms, of those that have a timer. */
  readonly #emptySince: Map<number, number> = new Map();
  /** Subscriptions that do not hold yet. */
  readonly #pending: Map<number, Promise<void>> = new Map();

  /** @param linger - in ms */
  constructor(loop: EventLoop, handlers: PartitionInterestHandlers, linger: number = LINGER) {
    this.#loop = loop;
    this.#handlers = handlers;
    this.#linger = linger;
  }

  /** The partitions that are subscribed to. */
  get wanted(): ReadonlySet<number> {
    return this.#wanted;
  }

  add(namespace: string, room: Room): void {
    const partition = channelOf(namespace, room);
    if (partition === EVERYONE) return;
    this.#rooms[partition]!++;
    if (this.#wanted.has(partition)) return;
    this.#wanted.add(partition);
    const held = this.#handlers.subscribe(partition);
    if (held === undefined) return;
    this.#pending.set(partition, held);
    void held.then(() => {
      if (this.#pending.get(partition) === held) this.#pending.delete(partition);
    });
  }

  delete(namespace: string, room: Room): void {
    const partition = channelOf(namespace, room);
    if (partition === EVERYONE || --this.#rooms[partition]! > 0) return;
    const isTimed = this.#emptySince.has(partition);
    this.#emptySince.set(partition, this.#loop.now());
    // One timer for each partition, however often its rooms come and go.
    if (!isTimed) this.#leaveLater(partition, this.#linger);
  }

  #leaveLater(partition: number, delay: number): void {
    this.#loop.setTimeout(() => {
      const left = this.#emptySince.get(partition)! + this.#linger - this.#loop.now();
      if (this.#rooms[partition] === 0 && left > 0) return this.#leaveLater(partition, left);
      this.#emptySince.delete(partition);
      if (this.#rooms[partition] === 0) this.#leave(partition);
    }, delay);
  }

  #leave(partition: number): void {
    if (!this.#wanted.delete(partition)) return;
    this.#pending.delete(partition);
    this.#handlers.unsubscribe(partition);
  }

  reached(namespace: string, rooms: Iterable<Room>): Promise<void> | undefined {
    if (this.#pending.size === 0) return undefined;
    const pending = new Set<Promise<void>>();
    for (const room of rooms) {
      const held = this.#pending.get(channelOf(namespace, room));
      if (held !== undefined) pending.add(held);
    }
    return pending.size === 0 ? undefined : Promise.all(pending).then(() => {});
  }
}
