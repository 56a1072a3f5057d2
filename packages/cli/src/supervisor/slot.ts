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
  #restart: NodeJS.Timeout | undefined = undefined;
  #isStopped = false;

  constructor(number: number, owner: SlotOwner) {
    this.number = number;
    this.#owner = owner;
  }

  /** Starts the worker, and starts it again whenever it ends. */
  start(): void {
    const worker = this.#owner.fork(this.number);
    this.#keep(worker);
    void this.#becomesReady(worker);
  }

  /**
   * Starts a worker in place of the one that runs, if one does, which goes on until the new one is ready.
   *
   * @returns whether it became ready; otherwise nothing has changed
   */
  async replace(): Promise<boolean> {
    const worker = this.#owner.fork(this.number);
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
    const workers = [this.#current, this.#next].filter((worker) => worker !== undefined);
    const ends = await Promise.all(workers.map((worker) => this.#retire(worker, within)));
    return ends.every(Boolean);
  }

  kill(): void {
    this.#current?.kill();
    this.#next?.kill();
  }

  #keep(worker: WorkerProcess): void {
    clearTimeout(this.#restart);
    this.#current = worker;
    void worker.ended.then((how) => {
      // Another one may have taken its place, and the end of this one is wanted.
      if (this.#current !== worker) return;
      this.#current = undefined;
      if (this.#isStopped) return;
      const delay = this.#backoff.next(worker.readyFor);
      const when = delay === 0 ? "now" : `in ${delay / 1000} s`;
      this.#owner.say(`${nameOf(worker)} has ended (${how}); another one starts ${when}`);
      this.#restart = setTimeout(() => this.start(), delay);
    });
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

  async #retire(worker: WorkerProcess, within: number): Promise<boolean> {
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
