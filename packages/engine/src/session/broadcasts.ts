import type { EventLoop } from "../loop/event-loop.ts";
import type { Message } from "../protocol/packet.ts";
import type { Audience } from "./audience.ts";

/** With how many audiences it is cheaper to hand over what waits than to look for a session in each. */
const MANY = 64;

/** What broadcasts do to a session. */
export interface Receivers<Session> {
  /** Writes messages to a session that has nothing else to send, or else queues them there. */
  deliver(session: Session, messages: readonly Message[]): void;
  /** Queues messages in the session, as if they had been sent to it. */
  queue(session: Session, messages: readonly Message[], first: number): void;
}

/**
 * The broadcasts of a tick. They wait with their audience, so that a broadcast visits each session once, when the pass writes
 * to it, and not twice. It must not show: whoever looks at a session, sends to it or ends it calls {@link settle} first, which
 * queues in the session what it is to get. A session is therefore part of one waiting audience at most.
 */
export class Broadcasts<Session extends object> {
  readonly #receivers: Receivers<Session>;
  readonly #loop: EventLoop;
  readonly #ask: () => void;
  #waiting: Audience<Session>[] = [];
  /** The sessions whose transport takes nothing now. What is sent to them counts at once. */
  readonly #blocked: Set<Session> = new Set();
  /** The session whose packet is being handled: what is sent to it leaves with the answers. */
  reading: Session | undefined = undefined;
  /** Differs when an audience that was made earlier may be out of date. */
  epoch: number = 0;

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
   */
  send(audience: Audience<Session>, messages: readonly Message[], except: readonly Session[]): void {
    if (audience.served > 0) this.settleAll();
    if (audience.messages.length === 0) this.#add(audience);
    for (const session of except) this.#settle(session, audience);
    for (const message of messages) {
      message.keep();
      audience.messages.push(message);
    }
    for (const session of except) audience.skip(session);
    for (const session of this.#blocked) this.#settle(session, audience);
    if (this.reading !== undefined) this.#settle(this.reading, audience);
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
    const { messages } = audience;
    if (messages.length === 0 || !audience.isDue(session)) return;
    const first = audience.firstFor(session);
    if (first === messages.length) return;
    audience.skip(session);
    this.#receivers.queue(session, messages, first);
  }

  /** Queues in each session what it is to get. */
  settleAll(): void {
    let audience: Audience<Session> | undefined;
    while ((audience = this.#waiting[0]) !== undefined) {
      // Listeners may have finished it in between.
      while (this.#isUnfinished(audience)) {
        this.#settle(audience.sessions[audience.served]!, audience);
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
  }

  /** Writes what waits, to at most that many sessions. */
  run(limit: number): void {
    let left = limit;
    let audience: Audience<Session> | undefined;
    while ((audience = this.#waiting[0]) !== undefined) {
      while (this.#isUnfinished(audience)) {
        if (left-- === 0) return;
        this.#deliver(audience.sessions[audience.served++]!, audience);
      }
      this.#finish(audience);
    }
  }

  #deliver(session: Session, audience: Audience<Session>): void {
    const { messages } = audience;
    const first = audience.firstFor(session);
    if (first === messages.length) return;
    try {
      if (first === 0) this.#receivers.deliver(session, messages);
      else this.#receivers.queue(session, messages, first);
    } catch (error) {
      this.#loop.rethrow(error);
    }
  }

  /** The transport of the session takes nothing now. */
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
