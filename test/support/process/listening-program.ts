import { spawn } from "node:child_process";
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

  constructor(command: readonly string[], about: Listening) {
    this.#command = command;
    this.#about = about;
  }

  async start(): Promise<void> {
    const { name, port, isReady, options } = this.#about;
    const [file, ...args] = this.#command;
    this.#child = spawn(file as string, args, { ...options, stdio: "ignore" });
    const end = Date.now() + PATIENCE;
    while (!(await accepts(port)) || isReady?.() === false) {
      if (Date.now() > end) throw new Error(`${name} does not start`);
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
  }

  signal(signal: NodeJS.Signals): void {
    this.#child?.kill(signal);
  }

  /** Ends it, if it runs. */
  async end(signal: NodeJS.Signals = "SIGKILL"): Promise<void> {
    const child = this.#child;
    this.#child = undefined;
    if (child === undefined) return;
    child.kill(signal);
    await once(child, "exit");
  }
}
