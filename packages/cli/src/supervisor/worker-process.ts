import type { Worker } from "node:cluster";
import { isHandedOver, isReady } from "../worker/messages.ts";
import type { ReadyMessage, RetireMessage } from "../worker/messages.ts";

/** How a process ended, such as `code 1` or `SIGKILL`. */
export type End = string;

const NO_ROOM = "the system allows no more processes, or no more open files (ulimit -u, ulimit -n)";

/** One process that runs the application's script. */
export class WorkerProcess {
  /** Its place among the workers, from 1 on. */
  readonly number: number;
  readonly pid: number;
  /** Resolves when it listens; never if it does not. */
  readonly ready: Promise<ReadyMessage | undefined>;
  readonly ended: Promise<End>;
  readonly #worker: Worker;
  #readySince: number | undefined = undefined;
  #isHandedOver = false;
  #hasEnded = false;

  /** @throws Error if the worker could not be started */
  constructor(number: number, worker: Worker) {
    // What fails later, such as a message to it, is not its end, and must not be that of the supervisor.
    worker.on("error", () => {});
    const { pid } = worker.process;
    if (pid === undefined) throw new Error(NO_ROOM);
    this.number = number;
    this.pid = pid;
    this.#worker = worker;
    this.ready = new Promise((resolve) => {
      worker.on("message", (message: unknown) => {
        if (isHandedOver(message)) this.#isHandedOver = true;
        if (!isReady(message) && message !== "ready") return;
        this.#readySince ??= performance.now();
        resolve(message === "ready" ? undefined : message);
      });
    });
    this.ended = new Promise((resolve) => {
      worker.once("exit", (code: number | null, signal: string | null) => {
        this.#hasEnded = true;
        resolve(signal ?? `code ${code}`);
      });
    });
  }

  /** Whether its clients have left, and a listener of SIGTERM of the application is to end it. */
  get isHandedOver(): boolean {
    return this.#isHandedOver;
  }

  /** For how long it has been ready, in ms. */
  get readyFor(): number {
    return this.#readySince === undefined ? 0 : performance.now() - this.#readySince;
  }

  /**
   * Lets the worker stop listening, let its clients go and end. Kills it if it has not ended in time.
   *
   * @param within - how long its clients may take to leave, in ms
   * @param limit - how long it may take to end after that, in ms
   * @returns whether it ended by itself
   */
  async retire(within: number, limit: number): Promise<boolean> {
    if (this.#hasEnded) return true;
    const message: RetireMessage = { type: "tidewire:retire", within };
    this.#worker.send(message, (error: Error | null) => {
      // The application has closed the channel.
      if (error !== null) this.#worker.process.kill("SIGTERM");
    });
    let isKilled = false;
    const timer = setTimeout(() => {
      isKilled = true;
      this.kill();
    }, within + limit);
    await this.ended;
    clearTimeout(timer);
    return !isKilled;
  }

  kill(): void {
    this.#worker.process.kill("SIGKILL");
  }
}
