import { Contexts } from "../loop/contexts.ts";
import type { EventLoop } from "../loop/event-loop.ts";
import { NodeEventLoop } from "../loop/event-loop.ts";

/** A pass that has not come after this time, in ms, is requested again: a second one finds nothing to do. */
const LOST = 1000;

/**
 * Flushes each session that has something to send once per tick, whatever was sent to it in between: one system call per
 * session and tick. uWebSockets.js has a single cork buffer, which the socket being served holds; the pass runs after the
 * handlers, when each session in turn can have it.
 */
export class FlushQueue<Session extends object> {
  readonly #flush: (session: Session) => void;
  #waiting: Session[] = [];
  /** When the pass was requested. */
  #askedAt = 0;
  readonly #loop: EventLoop;
  readonly #contexts: Contexts;
  #turn = 0;
  /** Whether the end of the turn is awaited. */
  #isCounting = false;

  constructor(
    flush: (session: Session) => void,
    loop: EventLoop = new NodeEventLoop(),
    contexts: Contexts = new Contexts(),
  ) {
    this.#flush = flush;
    this.#loop = loop;
    this.#contexts = contexts;
  }

  /** Adds a session that is not in the queue. */
  add(session: Session): void {
    if (this.#waiting.push(session) === 1) this.#ask(this.#loop.now());
  }

  /** Requests a pass again that has not come: fake timers of a test may have swallowed it. Called for each new session. */
  revive(): void {
    if (this.#waiting.length === 0) return;
    const now = this.#loop.now();
    if (now - this.#askedAt > LOST) this.#ask(now);
  }

  #ask(now: number): void {
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

  readonly #run = (): void => {
    const batch = this.#waiting;
    this.#waiting = [];
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
