import type { EventLoop } from "../src/loop/event-loop.ts";

interface Timer {
  at: number;
  run: () => void;
}

/** An event loop whose clock the test advances. */
export class DrivenLoop implements EventLoop {
  /** What nobody caught. */
  readonly uncaught: unknown[] = [];
  #now = 0;
  #timers: Timer[] = [];
  #immediates: (() => void)[] = [];

  now(): number {
    return this.#now;
  }

  setTimeout(run: () => void, ms: number): void {
    // Node's shortest delay.
    this.#timers.push({ at: this.#now + Math.max(1, ms), run });
  }

  setImmediate(run: () => void): void {
    this.#immediates.push(run);
  }

  rethrow(error: unknown): void {
    this.uncaught.push(error);
  }

  /** Timers that have not fired. */
  get timers(): number {
    return this.#timers.length;
  }

  /** What waits for the end of the tick. */
  get immediates(): number {
    return this.#immediates.length;
  }

  /** What was asked for never comes, as when fake timers were uninstalled before they fired. */
  lose(): void {
    this.#timers = [];
    this.#immediates = [];
  }

  /** Ends the tick. */
  tick(): void {
    const immediates = this.#immediates;
    this.#immediates = [];
    for (const run of immediates) this.#call(run);
  }

  /** Time that passed while something ran, in ms: timers that are due since then have not fired. */
  spent: number = 0;

  /** Time passes while something runs. */
  spend(ms: number): void {
    this.#now += ms;
    this.spent += ms;
  }

  /** Blocks the loop: time passes, then the timers that are due fire, before anything else can be read. */
  block(ms: number): void {
    this.#now += ms;
    const due = this.#timers.filter(({ at }) => at <= this.#now).toSorted((a, b) => a.at - b.at);
    this.#timers = this.#timers.filter(({ at }) => at > this.#now);
    for (const { run } of due) this.#call(run);
  }

  /** Time passes while the loop is in the middle of something. */
  stall(ms: number): void {
    this.#now += ms;
  }

  /** Lets time pass, timer by timer. */
  advance(ms: number): void {
    const end = this.#now + ms;
    this.spent = 0;
    for (;;) {
      while (this.#immediates.length > 0) this.tick();
      let first: Timer | undefined;
      for (const timer of this.#timers) if (first === undefined || timer.at < first.at) first = timer;
      if (first === undefined || first.at > end) {
        if (this.#immediates.length > 0) continue;
        break;
      }
      this.#timers.splice(this.#timers.indexOf(first), 1);
      this.#now = Math.max(this.#now, first.at);
      this.#call(first.run);
    }
    this.#now = Math.max(this.#now, end);
  }

  #call(run: () => void): void {
    try {
      run();
    } catch (error) {
      this.uncaught.push(error);
    }
  }
}
