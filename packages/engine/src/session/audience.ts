import type { Message } from "../protocol/packet.ts";
import type { FanOut } from "../transport/fan-out.ts";

/**
 * Sessions that are sent the same messages, such as those of the sockets in a room. It outlives a broadcast: what a tick
 * broadcasts to it waits here once, and not in each session. See {@link Broadcasts}.
 */
export class Audience<Session extends object> {
  readonly sessions: readonly Session[];
  /** Writes to all of them without a look at each; undefined if they differ too much. */
  readonly fanOut: FanOut | undefined;
  /** Whether no session of it is in another audience. */
  isDisjoint: boolean;
  /** The messages that wait, in order. The queue of broadcasts alone changes what follows. */
  messages: Message[] = [];
  /** How many sessions have got the messages that wait: those in front. */
  served: number = 0;
  /** By place: how many of the messages a session has got already, or is not to get. */
  #taken: Map<number, number> | undefined = undefined;
  #places: Map<Session, number> | undefined = undefined;

  constructor(sessions: readonly Session[], isDisjoint: boolean, fanOut?: FanOut) {
    this.sessions = sessions;
    this.isDisjoint = isDisjoint;
    this.fanOut = fanOut;
  }

  /** The place of a session that has not got what waits; undefined for those that have, and for others. */
  dueAt(session: Session): number | undefined {
    const places = (this.#places ??= new Map(this.sessions.map((each, place) => [each, place])));
    const place = places.get(session);
    return place === undefined || place < this.served ? undefined : place;
  }

  /** The first of the messages that the session in this place is to get. */
  firstFor(place: number): number {
    return this.#taken?.get(place) ?? 0;
  }

  /** The session in this place is not to get what waits now. */
  skip(place: number): void {
    (this.#taken ??= new Map()).set(place, this.messages.length);
  }

  /** Nothing waits any more. */
  clear(): void {
    this.messages = [];
    this.served = 0;
    this.#taken = undefined;
    this.fanOut?.clear();
  }
}
