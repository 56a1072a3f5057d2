import { afterRead } from "../events/acks.ts";

/** Something that happens at a date, unless it is cancelled before. */
export abstract class Alarm {
  /** @internal in ms since 1970 */
  at: number = 0;
  /** @internal Where it is in the heap; -1 while it is not set. */
  place: number = -1;

  /** @internal Called once the date is reached. The alarm is not set any more and may be set again. */
  abstract onDue(): void;
}

/** Calls back once after `ms`, without keeping the process alive. */
export type StartTimer = (run: () => void, ms: number) => void;

/**
 * The longest sleep, in ms. Timers stand still while the machine sleeps, and its clock may be set: then dates are late by no more
 * than this. It also is less than a timer of Node can wait.
 */
const MAX_SLEEP = 60_000;

/** A timer that is this late, in ms, is replaced: fake timers of a test may have swallowed it. */
const LOST = 1000;

/** Calls back at dates, all of which may differ: a binary heap, and one timer for the next of them. */
export class Alarms {
  readonly #startTimer: StartTimer;
  readonly #heap: Alarm[] = [];
  /** When the timer is to fire, in ms since 1970; Infinity if none is running. */
  #wakesAt = Infinity;
  /** Counts the timers. Only the last one has an effect. */
  #asked = 0;

  constructor(startTimer: StartTimer) {
    this.#startTimer = startTimer;
  }

  /** How many are set. */
  get size(): number {
    return this.#heap.length;
  }

  /**
   * (Re)sets the alarm.
   * @param at - in ms since 1970; if that is over, it is called soon
   */
  set(alarm: Alarm, at: number): void {
    this.cancel(alarm);
    alarm.at = at;
    this.#rise(alarm, this.#heap.length);
    this.#wait();
  }

  /** The timer stays: it finds nothing to do. */
  cancel(alarm: Alarm): void {
    const { place } = alarm;
    if (place === -1) return;
    alarm.place = -1;
    const last = this.#heap.pop()!;
    if (last === alarm) return;
    this.#rise(last, place);
    if (last.place === place) this.#sink(last, place);
  }

  /** Moves an alarm from this place towards the first one. */
  #rise(alarm: Alarm, from: number): void {
    let place = from;
    while (place > 0) {
      const above = (place - 1) >> 1;
      const parent = this.#heap[above]!;
      if (parent.at <= alarm.at) break;
      this.#put(parent, place);
      place = above;
    }
    this.#put(alarm, place);
  }

  /** Moves an alarm from this place towards the last ones. */
  #sink(alarm: Alarm, from: number): void {
    let place = from;
    for (;;) {
      let below = 2 * place + 1;
      const right = this.#heap[below + 1];
      if (right !== undefined && right.at < this.#heap[below]!.at) below++;
      const child = this.#heap[below];
      if (child === undefined || child.at >= alarm.at) break;
      this.#put(child, place);
      place = below;
    }
    this.#put(alarm, place);
  }

  #put(alarm: Alarm, place: number): void {
    this.#heap[place] = alarm;
    alarm.place = place;
  }

  #wait(): void {
    const first = this.#heap[0];
    if (first === undefined) return;
    const now = Date.now();
    const wakesAt = Math.min(first.at, now + MAX_SLEEP);
    const isLost = now - this.#wakesAt > LOST;
    if (wakesAt >= this.#wakesAt && !isLost) return;
    this.#wakesAt = wakesAt;
    const asked = ++this.#asked;
    this.#startTimer(
      afterRead(() => this.#fire(asked)),
      Math.max(1, wakesAt - now),
    );
  }

  #fire(asked: number): void {
    if (asked !== this.#asked) return;
    this.#wakesAt = Infinity;
    const now = Date.now();
    try {
      for (let first = this.#heap[0]; first !== undefined && first.at <= now; first = this.#heap[0]) {
        this.cancel(first);
        first.onDue();
      }
    } finally {
      // Also if a listener threw: the others keep their dates.
      this.#wait();
    }
  }
}
