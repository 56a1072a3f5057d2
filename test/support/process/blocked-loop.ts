import { once } from "node:events";
import { Worker } from "node:worker_threads";
import { PATIENCE } from "../waiting/queue.ts";

/** Keeps the event loop from doing anything, as a garbage collection or SIGSTOP does. */
export function block(ms: number): void {
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, ms);
}

/** Sends each text it is given over a new TCP connection, and says so in shared memory. */
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

/** A client in a thread of its own, which goes on while the loop of the test is blocked. */
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
