import { spawn } from "node:child_process";
import type { ChildProcess } from "node:child_process";
import { once } from "node:events";
import { bundled } from "../process/bundled.ts";
import { Reports } from "../process/reports.ts";
import { within } from "../waiting/queue.ts";
import type { Queue } from "../waiting/queue.ts";
import type { Machine } from "./network.ts";
import type { NodeSettings, Sent } from "./settings.ts";

const [PROGRAM = ""] = await bundled(new URL("node-program.ts", import.meta.url));

/** A process on one of the machines. */
export class MachineNode {
  readonly machine: Machine;
  readonly settings: NodeSettings;
  readonly child: ChildProcess;
  readonly pid: number;
  /** Its id in the cluster when it was ready. */
  id = "";
  readonly #reports: Reports;

  constructor(machine: Machine, settings: NodeSettings) {
    this.machine = machine;
    this.settings = settings;
    const command = [...machine.run, process.execPath, PROGRAM, JSON.stringify(settings)];
    const [file, ...args] = command as [string, ...string[]];
    this.child = spawn(file, args, {
      stdio: ["ignore", "inherit", "inherit", "ipc"],
      env: { ...process.env, NODE_OPTIONS: "" },
    });
    // `ip netns exec` becomes the program.
    this.pid = this.child.pid!;
    this.#reports = new Reports(this.child);
  }

  /** What it has sent of one kind. */
  reports(event: string): Queue<unknown> {
    return this.#reports.of(event);
  }

  /** What it has sent of one kind from now on. */
  laterReports(event: string): Queue<unknown> {
    return this.#reports.later(event);
  }

  async ready(): Promise<this> {
    this.id = String(await this.reports("ready").next(60_000));
    return this;
  }

  /** It sends so many events per second. */
  talk(rate: number): void {
    this.child.send({ talk: rate });
  }

  async hush(): Promise<Sent> {
    this.child.send({ hush: true });
    return (await this.reports("sent").next()) as Sent;
  }

  /** The ids of its sockets, and of those of all nodes that it can reach. */
  async sockets(): Promise<{ own: string[]; all: string[] }> {
    this.child.send({ sockets: true });
    return (await this.reports("sockets").next()) as { own: string[]; all: string[] };
  }

  async nodes(): Promise<{ id: string; sessions: number }[]> {
    this.child.send({ nodes: true });
    return (await this.reports("nodes").next()) as { id: string; sessions: number }[];
  }

  /** It is told to end, and ends when its clients have left. */
  async end(): Promise<Sent> {
    const exited = once(this.child, "exit");
    this.child.kill("SIGTERM");
    const [code, signal] = await within(exited, "a process to end", 60_000);
    if (code !== 0) throw new Error(`a process has ended with ${code ?? signal}`);
    return (await this.reports("sent").next()) as Sent;
  }
}
