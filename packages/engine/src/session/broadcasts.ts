import type { EventLoop } from "../loop/event-loop.ts";
import type { Message } from "../protocol/packet.ts";
import type { FanOut } from "../transport/fan-out.ts";
import type { Audience } from "./audience.ts";

/** With how many audiences it is cheaper to hand over what waits than to look for a session in each. */
const MANY = 64;

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
 */
export class Broadcasts<Session extends object> {
  readonly #receivers: Receivers<Session>;
  readonly #loop: EventLoop;
  readonly #ask: () => void;
  #waiting: Audience<Session>[] = [];
  /** The sessions that take nothing now, or never again. What is sent to them counts at once. */
  readonly #blocked: Set<Session> = new Set();
  /** The session whose packet is being handled: what is sent to it leaves with the answers. */
  reading: Session | undefined = undefined;
  /** Differs when an audience that was made earlier may be out of date. */
  epoch: number = 0;
  /** Whether the application has laid its hands on what waits in a session, which only a look at the session tells. */
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
    if (audience.served > 0) this.settleAll();
    if (audience.messages.length === 0) this.#add(audience);
    for (const session of except) this.#settle(session, audience);
    for (const message of messages) {
      message.keep();
      audience.messages.push(message);
    }
    for (const session of except) {
      const place = audience.dueAt(session);
      if (place === undefined) continue;
      audience.skip(place);
      count--;
    }
    for (const session of this.#blocked) this.#settle(session, audience);
    if (this.reading !== undefined) this.#settle(this.reading, audience);
    return count;
  }

  #add(audience: Audience<Session>): void {
    const waiting = this.#waiting;
    if (waiting.length > 0 && !(audience.isDisjoint && waiting.every(({ isDisjoint }) => isDisjoint))) {
      this.settleAll();
    }
    if (this.#waiting.push(audience) === 1) this.#ask();
  }

  /** Queues in the session what it is to get. */
  settle(session: Session): void {
    if (this.#waiting.length > MANY) {
      this.settleAll();
      return;
    }
    for (const audience of this.#waiting) this.#settle(session, audience);
  }

  #settle(session: Session, audience: Audience<Session>): void {
    if (audience.messages.length === 0) return;
    const place = audience.dueAt(session);
    if (place !== undefined) this.#settleAt(place, audience);
  }

  #settleAt(place: number, audience: Audience<Session>): void {
    const { messages } = audience;
    const first = audience.firstFor(place);
    if (first === messages.length) return;
    audience.skip(place);
    this.#receivers.queue(audience.sessions[place]!, messages, first);
  }

  /** Queues in each session what it is to get. */
  settleAll(): void {
    let audience: Audience<Session> | undefined;
    while ((audience = this.#waiting[0]) !== undefined) {
      // Listeners may have finished it in between.
      while (this.#isUnfinished(audience)) {
        this.#settleAt(audience.served, audience);
        audience.served++;
      }
      this.#finish(audience);
    }
  }

  #isUnfinished(audience: Audience<Session>): boolean {
    return this.#waiting[0] === audience && audience.served < audience.sessions.length;
  }

  #finish(audience: Audience<Session>): void {
    if (this.#waiting[0] !== audience) return;
    this.#waiting.shift();
    audience.clear();
    if (this.#waiting.length === 0) this.isTouched = false;
  }

  /**
   * Writes what waits, to at most that many sessions.
   *
   * @param isAlone - whether nothing but broadcasts waits: then most sessions need no look at them
   */
  run(limit: number, isAlone: boolean): void {
    let left = limit;
    let audience: Audience<Session> | undefined;
    while ((audience = this.#waiting[0]) !== undefined) {
      let fanOut = isAlone ? this.#fanOutTo(audience) : undefined;
      while (this.#isUnfinished(audience)) {
        if (left-- === 0) return;
        const place = audience.served++;
        try {
          if (fanOut !== undefined && audience.firstFor(place) === 0) {
            if (!fanOut.write(place)) this.#receivers.stalled(audience.sessions[place]!);
          } else {
            this.#deliver(place, audience);
            // Listeners may have changed what it depends on.
            fanOut &&= this.#fanOutTo(audience);
          }
        } catch (error) {
          this.#loop.rethrow(error);
        }
      }
      this.#finish(audience);
    }
  }

  #fanOutTo({ fanOut, sessions, messages }: Audience<Session>): FanOut | undefined {
    if (fanOut === undefined || this.isTouched || this.#receivers.areWatched(sessions[0]!)) return undefined;
    fanOut.prepare(messages);
    return fanOut;
  }

  #deliver(place: number, audience: Audience<Session>): void {
    const { messages } = audience;
    const session = audience.sessions[place]!;
    const first = audience.firstFor(place);
    if (first === messages.length) return;
    if (first === 0) this.#receivers.deliver(session, messages);
    else this.#receivers.queue(session, messages, first);
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
