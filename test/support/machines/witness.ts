import { io as connect } from "socket.io-client";
import type { ManagerOptions, Socket, SocketOptions } from "socket.io-client";
import { ROOMS } from "./settings.ts";

/** Which numbers of a sequence have arrived. */
class Tally {
  /** All up to this one have arrived, or were missed by right. */
  #low = 0;
  /** Those that have arrived before others. */
  readonly #ahead: Set<number> = new Set();
  #latest = 0;
  /** The client has begun anew: whatever it has missed, its application has to find out. */
  #mayJump = false;
  twice = 0;
  late = 0;

  add(number: number): void {
    if (number <= this.#low || this.#ahead.has(number)) {
      this.twice++;
      return;
    }
    if (number < this.#latest) this.late++;
    this.#latest = Math.max(number, this.#latest);
    if (this.#mayJump) this.#low = number - 1;
    this.#mayJump = false;
    this.#ahead.add(number);
    while (this.#ahead.delete(this.#low + 1)) this.#low++;
  }

  beginAnew(): void {
    this.#low = this.#latest;
    this.#ahead.clear();
    this.#mayJump = true;
  }

  /** How many are missing up to the last one, or up to the latest that has arrived. */
  missing(last: number = this.#latest): number {
    return this.#mayJump ? 0 : last - this.#low - this.#ahead.size;
  }
}

/** What happened to a client, or to all of them. */
export interface Outcome {
  /** How often it was disconnected. */
  readonly losses: number;
  /** How often a connection broke before it could be used. */
  readonly interrupted: number;
  /** How often it could not connect. */
  readonly refused: number;
  readonly recovered: number;
  readonly anew: number;
  readonly missing: number;
  readonly twice: number;
  /** Events that others of the same node and room have overtaken. */
  readonly late: number;
}

export type WitnessOptions = Partial<ManagerOptions & SocketOptions>;

/** An official client that keeps account of the numbered events that it gets. */
export class Witness implements Disposable {
  readonly socket: Socket;
  readonly room: number;
  /** The process that has its session. */
  pid = 0;
  /** How long it was away at most, in ms. */
  longest = 0;
  #losses = 0;
  #interrupted = 0;
  #isConnected = false;
  /** Why it could not connect. */
  readonly refusals: string[] = [];
  #recovered = 0;
  #anew = 0;
  #lostAt = 0;
  readonly #tallies: Map<string, Tally> = new Map();

  constructor(url: string, room: number, options: WitnessOptions) {
    this.room = room;
    this.socket = connect(url, { forceNew: true, auth: { room }, ...options });
    this.socket.on("disconnect", () => this.#onDisconnect());
    this.socket.on("connect_error", (error) => this.refusals.push(reasonOf(error)));
    this.socket.on("connect", () => this.#onConnect());
    this.socket.on("node", (pid: number) => (this.pid = pid));
    this.socket.on("said", (pid: number, group: number, number: number) =>
      this.#tally(pid, group).add(number),
    );
  }

  /** Its connection breaks, and it comes back by itself. */
  breakConnection(): void {
    this.socket.io.engine.close();
  }

  /** Whether it is connected, and has all that its room and everybody were sent. */
  hasHeard(pid: number, sent: readonly number[]): boolean {
    return this.socket.connected && this.missingOf(pid, sent) === 0;
  }

  missingOf(pid: number, sent: readonly number[]): number {
    return [this.room, ROOMS].reduce(
      (sum, group) => sum + this.#tally(pid, group).missing(sent[group] ?? 0),
      0,
    );
  }

  /** What is wrong with it. */
  describe(sent: ReadonlyMap<number, readonly number[]>): string {
    const missing = [...sent].map(([pid, last]) => `${this.missingOf(pid, last)} of ${pid}`);
    const state = this.socket.connected ? `connected to ${this.pid}` : "not connected";
    return `room ${this.room} ${state}, misses ${missing.join(", ")}, ${JSON.stringify(this.outcome)}`;
  }

  get outcome(): Outcome {
    const tallies = [...this.#tallies.values()];
    const sum = (of: (tally: Tally) => number): number =>
      tallies.reduce((total, tally) => total + of(tally), 0);
    return {
      losses: this.#losses,
      interrupted: this.#interrupted,
      refused: this.refusals.length,
      recovered: this.#recovered,
      anew: this.#anew,
      missing: sum((tally) => tally.missing()),
      twice: sum(({ twice }) => twice),
      late: sum(({ late }) => late),
    };
  }

  /** The client says so, too, when a connection breaks on which the server has not answered yet. */
  #onDisconnect(): void {
    if (this.#isConnected) {
      this.#losses++;
      this.#lostAt = performance.now();
    } else {
      this.#interrupted++;
    }
    this.#isConnected = false;
  }

  #onConnect(): void {
    this.#isConnected = true;
    if (this.#losses === 0) return;
    this.longest = Math.max(this.longest, performance.now() - this.#lostAt);
    if (this.socket.recovered) {
      this.#recovered++;
    } else {
      this.#anew++;
      for (const tally of this.#tallies.values()) tally.beginAnew();
    }
  }

  #tally(pid: number, group: number): Tally {
    const key = `${pid} ${group}`;
    let tally = this.#tallies.get(key);
    if (tally === undefined) this.#tallies.set(key, (tally = new Tally()));
    return tally;
  }

  [Symbol.dispose](): void {
    this.socket.close();
  }
}

export function outcomeOf(witnesses: readonly Witness[]): Outcome {
  const sum = (name: keyof Outcome): number =>
    witnesses.reduce((total, { outcome }) => total + outcome[name], 0);
  return {
    losses: sum("losses"),
    interrupted: sum("interrupted"),
    refused: sum("refused"),
    recovered: sum("recovered"),
    anew: sum("anew"),
    missing: sum("missing"),
    twice: sum("twice"),
    late: sum("late"),
  };
}

function reasonOf(error: Error & { description?: unknown; context?: unknown }): string {
  const { message, description, context } = error;
  const { responseText = "" } = (context ?? {}) as { responseText?: string };
  return `${message}, ${String(description)} ${responseText}`;
}
