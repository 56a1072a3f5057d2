import type { EventLoop } from "./event-loop.ts";
import { NodeEventLoop } from "./event-loop.ts";

/** Something that happens unless it is cancelled in time. The entry is itself the node of the list. */
export abstract class Deadline {
  /** @internal */ at = 0;
  /** @internal */ previous: Deadline | undefined = undefined;
  /** @internal */ next: Deadline | undefined = undefined;
  /** @internal */ queue: DeadlineQueue | undefined = undefined;

  /** Whether it is to expire. */
  get isScheduled(): boolean {
    return this.queue !== undefined;
  }

  /** @internal Called when the time is over. The entry is not scheduled any more and may be scheduled again. */
  abstract onExpired(): void;
}

/**
 * All timeouts of one engine, on one Node timer per distinct duration.
 *
 * Sessions share a handful of durations (`pingInterval`, `pingTimeout`, `upgradeTimeout`…), and entries of one duration expire in
 * the order in which they were scheduled. So a linked list is an exact timer wheel: it schedules, moves and cancels in O(1) and
 * allocates nothing. A timer of Node costs eight times as much to move.
 */
export class Clock {
  readonly #queues: Map<number, DeadlineQueue> = new Map();
  readonly #loop: EventLoop;
  #recent = 0;
  #isRecent = false;
  readonly #forget = (): void => {
    this.#isRecent = false;
  };

  constructor(loop: EventLoop = new NodeEventLoop()) {
    this.#loop = loop;
  }

  /** The time at most `RECENT` ms ago, in whole ms. For those who ask all the time: the loop is asked once for all of them. */
  recent(): number {
    if (!this.#isRecent) {
      this.#recent = Math.round(this.#loop.now());
      this.#isRecent = true;
      this.#loop.setTimeout(this.#forget, RECENT);
    }
    return this.#recent;
  }

  /** (Re)starts the deadline `ms` milliseconds from now. */
  schedule(deadline: Deadline, given: number): void {
    // An application may have assigned text to `engine.opts`.
    const ms = Number(given);
    let queue = this.#queues.get(ms);
    if (queue === undefined) {
      queue = new DeadlineQueue(ms, this.#loop);
      this.#queues.set(ms, queue);
    }
    if (deadline.queue !== undefined) deadline.queue.remove(deadline);
    const now = this.#loop.now();
    if (now - this.#recent > LOST) this.#isRecent = false;
    queue.append(deadline, now);
  }

  cancel(deadline: Deadline): void {
    deadline.queue?.remove(deadline);
  }

  /**
   * Calls back once, in the engine's own context, without keeping the process alive. For whoever shares one timer among different
   * durations.
   */
  after(run: () => void, ms: number): void {
    this.#loop.setTimeout(run, ms);
  }

  /** Number of Node timers that are running, whatever the number of deadlines. */
  get timers(): number {
    let running = 0;
    for (const queue of this.#queues.values()) if (queue.armed) running++;
    return running;
  }
}

/** In ms. */
const RECENT = 20;

/**
 * A timer that fires later than this, in ms, finds a loop that was blocked: what clients have sent meanwhile is still in the
 * kernel, and no deadline expires before it was read. One that fires in time may find a loop that was blocked until a moment ago,
 * so one turn is awaited in any case.
 */
const LATE = 10;

/** A timer that is this late, in ms, is replaced: fake timers of a test may have swallowed it. */
const LOST = 1000;

/** Turns that the loop needs to accept a connection, read the head of its request, and read the body. */
const TURNS = 3;

/** The longest delay of Node's timers, in ms. */
const MAX_DELAY = 2 ** 31 - 1;

class DeadlineQueue {
  readonly #ms: number;
  /** Deadlines this close to each other expire together: fewer wake-ups for thousands of sessions. */
  readonly #slack: number;
  #head: Deadline | undefined = undefined;
  #tail: Deadline | undefined = undefined;
  /** The loop will call `#fire`. */
  #waiting = false;
  /** When it should do so. */
  #due = 0;
  /** Counts the calls requested from the loop. Only the last one has an effect. */
  #asked = 0;
  readonly #loop: EventLoop;

  constructor(ms: number, loop: EventLoop) {
    this.#ms = ms;
    this.#loop = loop;
    this.#slack = Math.min(20, ms / 100);
  }

  get armed(): boolean {
    return this.#head !== undefined;
  }

  append(deadline: Deadline, now: number): void {
    // A whole number is not an object of its own.
    deadline.at = Math.ceil(now + this.#ms);
    deadline.queue = this;
    deadline.previous = this.#tail;
    if (this.#tail === undefined) {
      this.#head = deadline;
      if (!this.#waiting) this.#wait(this.#ms);
    } else {
      this.#tail.next = deadline;
    }
    this.#tail = deadline;
    if (now - this.#due > LOST) this.#wait(Math.max(1, this.#head!.at - now), TURNS);
  }

  remove(deadline: Deadline): void {
    if (deadline.previous === undefined) this.#head = deadline.next;
    else deadline.previous.next = deadline.next;
    if (deadline.next === undefined) this.#tail = deadline.previous;
    else deadline.next.previous = deadline.previous;
    // The timer stays: a session that moves its only deadline would otherwise start a new one each time.
    deadline.previous = deadline.next = deadline.queue = undefined;
  }

  /** Sockets keep a process alive, deadlines do not. */
  #wait(ms: number, turns: number = 1): void {
    this.#waiting = true;
    const asked = ++this.#asked;
    const delay = Math.min(ms, MAX_DELAY);
    const due = this.#loop.now() + delay;
    this.#due = due;
    this.#loop.setTimeout(() => this.#fire(asked, this.#loop.now() - due > LATE ? TURNS : turns), delay);
  }

  /** @param turns - of the loop to wait for */
  #fire(asked: number, turns: number): void {
    if (asked !== this.#asked) return;
    if (turns > 0) {
      this.#loop.setImmediate(() => this.#fire(asked, turns - 1));
      return;
    }
    this.#waiting = false;
    const due = this.#loop.now() + this.#slack;
    try {
      while (this.#head !== undefined && this.#head.at <= due) {
        const deadline = this.#head;
        this.remove(deadline);
        deadline.onExpired();
      }
    } finally {
      // Also if a listener threw: the others keep their deadlines.
      if (this.#head !== undefined && !this.#waiting) {
        this.#wait(Math.max(1, this.#head.at - this.#loop.now()));
      }
    }
  }
}
