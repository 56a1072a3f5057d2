import { Deadline } from "../loop/clock.ts";
import type { Clock } from "../loop/clock.ts";

/** What a limit has refused. */
export interface LimitRefusal {
  /** Which limit, such as `TOO_MANY_CONNECTIONS`. */
  readonly code: string;
  /** The value of the option. */
  readonly limit: number;
  /** The address that was counted, if the limit is one of addresses. */
  readonly address?: string;
}

/** How often a limit has refused something since the last report of its code; the other properties describe the last time. */
export type LimitReport<Refusal extends LimitRefusal = LimitRefusal> = Refusal & { readonly times: number };

/** How long further refusals of a code are gathered into one report, in ms. */
const PAUSE = 1000;

/**
 * Counts what the limits refuse, by code, and reports it: at once, and then at most once per second and code, so that a flood does
 * not flood the log of the operator.
 */
export class LimitMonitor<Refusal extends LimitRefusal = LimitRefusal> {
  readonly #clock: () => Clock;
  readonly #emit: (report: LimitReport<Refusal>) => void;
  readonly #counts: Map<string, number> = new Map();
  readonly #pauses: Map<string, Pause<Refusal>> = new Map();

  constructor(clock: () => Clock, emit: (report: LimitReport<Refusal>) => void) {
    this.#clock = clock;
    this.#emit = emit;
  }

  /** How often each limit has refused something; codes that never did are absent. */
  get counts(): Readonly<Record<string, number>> {
    return Object.fromEntries(this.#counts);
  }

  /** Counts a refusal. */
  exceeded(refusal: Refusal): void {
    const { code } = refusal;
    this.#counts.set(code, (this.#counts.get(code) ?? 0) + 1);
    const pause = this.#pauses.get(code);
    if (pause === undefined) this.#report(refusal, 1);
    else pause.add(refusal);
  }

  #report(refusal: Refusal, times: number): void {
    const { code } = refusal;
    const pause = new Pause<Refusal>((latest, count) => {
      this.#pauses.delete(code);
      if (latest !== undefined) this.#report(latest, count);
    });
    this.#pauses.set(code, pause);
    this.#clock().schedule(pause, PAUSE);
    this.#emit({ ...refusal, times });
  }
}

/** Gathers the refusals of one code after a report. It keeps the context of no client. */
class Pause<Refusal> extends Deadline {
  #latest: Refusal | undefined = undefined;
  #times = 0;
  readonly #done: (latest: Refusal | undefined, times: number) => void;

  constructor(done: (latest: Refusal | undefined, times: number) => void) {
    super();
    this.#done = done;
  }

  add(refusal: Refusal): void {
    this.#latest = refusal;
    this.#times++;
  }

  onExpired(): void {
    this.#done(this.#latest, this.#times);
  }
}
