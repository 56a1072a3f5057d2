import type { Message } from "../protocol/packet.ts";

/**
 * Sessions that are sent the same messages, such as those of the sockets in a room. It outlives a broadcast: what a tick
 * broadcasts to it waits here once, and not in each session. See {@link Broadcasts}.
 */
export class Audience<Session extends object> {
  readonly sessions: readonly Session[];
  /** Whether no session of it is in another audience. */
  isDisjoint: boolean;
  /** The messages that wait, in order. The queue of broadcasts alone changes what follows. */
  messages: Message[] = [];
  /** How many sessions have got the messages that wait: those in front. */
  served: number = 0;
  /** How many of the messages a session has got already, or is not to get. */
  #taken: Map<Session, number> | undefined = undefined;
  #places: Map<Session, number> | undefined = undefined;

  constructor(sessions: readonly Session[], isDisjoint: boolean) {
    this.sessions = sessions;
    this.isDisjoint = isDisjoint;
  }

  /** Whether the session is part of it, and has not got what waits. */
  isDue(session: Session): boolean {
    const places = (this.#places ??= new Map(this.sessions.map((each, place) => [each, place])));
    const place = places.get(session);
    return place !== undefined && place >= this.served;
  }

  /** The first of the messages that the session is to get. */
  firstFor(session: Session): number {
    return this.#taken?.get(session) ?? 0;
  }

  /** The session is not to get what waits now. */
  skip(session: Session): void {
    (this.#taken ??= new Map()).set(session, this.messages.length);
  }

  /** Nothing waits any more. */
  clear(): void {
    this.messages = [];
    this.served = 0;
    this.#taken = undefined;
  }
}
