import type { EventLoop } from "../loop/event-loop.ts";
import type { Message } from "../protocol/packet.ts";
import type { FanOut } from "../transport/fan-out.ts";
import type { Audience } from "./audience.ts";
import { Round } from "./round.ts";
import type { Receiving } from "./round.ts";

/** How many times a session can be looked for in an audience at the cost of handing over what waits for one receiver. */
const LOOK_UPS = 8;

/** What broadcasts do to a session. */
export interface Receivers<Session> {
  /** Writes messages to a session that has nothing else to send, or else queues them there. */
  deliver(session: Session, messages: readonly Message[]): void;
  /** Queues messages in the session, as if they had been sent to it. */
  queue(session: Session, messages: readonly Message[], first: number): void;
  /** The transport of the session has not passed on what was written to it. */
  stalled(session: Session): void;
  /** Whether anybody observes the writing to all sessions of the engine to which this one belongs. */
  areWatched(session: Session): boolean;
}

/**
 * The broadcasts of a tick. They wait with their audience, and the pass writes them in one loop that reads nothing of the
 * sessions. It must not show: whoever looks at a session, sends to it or ends it calls {@link settle} first, which queues in the
 * session what it is to get. A session is therefore part of one waiting audience at most, and one that is still due in the pass
 * is open, takes packets and has nothing else to send.
 *
 * A long pass takes several turns of the event loop. What is sent to its audience meanwhile waits for the next round.
 */
export class Broadcasts<Session extends object> {
  readonly #receivers: Receivers<Session>;
  readonly #loop: EventLoop;
  readonly #ask: () => void;
  #waiting: Round<Session>[] = [];
  /** The receivers of all that waits. */
  #receiversWaiting = 0;
  /** How many times a session was looked for in an audience since something waits. */
  #lookUps = 0;
  /** The sessions that take nothing now, or never again. What is sent to them counts at once. */
  readonly #blocked: Set<Session> = new Set();
  /** The session whose packet is being handled: what is sent to it leaves with the answers. */
  reading: Session | undefined = undefined;
  /** Differs when an audience that was made earlier may be out of date. */
  epoch: number = 0;
  /** Whether the application may have changed what waits in a session: only the session itself shows that. */
  isTouched: boolean = false;

  /** @param ask - requests a pass */
  constructor(receivers: Receivers<Session>, loop: EventLoop, ask: () => void) {
    this.#receivers = receivers;
    this.#loop = loop;
    this.#ask = ask;
  }

  /** Whether anything waits. */
  get isWaiting(): boolean {
    return this.#waiting.length > 0;
  }

