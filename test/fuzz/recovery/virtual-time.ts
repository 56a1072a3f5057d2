// Imported before everything else: the timers, clocks and random bytes of the process are those of the test from then on.
import { AsyncLocalStorage } from "node:async_hooks";
import crypto from "node:crypto";
import { syncBuiltinESMExports } from "node:module";
import { performance } from "node:perf_hooks";
import timers from "node:timers";
import { Random } from "../random.ts";

/** A process of the test: what it starts belongs to it, and its timers wait while it is stopped. */
export interface SimulatedProcess {
  readonly isStopped: boolean;
}

interface Timer {
  at: number;
  readonly run: () => void;
  readonly owner: SimulatedProcess | undefined;
}

/** The process that runs at present. */
export const running: AsyncLocalStorage<SimulatedProcess> = new AsyncLocalStorage();

/** The time of the test, in ms: it passes when the test says so. */
class VirtualTime {
  /** Not 0, which means "never" to some. */
  #now = 1e6;
  #timers: Set<Timer> = new Set();

  get now(): number {
    return this.#now;
  }

  set(run: () => void, ms: number): Timer {
    const timer = { at: this.#now + Math.max(1, ms || 0), run, owner: running.getStore() };
    this.#timers.add(timer);
    return timer;
  }

  delete(timer: Timer): void {
    this.#timers.delete(timer);
  }

  /** Forgets all timers. */
  clear(): void {
    this.#timers.clear();
  }

  /** Returns the next timer that is due until then, at its time; undefined if there is none. */
  #next(until: number): Timer | undefined {
    let first: Timer | undefined;
    for (const timer of this.#timers) {
      if (timer.owner?.isStopped !== true && (first === undefined || timer.at < first.at)) first = timer;
    }
    return first !== undefined && first.at <= until ? first : undefined;
  }

  /** Lets time pass. After each timer, `settle` lets everything happen that needs no time. */
  async pass(ms: number, settle: () => Promise<void>): Promise<void> {
    const end = this.#now + ms;
    for (let timer = this.#next(end); timer !== undefined; timer = this.#next(end)) {
      this.#now = Math.max(this.#now, timer.at);
      this.fire(timer);
      await settle();
    }
    this.#now = end;
    await settle();
  }

  /** Calls back what is due of a process that goes on: timers come before everything that waits to be read. */
  fireDue(owner: SimulatedProcess): void {
    const due = [...this.#timers].filter((timer) => timer.owner === owner && timer.at <= this.#now);
    for (const timer of due.toSorted((a, b) => a.at - b.at)) if (this.#timers.has(timer)) this.fire(timer);
  }

  fire({ run }: Timer): void;
  fire(timer: Timer): void {
    this.#timers.delete(timer);
    if (timer.owner === undefined) timer.run();
    else running.run(timer.owner, timer.run);
  }
}

export const time: VirtualTime = new VirtualTime();

/** What Node's `setTimeout` returns, as it is used here. */
class Timeout {
  readonly #timer: Timer;

  constructor(run: () => void, ms: number) {
    this.#timer = time.set(run, ms);
  }

  close(): void {
    time.delete(this.#timer);
  }

  ref(): this {
    return this;
  }

  unref(): this {
    return this;
  }
}

const fake = {
  setTimeout: (run: (...args: unknown[]) => void, ms: number = 1, ...args: unknown[]) =>
    new Timeout(() => run(...args), ms),
  clearTimeout: (timeout: Timeout | undefined) => timeout?.close(),
};

for (const each of [globalThis, timers]) {
  each.setTimeout = Object.assign(fake.setTimeout, { clock: time }) as never;
  each.clearTimeout = Object.assign(fake.clearTimeout, { clock: time }) as never;
}
Date.now = () => time.now;
performance.now = () => time.now;

let seed = 0;
/** By length, for some are made in advance. */
const generators: Map<number, Random> = new Map();

/** From here on, random bytes are those of a seed: the ids of nodes decide who connects to whom. */
export function seedRandomBytes(from: number): void {
  seed = from;
  generators.clear();
}

function fill<Bytes extends Uint8Array>(bytes: Bytes): Bytes {
  const generator = generators.get(bytes.length) ?? new Random(seed + bytes.length);
  generators.set(bytes.length, generator);
  for (let index = 0; index < bytes.length; index++) bytes[index] = generator.below(256);
  return bytes;
}

Object.assign(crypto, {
  randomFillSync: fill,
  randomBytes: (length: number) => fill(Buffer.alloc(length)),
});
syncBuiltinESMExports();
