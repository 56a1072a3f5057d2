import { fork } from "node:child_process";
import type { ChildProcess } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { io as connect } from "socket.io-client";
import type { Socket } from "socket.io-client";
import { bundled } from "../process/bundled.ts";
import { Reports } from "../process/reports.ts";
import { freePort } from "../hosts/free-port.ts";
import { roundRobinProxy } from "../proxies/round-robin.ts";
import type { RoundRobinProxy } from "../proxies/round-robin.ts";
import { RedisServer } from "../redis/redis-server.ts";
import type { Queue } from "../waiting/queue.ts";

const [SERVER = ""] = await bundled(new URL("recovering-server.ts", import.meta.url));

/** A node that recovers clients, in a process of its own. */
export class RecoveringProcess {
  readonly port: number;
  readonly child: ChildProcess;
  id = "";
  readonly #reports: Reports;

  constructor(port: number, args: readonly string[]) {
    this.port = port;
    this.child = fork(SERVER, args, { execArgv: [] });
    this.#reports = new Reports(this.child);
  }

  /** What it has sent of one kind. */
  reports(event: string): Queue<unknown> {
    return this.#reports.of(event);
  }

  async ready(): Promise<this> {
    this.id = String(await this.reports("ready").next());
    return this;
  }

  talk(rate: number): void {
    this.child.send({ talk: rate });
  }

  /** Returns how many events it has sent to each room. */
  async hush(): Promise<number[]> {
    this.child.send({ hush: true });
    return (await this.reports("sent").next()) as number[];
  }
}

/** Nodes behind a load balancer without affinity, and their Redis. */
export class RecoveringProcesses implements AsyncDisposable {
  readonly redis: RedisServer;
  readonly all: RecoveringProcess[] = [];
  readonly #folder: string = mkdtempSync(join(tmpdir(), "tidewire-test-"));
  /** Those to which the load balancer sends requests. */
  readonly #ports: number[] = [];
  #proxy: RoundRobinProxy | undefined = undefined;

  private constructor(redis: RedisServer) {
    this.redis = redis;
  }

  static async start(
    hosts: readonly ("uws" | "node")[],
    keeper: "journal" | "streams",
  ): Promise<RecoveringProcesses> {
    const processes = new RecoveringProcesses(await RedisServer.start());
    const directory = join(processes.#folder, "c");
    try {
      for (const host of hosts) {
        const port = await freePort();
        processes.#ports.push(port);
        const args = [host, String(port), directory, processes.redis.url, keeper];
        processes.all.push(new RecoveringProcess(port, args));
      }
      await Promise.all(processes.all.map((each) => each.ready()));
      processes.#proxy = await roundRobinProxy(processes.#ports);
      return processes;
    } catch (error) {
      await processes[Symbol.asyncDispose]();
      throw error;
    }
  }

  get url(): string {
    return `http://127.0.0.1:${this.#proxy!.port}`;
  }

  /** Kills the first process, which the load balancer sees at once. */
  killFirst(): RecoveringProcess {
    this.#ports.shift();
    const killed = this.all.shift()!;
    killed.child.kill("SIGKILL");
    return killed;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const { child } of this.all) child.kill("SIGKILL");
    await this.#proxy?.[Symbol.asyncDispose]();
    await this.redis[Symbol.asyncDispose]();
    rmSync(this.#folder, { recursive: true, force: true });
  }
}

/** An official client that checks that it gets every event once and in order. */
export class Listener implements Disposable {
  readonly socket: Socket;
  readonly room: number;
  /** The id of its node. */
  node = "";
  /** The number of the latest event of each node. */
  readonly latest: Map<string, number> = new Map();
  missing = 0;
  twice = 0;
  losses = 0;
  recoveries = 0;
  refusals = 0;

  constructor(url: string, room: number) {
    this.room = room;
    this.socket = connect(url, {
      forceNew: true,
      transports: ["websocket"],
      auth: { room },
      reconnectionDelay: 100,
      reconnectionDelayMax: 300,
    });
    this.socket.on("disconnect", () => this.losses++);
    this.socket.on("connect", () => {
      if (this.losses === 0) return;
      if (this.socket.recovered) {
        this.recoveries++;
      } else {
        this.refusals++;
        // What it has missed, the application would have to tell it.
        this.latest.clear();
      }
    });
    this.socket.on("node", (id: string) => (this.node = id));
    this.socket.on("said", (node: string, number: number) => {
      const latest = this.latest.get(node);
      if (latest !== undefined && number <= latest) this.twice++;
      else if (latest !== undefined) this.missing += number - latest - 1;
      this.latest.set(node, Math.max(number, latest ?? 0));
    });
  }

  /** The connection breaks; it comes back by itself. */
  breakConnection(): void {
    this.socket.io.engine.close();
  }

  [Symbol.dispose](): void {
    this.socket.close();
  }
}
