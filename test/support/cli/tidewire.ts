import { spawn } from "node:child_process";
import type { ChildProcess } from "node:child_process";
import { once } from "node:events";
import { readdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { pathToFileURL } from "node:url";
import { bundled } from "../process/bundled.ts";
import { PATIENCE, within } from "../waiting/queue.ts";

const own = (path: string): URL => new URL(path, import.meta.url);
const names = readdirSync(own("scripts")).filter((name) => name.endsWith(".ts"));
const [bin = "", preload = "", chat = "", ...scripts] = await bundled(
  own("bin.ts"),
  own("../../../packages/cli/src/worker/preload.ts"),
  own("../../../examples/chat/server.js"),
  ...names.map((name) => own(`scripts/${name}`)),
);

/** The program of the chat, for workers. */
export const CHAT: string = chat;

/** The path of a script of test/support/cli/scripts. */
export function scriptOf(name: string): string {
  return scripts[names.indexOf(name)]!;
}

/** The command line as a process. `await using` ends it, and with it its workers. */
export class Tidewire implements AsyncDisposable {
  /** Everything it has printed, on both streams, line by line. */
  readonly lines: string[] = [];
  /** Its exit code, or the signal that ended it. */
  readonly ended: Promise<number | NodeJS.Signals>;
  readonly #child: ChildProcess;
  readonly #changed = new Set<() => void>();

  private constructor(child: ChildProcess) {
    this.#child = child;
    for (const stream of [child.stdout!, child.stderr!]) {
      createInterface({ input: stream }).on("line", (line) => {
        this.lines.push(line);
        for (const changed of this.#changed) changed();
      });
    }
    // `close`: everything that it has printed was read.
    this.ended = once(child, "close").then(([code, signal]) => (signal ?? code) as number | NodeJS.Signals);
  }

  static run(args: readonly string[], env: NodeJS.ProcessEnv = {}): Tidewire {
    const options = { env: { ...process.env, NODE_OPTIONS: "", ...env } };
    return new Tidewire(spawn(process.execPath, [bin, pathToFileURL(preload).href, ...args], options));
  }

  /** Runs it by `npm start` in a folder, after `before` in the line of the script. */
  static runByNpm(
    folder: string,
    before: string,
    args: readonly string[],
    env: NodeJS.ProcessEnv = {},
  ): Tidewire {
    const command = [process.execPath, bin, pathToFileURL(preload).href, ...args];
    const start = before + command.map((part) => `'${part}'`).join(" ");
    writeFileSync(join(folder, "package.json"), JSON.stringify({ name: "x", scripts: { start } }));
    const npm = { npm_config_update_notifier: "false" };
    const options = { cwd: folder, env: { ...process.env, ...npm, NODE_OPTIONS: "", ...env } };
    return new Tidewire(spawn("npm", ["start", "--silent"], options));
  }

  get text(): string {
    return this.lines.join("\n");
  }

  get pid(): number {
    return this.#child.pid!;
  }

  /** The first line from the given one on that matches, once it is printed. */
  async says(what: RegExp, from = 0): Promise<RegExpExecArray> {
    let stop: () => void = () => {};
    const said = new Promise<RegExpExecArray>((resolve) => {
      const look = (): void => {
        const found = this.find(what, from)[0];
        if (found !== undefined) resolve(found);
      };
      this.#changed.add(look);
      stop = () => this.#changed.delete(look);
      look();
    });
    const isOver = this.ended.then((how) => {
      const found = this.find(what, from)[0];
      if (found === undefined) throw new Error(`it ended with ${how}`);
      return found;
    });
    try {
      return await within(Promise.race([said, isOver]), `${what}`, 2 * PATIENCE);
    } catch (error) {
      throw new Error(`${what} was not printed, but:\n${this.text}`, { cause: error });
    } finally {
      stop();
    }
  }

  /** Waits until so many lines match. */
  async saysTimes(what: RegExp, count: number): Promise<RegExpExecArray[]> {
    let from = 0;
    for (let seen = 0; seen < count; seen++) {
      const match = await this.says(what, from);
      from = this.lines.indexOf(match.input, from) + 1;
    }
    return this.find(what, 0);
  }

  /** All lines that match, from the given one on. */
  find(what: RegExp, from = 0): RegExpExecArray[] {
    return this.lines
      .slice(from)
      .map((line) => what.exec(line))
      .filter((found) => found !== null);
  }

  /** Leaves it alone with what it prints from now on. */
  stopReading(): void {
    this.#child.stdout!.destroy();
    this.#child.stderr!.destroy();
  }

  signal(signal: NodeJS.Signals): void {
    this.#child.kill(signal);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#child.exitCode === null && this.#child.signalCode === null) this.signal("SIGINT");
    const timer = setTimeout(() => this.signal("SIGKILL"), 15_000);
    await this.ended;
    clearTimeout(timer);
  }
}