  /**
   * Sends messages to an audience.
   *
   * @param except - those who are not to get them
   * @returns how many sessions get them
   */
  send(audience: Audience<Session>, messages: readonly Message[], except: readonly Session[]): number {
    let count = audience.sessions.length;
    const { round: begun } = audience;
    if (begun !== undefined) for (const session of except) this.#settle(session, begun);
    let { round } = audience;
    if (round === undefined || round.served > 0) round = this.#add(audience);
    for (const message of messages) {
      message.keep();
      round.messages.push(message);
    }
    for (const session of except) {
      const place = round.dueAt(session);
      if (place === undefined) continue;
      round.skip(place);
      count--;
    }
    for (const session of this.#blocked) this.#settle(session, round);
    if (this.reading !== undefined) this.#settle(this.reading, round);
    return count;
  }

  #add(audience: Audience<Session>): Round<Session> {
    if (!this.#waiting.every((each) => areOrdered(each.audience, audience))) this.settleAll();
    const round = new Round(audience);
    if (round.before !== undefined) round.before.next = round;
    audience.round = round;
    this.#receiversWaiting += audience.sessions.length;
    if (this.#waiting.push(round) === 1) this.#ask();
    return round;
  }

  /**
   * Queues in the session what it is to get. Once the search for sessions has cost as much as that would, it queues what waits in
   * every session instead.
   */
  settle(session: Session): void {
    this.#lookUps += this.#waiting.length;
    if (this.#lookUps > LOOK_UPS * this.#receiversWaiting) {
      this.settleAll();
      return;
    }
    for (const round of this.#waiting) this.#settle(session, round);
  }

  #settle(session: Session, round: Round<Session>): void {
    if (round.before !== undefined) this.#settle(session, round.before);
    if (round.messages.length === 0) return;
    const place = round.dueAt(session);
    if (place !== undefined) this.#settleAt(place, round);
  }

  #settleAt(place: number, round: Round<Session>): void {
    const { messages } = round;
    const first = round.firstFor(place);
    if (first === messages.length) return;
    round.skip(place);
    this.#receivers.queue(round.audience.sessions[place]!, messages, first);
  }

  /** Queues in each session what it is to get. */
  settleAll(): void {
    let round: Round<Session> | undefined;
    while ((round = this.#waiting[0]) !== undefined) {
      // Listeners may have finished it in between.
      while (this.#isUnfinished(round)) {
        this.#settleAt(round.served, round);
        round.served++;
      }
      this.#finish(round);
    }
  }

  #isUnfinished(round: Round<Session>): boolean {
    return this.#waiting[0] === round && round.served < round.audience.sessions.length;
  }

  #finish(round: Round<Session>): void {
    if (this.#waiting[0] !== round) return;
    this.#waiting.shift();
    const { audience, next } = round;
    this.#receiversWaiting -= audience.sessions.length;
    if (next === undefined) audience.round = undefined;
    else next.before = undefined;
    audience.fanOut?.clear();
    if (this.#waiting.length > 0) return;
    this.isTouched = false;
    this.#lookUps = 0;
  }

  /**
   * Writes what waits, to at most that many sessions.
   *
   * @param isAlone - whether nothing but broadcasts waits: then most sessions need no look at them
   */
  run(limit: number, isAlone: boolean): void {
    let left = limit;
    let round: Round<Session> | undefined;
    while ((round = this.#waiting[0]) !== undefined) {
      // What is prepared must leave in this turn: a round that has not begun gets more messages.
      if (left === 0) return;
      let fanOut = isAlone ? this.#fanOutTo(round) : undefined;
      while (this.#isUnfinished(round)) {
        if (left-- === 0) return;
        const place = round.served++;
        try {
          if (fanOut !== undefined && round.firstFor(place) === 0) {
            if (!fanOut.write(place)) this.#stalled(place, round);
          } else {
            this.#deliver(place, round);
            // Listeners may have changed what it depends on.
            fanOut &&= this.#fanOutTo(round);
          }
        } catch (error) {
          this.#loop.rethrow(error);
        }
      }
      this.#finish(round);
    }
  }

  #fanOutTo({ audience, messages }: Round<Session>): FanOut | undefined {
    const { fanOut, sessions } = audience;
    if (fanOut === undefined || this.isTouched || this.#receivers.areWatched(sessions[0]!)) return undefined;
    fanOut.prepare(messages);
    return fanOut;
  }

  #stalled(place: number, { audience, next }: Round<Session>): void {
    const session = audience.sessions[place]!;
    this.#receivers.stalled(session);
    if (next !== undefined) this.#settle(session, next);
  }

  #deliver(place: number, round: Round<Session>): void {
    const { messages, next } = round;
    const session = round.audience.sessions[place]!;
    const first = round.firstFor(place);
    if (first < messages.length) {
      if (first === 0) this.#receivers.deliver(session, messages);
      else this.#receivers.queue(session, messages, first);
    }
    // It may have something to send now, or take nothing.
    if (next !== undefined) this.#settle(session, next);
  }

  /** The session takes nothing now. */
  block(session: Session): void {
    this.#blocked.add(session);
  }

  /** It takes packets again. */
  unblock(session: Session): void {
    this.#blocked.delete(session);
  }

  /** The session has ended, perhaps while its packet was handled. */
  forget(session: Session): void {
    this.#blocked.delete(session);
    if (this.reading === session) this.reading = undefined;
  }
}

/** Whether sessions get in order what waits for two audiences side by side. */
function areOrdered(one: Receiving<object>, other: Receiving<object>): boolean {
  return one === other || (one.isDisjoint && other.isDisjoint);
}
