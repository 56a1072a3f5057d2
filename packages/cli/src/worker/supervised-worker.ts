import { Server as NodeServer } from "node:net";
import { join } from "node:path";
import { cluster } from "@tidewire/cluster";
import type { ClusterOption, internals } from "@tidewire/server";
import { isRetire } from "./messages.ts";
import type { HandedOverMessage, ReadyMessage, RetireMessage } from "./messages.ts";
import { retire } from "./retire.ts";
import type { WorkerSettings } from "./settings.ts";

type WorkerServer = internals.WorkerServer;

/** The supervisor decides about these. Without a listener they would end the worker at once. */
const SIGNALS_TO_END = ["SIGTERM", "SIGINT"] as const;

/** The worker's side of the supervisor: what the servers of the application find, and the end of the process. */
export class SupervisedWorker implements internals.Worker {
  readonly #folder: string;
  readonly #servers: Set<WorkerServer> = new Set();
  #clusters = 0;
  #retired: Promise<void> | undefined = undefined;

  constructor({ folder }: WorkerSettings) {
    this.#folder = folder;
  }

  /** Lets the servers of the process find it, and listens to the supervisor. */
  install(): void {
    Object.assign(globalThis, { [Symbol.for("tidewire.worker")]: this });
    for (const signal of SIGNALS_TO_END) process.on(signal, () => void this.#endBy(signal));
    // A terminal and systemd may send it to all processes of the application. The supervisor replaces this one.
    process.on("SIGHUP", () => {});
    process.on("message", (message) => {
      if (isRetire(message)) void this.#endBy("SIGTERM", message);
    });
  }

  /** The first server of each worker is in one cluster, the second in another, and so on: all workers run the same script. */
  cluster(): ClusterOption {
    this.#clusters++;
    const name = String(this.#clusters);
    return cluster({ name, directory: join(this.#folder, name) });
  }

  onAttached(server: WorkerServer): void {
    this.#servers.add(server);
    const { httpServer } = server;
    if (httpServer === undefined) return;
    if (httpServer.listening) this.#isReady(server);
    else if (httpServer instanceof NodeServer) httpServer.once("listening", () => this.#isReady(server));
    // An app of uWebSockets.js that the application listens on says nothing; that it does so at once is the usual case.
    else setImmediate(() => this.#isReady(server));
  }

  #isReady({ httpServer }: WorkerServer): void {
    const address = httpServer?.address();
    const isUws = !(httpServer instanceof NodeServer);
    const place = typeof address === "string" ? address : address && `port ${address.port}`;
    const message: ReadyMessage = {
      type: "tidewire:ready",
      address: place ? `${place}, ${isUws ? "uWebSockets.js" : "node:http"}` : undefined,
    };
    process.send?.(message);
  }

  /**
   * Lets the clients go and ends the process, unless the application has a listener of the signal, which then ends it.
   *
   * @param asked - what the supervisor says; the application has not heard of it yet
   */
  async #endBy(signal: (typeof SIGNALS_TO_END)[number], asked?: RetireMessage): Promise<void> {
    // A listener that is called once is gone when it has been.
    const isHeard = asked === undefined && process.listenerCount(signal) > 1;
    await (this.#retired ??= retire(this.#servers, asked?.within ?? 0));
    if (asked !== undefined && process.listenerCount(signal) > 1) this.#handOver(signal);
    // It need not call `process.exit()` if it closes what it has open.
    else if (isHeard) process.channel?.unref();
    else process.exit(0);
  }

  #handOver(signal: NodeJS.Signals): void {
    const message: HandedOverMessage = { type: "tidewire:handed-over" };
    process.send?.(message);
    process.kill(process.pid, signal);
  }
}
