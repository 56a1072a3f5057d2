import type { internals } from "@tidewire/server";
import type { Room } from "socket.io-adapter";
import { isFor } from "./items.ts";
import type { EventItem } from "./items.ts";
import type { PublisherId } from "./journal.ts";
import type { Had, Received } from "./offset.ts";

/** An event that this node holds. */
export interface KeptEvent extends EventItem {
  readonly id: number;
  readonly publisher: PublisherId;
  readonly seq: number;
  readonly bytes: number;
  readonly at: number;
}

/** A client that has come back and has not joined yet: what it has missed, also meanwhile. */
export class Restoration {
  readonly received: Received;
  readonly had: Had;
  readonly rooms: readonly Room[];
  /** When this node has taken the state over. */
  readonly takenAt: number;
  /** Events that were sent meanwhile and that no journal has. */
  readonly loose: KeptEvent[] = [];
  log: internals.RecoveryLog<KeptEvent> | undefined = undefined;
  #position = 0;
  readonly #missed: KeptEvent[] = [];

  constructor(received: Received, had: Had, rooms: readonly Room[], takenAt: number) {
    this.received = received;
    this.had = had;
    this.rooms = rooms;
    this.takenAt = takenAt;
  }

  /** Takes what it has missed of these events. */
  take(events: Iterable<KeptEvent>): void {
    for (const event of this.missedOf(events)) this.#missed.push(event);
  }

  /** Returns what it has missed of these events. */
  *missedOf(events: Iterable<KeptEvent>): Generator<KeptEvent> {
    const { had, received } = this;
    for (const event of events) {
      const isReceived = event.id <= received.id || event.seq <= (had.get(event.publisher) ?? 0);
      if (!isReceived && isFor(event.target, this.rooms)) yield event;
    }
  }

  /** From here on it takes what the log gets. */
  follow(log: internals.RecoveryLog<KeptEvent>): void {
    this.log = log;
    this.#position = log.position;
  }

  /** Returns what it has missed until now. */
  since(): readonly KeptEvent[] {
    if (this.log !== undefined) this.take(this.log.between(this.#position));
    return this.#missed;
  }
}
