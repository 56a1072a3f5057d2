import { spawn, spawnSync } from "node:child_process";
import type { ChildProcess, SpawnOptions } from "node:child_process";
import { once } from "node:events";
import { accepts } from "../waiting/accepts.ts";
import { PATIENCE } from "../waiting/queue.ts";

interface Listening {
  /** What it is called in errors. */
  readonly name: string;
  readonly port: number;
  /** More than that it accepts connections. */
  readonly isReady?: () => boolean;
  readonly options?: SpawnOptions;
}

/** A program that listens on a port of the loopback interface, and may be ended and started again. */
export class ListeningProgram {
  readonly #command: readonly string[];
  readonly #about: Listening;
  #child: ChildProcess | undefined = undefined;
  /** The processes that hang. */
  #stalled: number[] = [];

  constructor(command: readonly string[], about: Listening) {
    this.#command = command;
    this.#about = about;
  }

  async start(): Promise<void> {
    const { name, port, isReady, options } = this.#about;
    const [file, ...args] = this.#command;
    const spawnAgain = (): ChildProcess => spawn(file as string, args, { ...options, stdio: "ignore" });
    let child = (this.#child = spawnAgain());
    const end = Date.now() + PATIENCE;
    while (!(await accepts(port)) || isReady?.() === false) {
      if (Date.now() > end) throw new Error(`${name} does not start`);
      // What is left of one that was killed a moment ago may keep it from starting.
      if (hasEnded(child)) child = this.#child = spawnAgain();
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
  }

  /** It hangs with all its connections, and so do its children. */
  stall(): void {
    const pid = this.#child?.pid;
    if (pid === undefined) return;
    process.kill(pid, "SIGSTOP");
    const children = spawnSync("pgrep", ["-P", String(pid)], { encoding: "utf8" }).stdout ?? "";
    this.#stalled = [pid, ...children.split("\n").filter(Boolean).map(Number)];
    for (const each of this.#stalled) process.kill(each, "SIGSTOP");
  }

  resume(): void {
    for (const each of this.#stalled.splice(0)) process.kill(each, "SIGCONT");
  }

  /** Ends it, if it runs. */
  async end(signal: NodeJS.Signals = "SIGKILL"): Promise<void> {
    const child = this.#child;
    this.#child = undefined;
    if (child === undefined) return;
    child.kill(signal);
    // One that is stopped ends when it goes on.
    this.resume();
    if (!hasEnded(child)) await once(child, "exit");
  }
}

function hasEnded({ exitCode, signalCode }: ChildProcess): boolean {
  return exitCode !== null || signalCode !== null;
}
