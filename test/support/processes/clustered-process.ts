import { fork } from "node:child_process";
import type { ChildProcess } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { ClusterOptions } from "@tidewire/cluster";
import { bundled } from "../process/bundled.ts";
import type { BackendPlace } from "./backend.ts";
import { Queue } from "../waiting/queue.ts";

const [SERVER = ""] = await bundled(new URL("clustered-server.ts", import.meta.url));

interface Report {
  event: string;
  detail: unknown;
}

/** A server of a cluster, in a process of its own. */
export class ClusteredProcess {
  readonly child: ChildProcess;
  /** Its id in the cluster, once it is ready. */
  id = "";
  readonly #reports: Map<string, Queue<unknown>> = new Map();

  /** @param options - those of `cluster()`, and the server through which nodes of other machines are found */
  constructor(
    host: "uws" | "node",
    port: number,
    directory: string,
    options: ClusterOptions & BackendPlace = {},
  ) {
    this.child = fork(SERVER, [host, String(port), directory, JSON.stringify(options)], { execArgv: [] });
    this.child.on("message", ({ event, detail }: Report) => this.reports(event).push(detail));
    this.child.once("exit", (code, signal) => {
      for (const queue of this.#reports.values())
        queue.end(new Error(`the process has ended: ${code ?? signal}`));
    });
  }

  /** What it has sent of one kind. */
  reports(event: string): Queue<unknown> {
    let queue = this.#reports.get(event);
    if (queue === undefined) {
      queue = new Queue(`the report ${event}`);
      this.#reports.set(event, queue);
    }
    return queue;
  }

  async ready(): Promise<this> {
    this.id = String(await this.reports("ready").next());
    return this;
  }

  /** Asks for `io.cluster.nodes`. */
  async nodes(): Promise<{ id: string; state: string; sessions: number; rtt?: number; lastSeen: number }[]> {
    this.child.send("nodes");
    return (await this.reports("nodes").next()) as Awaited<ReturnType<typeof this.nodes>>;
  }

  [Symbol.dispose](): void {
    this.child.kill("SIGKILL");
  }
}

/** Processes that share a port. */
export class ClusteredProcesses {
  readonly directory: string = mkdtempSync(join(tmpdir(), "tidewire-test-"));
  readonly port: number;
  readonly all: ClusteredProcess[] = [];

  constructor(port: number) {
    this.port = port;
  }

  get url(): string {
    return `http://localhost:${this.port}`;
  }

  /** Starts processes at the same time, and waits until they are ready. */
  async start(hosts: readonly ("uws" | "node")[], options: ClusterOptions = {}): Promise<ClusteredProcess[]> {
    const started = hosts.map(
      (host) => new ClusteredProcess(host, this.port, join(this.directory, "c"), options),
    );
    this.all.push(...started);
    return Promise.all(started.map((each) => each.ready()));
  }

  [Symbol.dispose](): void {
    for (const each of this.all) each[Symbol.dispose]();
    rmSync(this.directory, { recursive: true, force: true });
  }
}
