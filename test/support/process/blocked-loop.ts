import { once } from "node:events";
import { Worker } from "node:worker_threads";
import { PATIENCE } from "../waiting/queue.ts";

/** Blocks the event loop, as a garbage collection or SIGSTOP does. */
export function block(ms: number): void {
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, ms);
}

/** Sends each text over a new TCP connection, and notes that in shared memory. */
const SENDER = `
const { parentPort, workerData } = require("node:worker_threads");
const { connect } = require("node:net");
parentPort.on("message", ({ port, text }) => {
  const socket = connect(port, "127.0.0.1");
  socket.on("error", () => {});
  socket.write(text, () => {
    Atomics.store(workerData, 0, 1);
    Atomics.notify(workerData, 0);
  });
});
`;

/** A client in its own thread, which keeps running while the loop of the test is blocked. */
export class OtherThread implements AsyncDisposable {
  readonly #sent = new Int32Array(new SharedArrayBuffer(4));
  readonly #worker: Worker;

  private constructor() {
    this.#worker = new Worker(SENDER, { eval: true, workerData: this.#sent });
  }

  static async start(): Promise<OtherThread> {
    const thread = new OtherThread();
    await once(thread.#worker, "online");
    return thread;
  }

  /** Blocks the loop until a new connection has been made and a POST sent over it, and for `ms` more. */
  postWhileBlocked(port: number, path: string, body: string, ms: number): void {
    const head = `POST ${path} HTTP/1.1\r\nHost: localhost\r\nContent-Length: ${body.length}\r\n\r\n`;
    this.#worker.postMessage({ port, text: head + body });
    const result = Atomics.wait(this.#sent, 0, 0, PATIENCE);
    if (result === "timed-out") throw new Error("the other thread did not send");
    block(ms);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#worker.terminate();
  }
}
