/** An event that was sent, for clients that have missed it. */
export interface LoggedEvent {
  /** its size, in bytes */
  readonly bytes: number;
  /** when it was sent, in ms */
  readonly at: number;
}

/** How many empty places may precede the events before the list is compacted. */
const SLACK = 1024;

/**
 * The latest events of a namespace, oldest first. The positions of events are consecutive, so an event is found by its position
 * without a search. The oldest events are dropped when all of them take too many bytes.
 */
export class RecoveryLog<Event extends LoggedEvent = LoggedEvent> {
  /** The position of the latest event; before the first one, the position at which the log starts. */
  position: number;
  /** When the latest of the dropped events was sent, in ms. */
  droppedUntil: number = -Infinity;
  readonly #maxBytes: number;
  readonly #events: (Event | undefined)[] = [];
  #dropped = 0;
  #heldBytes = 0;

  constructor(start: number, maxBytes: number) {
    this.position = start;
    this.#maxBytes = maxBytes;
  }

  /** How many events are held. */
  get size(): number {
    return this.#events.length - this.#dropped;
  }

  /** The size of the held events, in bytes. */
  get bytes(): number {
    return this.#heldBytes;
  }

  /** Adds an event at the next position. */
  append(event: Event): void {
    this.position++;
    this.#events.push(event);
    this.#heldBytes += event.bytes;
    while (this.#heldBytes > this.#maxBytes) this.#dropOldest();
  }

  /** Whether every event after this position is held. */
  reaches(position: number): boolean {
    return position >= this.position - this.size;
  }

  /** The held events after one position, up to and including another. */
  *between(position: number, until: number = this.position): Generator<Event> {
    const first = this.position - this.#events.length + 1;
    const end = until - first + 1;
    for (let i = Math.max(position - first + 1, this.#dropped); i < end; i++) {
      yield this.#events[i]!;
    }
  }

  /** Drops the events that were sent before this time, in ms. */
  dropBefore(time: number): void {
    while (this.size > 0 && this.#events[this.#dropped]!.at < time) this.#dropOldest();
  }

  /** Drops all events. */
  clear(): void {
    while (this.size > 0) this.#dropOldest();
  }

  #dropOldest(): void {
    const { at, bytes } = this.#events[this.#dropped]!;
    this.#events[this.#dropped] = undefined;
    this.#dropped++;
    this.#heldBytes -= bytes;
    this.droppedUntil = at;
    if (this.#dropped > SLACK && this.#dropped > this.#events.length / 2) {
      this.#events.splice(0, this.#dropped);
      this.#dropped = 0;
    }
  }
}
