import type { Message } from "../protocol/packet.ts";
import type { FanOut } from "../transport/fan-out.ts";

/** The receivers of a round: an audience. */
export interface Receiving<Session extends object> {
  readonly sessions: readonly Session[];
  readonly fanOut: FanOut | undefined;
  readonly isDisjoint: boolean;
  round: Round<Session> | undefined;
  placeOf(session: Session): number | undefined;
}

/** The messages that one pass writes to each session of an audience. */
export class Round<Session extends object> {
  readonly audience: Receiving<Session>;
  /** In order. */
  readonly messages: Message[] = [];
  /** How many sessions have received them: those in front. */
  served: number = 0;
  /** The round of the same audience that is being written. */
  before: Round<Session> | undefined;
  /** The one that began to wait while this one was written. */
  next: Round<Session> | undefined = undefined;
  /** By place: how many of the messages a session has received already, or must not receive. */
  #taken: Map<number, number> | undefined = undefined;

  constructor(audience: Receiving<Session>) {
    this.audience = audience;
    this.before = audience.round;
  }

  /** The place of a session that has not received what waits; undefined for those that have, and for others. */
  dueAt(session: Session): number | undefined {
    const place = this.audience.placeOf(session);
    return place === undefined || place < this.served ? undefined : place;
  }

  /** The index of the first message that the session in this place receives. */
  firstFor(place: number): number {
    return this.#taken?.get(place) ?? 0;
  }

  /** The session in this place does not receive what waits now. */
  skip(place: number): void {
    (this.#taken ??= new Map()).set(place, this.messages.length);
  }
}
