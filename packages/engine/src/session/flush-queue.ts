import { Contexts } from "../loop/contexts.ts";
import type { EventLoop } from "../loop/event-loop.ts";
import { NodeEventLoop } from "../loop/event-loop.ts";
import { Broadcasts } from "./broadcasts.ts";
import type { Receivers } from "./broadcasts.ts";

/** A pass that has not come after this time, in ms, is requested again: a second one finds nothing to do. */
const LOST = 1000;

/** In how many queued sessions it is cheaper to queue their broadcasts, too, than to look at each receiver. */
const FEW = 64;

/** What the queue does to a session. */
export interface FlushHandlers<Session> extends Receivers<Session> {
  flush(session: Session): void;
}

/**
 * Flushes each session that has something to send once per tick, whatever was sent to it in between: one system call per
 * session and tick. uWebSockets.js has a single cork buffer, which the socket being served holds; the pass runs after the
 * handlers, when each session in turn can have it.
 */
export class FlushQueue<Session extends object> {
  readonly broadcasts: Broadcasts<Session>;
  /** How many sessions are written to before the event loop has a turn. */
  slice: number = 500;
  readonly #flush: (session: Session) => void;
  #waiting: Session[] = [];
  /** Whether a pass was requested, and when. */
  #isAsked = false;
  #askedAt = 0;
  readonly #loop: EventLoop;
  readonly #contexts: Contexts;
  #turn = 0;
  /** Whether the end of the turn is awaited. */
  #isCounting = false;

  constructor(
    handlers: FlushHandlers<Session>,
    loop: EventLoop = new NodeEventLoop(),
    contexts: Contexts = new Contexts(),
  ) {
    this.#flush = (session) => handlers.flush(session);
    this.#loop = loop;
    this.#contexts = contexts;
    this.broadcasts = new Broadcasts(handlers, loop, () => this.#request());
  }

  /** Adds a session that is not in the queue. */
  add(session: Session): void {
    this.#waiting.push(session);
    this.#request();
  }

  #request(): void {
    if (!this.#isAsked) this.#ask(this.#loop.now());
  }

  /** Requests a pass again that has not come: fake timers of a test may have swallowed it. Called for each new session. */
  revive(): void {
    if (!this.#isAsked) return;
    const now = this.#loop.now();
    if (now - this.#askedAt > LOST) this.#ask(now);
  }

  #ask(now: number): void {
    this.#isAsked = true;
    this.#askedAt = now;
    this.#loop.setImmediate(this.#run);
  }

  /** Differs from one turn of the event loop to the next. Turns are counted only while somebody asks. */
  get turn(): number {
    if (!this.#isCounting) {
      this.#isCounting = true;
      this.#loop.setImmediate(this.#nextTurn);
    }
    return this.#turn;
  }

  readonly #nextTurn = (): void => {
    this.#isCounting = false;
    // A small integer, which costs no memory of its own.
    this.#turn = (this.#turn + 1) & 0x3fffffff;
  };

  /** Returns whether broadcasts may ignore the queue: each session in it has queued theirs, too. */
  #settleQueued(): boolean {
    const queued = this.#waiting;
    if (queued.length > FEW) return false;
    for (const session of queued) this.broadcasts.settle(session);
    return true;
  }

  readonly #run = (): void => {
    this.#isAsked = false;
    this.broadcasts.run(this.slice, this.#settleQueued());
    const batch = this.#waiting.splice(0, this.slice);
    if (this.broadcasts.isWaiting || this.#waiting.length > 0) this.#request();
    for (const session of batch) {
      try {
        this.#contexts.run(session, this.#flush);
      } catch (error) {
        // A listener of one session threw; the others are still flushed.
        this.#loop.rethrow(error);
      }
    }
  };
}
