import { spawn, type ChildProcess } from "node:child_process";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { freePort } from "../hosts/free-port.ts";

/** Long enough to install Next.js beside other tests. */
const PATIENCE = 180_000;

const root = fileURLToPath(new URL("../../..", import.meta.url));

/** The folder of an example. */
export function folderOf(name: string): string {
  return join(root, "examples", name);
}

/** A script of an example, run by npm as a user runs it, with the built packages. */
export class Example implements AsyncDisposable {
  readonly url: string;
  readonly #child: ChildProcess;
  readonly #ended: Promise<number | null>;
  #output = "";
  #onOutput: () => void = () => {};

  private constructor(args: readonly string[], url: string, env: Readonly<Record<string, string>>) {
    this.url = url;
    // A group of its own, so that npm, its shell and the program end together.
    this.#child = spawn("npm", ["--silent", ...args], {
      cwd: root,
      detached: true,
      stdio: ["ignore", "pipe", "pipe"],
      env: { ...process.env, ...env },
    });
    for (const stream of [this.#child.stdout, this.#child.stderr]) {
      stream?.setEncoding("utf8").on("data", (text: string) => {
        this.#output += text;
        this.#onOutput();
      });
    }
    this.#ended = new Promise((resolve) => this.#child.once("close", resolve));
    void this.#ended.then(() => this.#onOutput());
  }

  /** Runs `npm start <name>` on a free port, and waits until the program says where it listens. */
  static async start(name: string, env: Readonly<Record<string, string>> = {}): Promise<Example> {
    const port = await freePort();
    const url = `http://localhost:${port}`;
    const example = new Example(["start", name], url, { PORT: String(port), ...env });
    try {
      await example.says(new RegExp(url));
      return example;
    } catch (error) {
      await example.stop();
      throw error;
    }
  }

  /** Runs another script of the example against this one. */
  run(name: string, script: string): Example {
    return new Example(["run", script, "-w", `examples/${name}`], this.url, { URL: this.url });
  }

  /** What it has printed so far. */
  get output(): string {
    return this.#output;
  }

  /** Waits until it has printed this. */
  async says(pattern: RegExp): Promise<void> {
    let timer: NodeJS.Timeout | undefined;
    try {
      await new Promise<void>((resolve, reject) => {
        const fail = (why: string): void => reject(new Error(`${why}:\n${this.#output}`));
        timer = setTimeout(() => fail(`It has not said ${String(pattern)}`), PATIENCE);
        this.#onOutput = () => {
          if (pattern.test(this.#output)) resolve();
          else if (this.#child.exitCode !== null) fail(`It ended with exit code ${this.#child.exitCode}`);
        };
        this.#onOutput();
      });
    } finally {
      clearTimeout(timer);
      this.#onOutput = () => {};
    }
  }

  /** Waits for the end of a script that ends by itself. */
  ended(): Promise<number | null> {
    return this.#ended;
  }

  async stop(): Promise<void> {
    const kill = (signal: NodeJS.Signals): void => {
      try {
        process.kill(-this.#child.pid!, signal);
      } catch {
        // It has ended.
      }
    };
    kill("SIGTERM");
    const patience = setTimeout(kill, 4000, "SIGKILL");
    await this.#ended;
    clearTimeout(patience);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop();
  }
}
