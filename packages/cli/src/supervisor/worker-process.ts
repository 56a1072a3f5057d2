import type { Worker } from "node:cluster";
import { isHandedOver, isReady } from "../worker/messages.ts";
import type { ReadyMessage, RetireMessage } from "../worker/messages.ts";

/** How a process ended, such as `code 1` or `SIGKILL`. */
export type End = string;

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

  constructor(number: number, worker: Worker) {
    this.number = number;
    this.pid = worker.process.pid ?? 0;
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
      const end = (how: End): void => {
        this.#hasEnded = true;
        resolve(how);
      };
      worker.once("exit", (code: number | null, signal: string | null) => end(signal ?? `code ${code}`));
      // It could not be started. Whatever fails later must not end the supervisor.
      worker.on("error", (error: Error) => end(error.message));
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
