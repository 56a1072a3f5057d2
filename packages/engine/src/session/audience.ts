import type { FanOut } from "../transport/fan-out.ts";
import type { Receiving, Round } from "./round.ts";

/**
 * Sessions that are sent the same messages, such as those of the sockets in a room. It outlives a broadcast: what a tick
 * broadcasts to it waits here once, and not in each session. See {@link Broadcasts}.
 */
export class Audience<Session extends object> implements Receiving<Session> {
  readonly sessions: readonly Session[];
  /** Writes to all of them without reading each session; undefined if they differ too much. */
  readonly fanOut: FanOut | undefined;
  /** Whether no session of it is in another audience. */
  isDisjoint: boolean;
  /** The newest of the rounds that wait. The queue of broadcasts alone changes it. */
  round: Round<Session> | undefined = undefined;
  #places: Map<Session, number> | undefined = undefined;

  constructor(sessions: readonly Session[], isDisjoint: boolean, fanOut?: FanOut) {
    this.sessions = sessions;
    this.isDisjoint = isDisjoint;
    this.fanOut = fanOut;
  }

  /** The place of a session in `sessions`. */
  placeOf(session: Session): number | undefined {
    const places = (this.#places ??= new Map(this.sessions.map((each, place) => [each, place])));
    return places.get(session);
  }
}
