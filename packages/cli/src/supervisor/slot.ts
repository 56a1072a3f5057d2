import { Backoff } from "./backoff.ts";
import type { WorkerProcess } from "./worker-process.ts";

/** Why a worker does not end after the application's own listener of SIGTERM was called. */
const OPEN =
  "the script's listener of SIGTERM leaves something open, such as a connection to a database; close it, or call process.exit()";

/** What a slot calls at its supervisor. */
export interface SlotOwner {
  readonly readyTimeout: number;
  readonly stopTimeout: number;
  /** How long the clients of a worker may take to leave, in ms. */
  readonly drainTime: number;
  /** @throws Error if it cannot be started */
  fork(number: number): WorkerProcess;
  say(text: string): void;
}

/** The place of one worker: keeps a process in it, and replaces it. */
export class Slot {
  readonly number: number;
  readonly #owner: SlotOwner;
  readonly #backoff: Backoff = new Backoff();
  #current: WorkerProcess | undefined = undefined;
  #next: WorkerProcess | undefined = undefined;
  /** Those that are to end, one that was replaced among them, and whether they do so by themselves. */
  readonly #retiring: Map<WorkerProcess, Promise<boolean>> = new Map();
  #restart: NodeJS.Timeout | undefined = undefined;
  #isStopped = false;

  constructor(number: number, owner: SlotOwner) {
    this.number = number;
    this.#owner = owner;
  }

  /** Starts the worker, and starts it again whenever it ends. */
  start(): void {
    const worker = this.#fork();
    if (typeof worker === "string") return this.#startAgain(worker, 0);
    this.#keep(worker);
    void this.#becomesReady(worker);
  }

  /** Returns a message if it cannot be started. */
  #fork(): WorkerProcess | string {
    try {
      return this.#owner.fork(this.number);
    } catch (error) {
      return `worker ${this.number} could not be started: ${(error as Error).message}`;
    }
  }

  /**
   * Starts a worker in place of the one that runs, if one does, which goes on until the new one is ready.
   *
   * @returns whether it became ready; otherwise nothing has changed
   */
  async replace(): Promise<boolean> {
    const worker = this.#fork();
    if (typeof worker === "string") {
      this.#owner.say(worker);
      return false;
    }
    this.#next = worker;
    const isReady = await this.#becomesReady(worker);
    this.#next = undefined;
    if (!isReady || this.#isStopped) {
      await this.#retire(worker, 0);
      return false;
    }
    const old = this.#current;
    this.#keep(worker);
    if (old !== undefined) await this.#retire(old, this.#owner.drainTime);
    return true;
  }

  /**
   * Ends the worker.
   *
   * @param within - how long its clients may take to leave, in ms
   * @returns whether it ended by itself
   */
  async stop(within: number): Promise<boolean> {
    this.#isStopped = true;
    clearTimeout(this.#restart);
    for (const worker of [this.#current, this.#next]) {
      if (worker !== undefined) void this.#retire(worker, within);
    }
    const ends = await Promise.all(this.#retiring.values());
    return ends.every(Boolean);
  }

  kill(): void {
    for (const worker of new Set([this.#current, this.#next, ...this.#retiring.keys()])) worker?.kill();
  }

  #keep(worker: WorkerProcess): void {
    clearTimeout(this.#restart);
    this.#current = worker;
    void worker.ended.then((how) => {
      // Another one may have taken its place, and the end of this one is wanted.
      if (this.#current !== worker) return;
      this.#current = undefined;
      if (!this.#isStopped) this.#startAgain(`${nameOf(worker)} has ended (${how})`, worker.readyFor);
    });
  }

  /** @param lifetime - how long the last worker was ready, in ms */
  #startAgain(why: string, lifetime: number): void {
    const delay = this.#backoff.next(lifetime);
    const when = delay === 0 ? "now" : `in ${delay / 1000} s`;
    this.#owner.say(`${why}; another one starts ${when}`);
    this.#restart = setTimeout(() => this.start(), delay);
  }

  async #becomesReady(worker: WorkerProcess): Promise<boolean> {
    const { readyTimeout } = this.#owner;
    let timer: NodeJS.Timeout | undefined = undefined;
    const late = new Promise<"late">((resolve) => {
      timer = setTimeout(() => resolve("late"), readyTimeout);
    });
    const outcome = await Promise.race([
      worker.ready.then((message) => ({ message })),
      worker.ended.then((how) => ({ how })),
      late,
    ]);
    clearTimeout(timer);
    if (outcome === "late") {
      this.#owner.say(
        `${nameOf(worker)} does not listen after ${readyTimeout / 1000} s and is ended: ` +
          'start a server of Tidewire, or call process.send("ready")',
      );
      await this.#retire(worker, 0);
      return false;
    }
    if ("how" in outcome) return false;
    const { message } = outcome;
    const where = message?.address === undefined ? "" : ` on ${message.address}`;
    this.#owner.say(`${nameOf(worker)} is ready${where}`);
    return true;
  }

  /** @returns whether it ended by itself */
  #retire(worker: WorkerProcess, within: number): Promise<boolean> {
    const begun = this.#retiring.get(worker);
    if (begun !== undefined) return begun;
    const retirement = this.#letEnd(worker, within).finally(() => this.#retiring.delete(worker));
    this.#retiring.set(worker, retirement);
    return retirement;
  }

  async #letEnd(worker: WorkerProcess, within: number): Promise<boolean> {
    const { stopTimeout } = this.#owner;
    const hasEnded = await worker.retire(within, stopTimeout);
    if (!hasEnded) {
      const reason = worker.isHandedOver ? `: ${OPEN}` : "";
      this.#owner.say(
        `${nameOf(worker)} was killed, because it did not end within ${stopTimeout / 1000} s${reason}`,
      );
    }
    return hasEnded;
  }
}

function nameOf({ number, pid }: WorkerProcess): string {
  return `worker ${number} (pid ${pid})`;
}
