import { Contexts } from "../loop/contexts.ts";
import type { EventLoop } from "../loop/event-loop.ts";
import { NodeEventLoop } from "../loop/event-loop.ts";

/** A pass that has not come after this time, in ms, is asked for again: a second one finds nothing to do. */
const LOST = 1000;

/** A session with packets to send. */
export interface Flushable {
  /** Whether it is in the queue. */
  flushScheduled: boolean;
  flush(): void;
}

/**
 * Flushes each session that has something to send once per tick, whatever was emitted to it in between: one system call per
 * session and tick. uWebSockets.js has a single cork buffer, which the socket being served holds; the pass runs after the
 * handlers, when each session in turn can have it.
 */
export class FlushQueue {
  #waiting: Flushable[] = [];
  /** When the pass was asked for. */
  #askedAt = 0;
  readonly #loop: EventLoop;
  readonly #contexts: Contexts;
  #turn = 0;
  /** Whether the end of the turn is waited for. */
  #isCounting = false;

  constructor(loop: EventLoop = new NodeEventLoop(), contexts: Contexts = new Contexts()) {
    this.#loop = loop;
    this.#contexts = contexts;
  }

  add(session: Flushable): void {
    if (session.flushScheduled) return;
    session.flushScheduled = true;
    if (this.#waiting.push(session) === 1) this.#ask(this.#loop.now());
  }

  /** Asks for a pass that has not come, as fake timers of a test may have swallowed it. Called for each new session. */
  revive(): void {
    if (this.#waiting.length === 0) return;
    const now = this.#loop.now();
    if (now - this.#askedAt > LOST) this.#ask(now);
  }

  #ask(now: number): void {
    this.#askedAt = now;
    this.#loop.setImmediate(this.#run);
  }

  /** Tells turns of the event loop apart. They are counted only while somebody asks. */
  get turn(): number {
    if (!this.#isCounting) {
      this.#isCounting = true;
      this.#loop.setImmediate(this.#nextTurn);
    }
    return this.#turn;
  }

  readonly #nextTurn = (): void => {
    this.#isCounting = false;
    // A small integer, so that it costs no memory of its own.
    this.#turn = (this.#turn + 1) & 0x3fffffff;
  };

  readonly #run = (): void => {
    const batch = this.#waiting;
    this.#waiting = [];
    for (const session of batch) {
      session.flushScheduled = false;
      try {
        this.#contexts.run(session, flush);
      } catch (error) {
        // A listener of one session threw; the others are not concerned.
        this.#loop.rethrow(error);
      }
    }
  };
}

function flush(this: Flushable): void {
  this.flush();
}
