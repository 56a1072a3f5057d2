import { spawn, spawnSync, type ChildProcess } from "node:child_process";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { findPythonClient, whyMissing } from "../../../scripts/setup.mjs";
import { within } from "../../../test/support/waiting/queue.ts";

const SCRIPT = fileURLToPath(new URL("client.py", import.meta.url));

interface Line {
  reply?: number;
  result?: unknown;
  failed?: string;
  client?: number;
  namespace?: string;
  told?: unknown[];
}

/** Binary data in the JSON that a test exchanges with Python. */
export function inPython(bytes: Uint8Array): { $: "bytes"; hex: string } {
  return { $: "bytes", hex: Buffer.from(bytes).toString("hex") };
}

/** A Python process with clients in it. */
export class Python {
  readonly #child: ChildProcess;
  readonly #replies = new Map<number, (line: Line) => void>();
  readonly #clients = new Map<number, PythonClient>();
  #stderr = "";
  #last = 0;

  constructor(path: string) {
    this.#child = spawn(path, ["-u", SCRIPT], { stdio: ["pipe", "pipe", "pipe"] });
    createInterface({ input: this.#child.stdout! }).on("line", (line) =>
      this.#hear(JSON.parse(line) as Line),
    );
    this.#child.stderr!.setEncoding("utf8").on("data", (text: string) => (this.#stderr += text));
  }

  /** A client that is not connected. `options` are those of `socketio.Client`. */
  async client(options: object = { reconnection: false }): Promise<PythonClient> {
    const number = ++this.#last;
    const client = new PythonClient(
      (todo, args) => this.#order(number, todo, args),
      (awaited) => this.#blame(awaited),
    );
    this.#clients.set(number, client);
    // the test process handles Ctrl-C
    await this.#order(number, "create", [{ handle_sigint: false, ...options }]);
    return client;
  }

  /** Suspends the process; its connections stay open. */
  freeze(): void {
    this.#child.kill("SIGSTOP");
  }

  thaw(): void {
    this.#child.kill("SIGCONT");
  }

  async close(): Promise<void> {
    this.thaw();
    const ended = new Promise((resolve) => this.#child.once("close", resolve));
    this.#child.stdin!.end();
    const patience = setTimeout(() => this.#child.kill("SIGKILL"), 2000);
    await ended;
    clearTimeout(patience);
  }

  async #order(client: number, todo: string, args: unknown[]): Promise<unknown> {
    const id = ++this.#last;
    const replied = new Promise<Line>((resolve) => this.#replies.set(id, resolve));
    this.#child.stdin!.write(`${JSON.stringify({ id, client, do: todo, args })}\n`);
    const { result, failed } = await this.#blame(within(replied, `Python: ${todo}`));
    if (failed !== undefined) throw new Error(failed);
    return result;
  }

  /** Adds Python's stderr to the error of a promise that rejects. */
  async #blame<T>(awaited: Promise<T>): Promise<T> {
    try {
      return await awaited;
    } catch (error) {
      throw new Error(`${(error as Error).message}\n${this.#stderr}`, { cause: error });
    }
  }

  #hear({ reply, client, namespace, told, ...line }: Line): void {
    if (reply !== undefined) {
      this.#replies.get(reply)?.(line);
      this.#replies.delete(reply);
    } else {
      this.#clients.get(client!)?.hear(namespace!, told!);
    }
  }
}

/** The result of `connect()`: the session and its first transport, or the error in `refused`. */
export interface Connected {
  sid?: string;
  transport?: string;
  refused?: string;
}

interface Taker {
  key: string;
  resolve: (args: unknown[]) => void;
}

/** One `socketio.Client`. */
export class PythonClient {
  readonly #order: (todo: string, args: unknown[]) => Promise<unknown>;
  readonly #blame: <T>(awaited: Promise<T>) => Promise<T>;
  readonly #told: [key: string, args: unknown[]][] = [];
  #takers: Taker[] = [];

  constructor(
    order: (todo: string, args: unknown[]) => Promise<unknown>,
    blame: <T>(awaited: Promise<T>) => Promise<T>,
  ) {
    this.#order = order;
    this.#blame = blame;
  }

  /** `options` are those of `connect()`; by default, it joins the main namespace only. */
  connect(url: string, options: object = {}): Promise<Connected> {
    return this.#order("connect", [url, { namespaces: ["/"], ...options }]) as Promise<Connected>;
  }

  async emit(event: string, args: unknown[], namespace: string = "/"): Promise<void> {
    await this.#order("emit", [event, args, namespace]);
  }

  /** Resolves with the arguments of the acknowledgement. */
  ask(event: string, args: unknown[], namespace: string = "/"): Promise<unknown[]> {
    return this.#order("ask", [event, args, namespace]) as Promise<unknown[]>;
  }

  state(namespace: string = "/"): Promise<{ sid: string; connected: boolean; transport: string }> {
    const state = this.#order("state", [namespace]);
    return state as Promise<{ sid: string; connected: boolean; transport: string }>;
  }

  async disconnect(): Promise<void> {
    await this.#order("disconnect", []);
  }

  /** Takes the oldest event of this name that was not taken yet, and resolves with its arguments. */
  take(event: string, namespace: string = "/"): Promise<unknown[]> {
    const key = `${namespace} ${event}`;
    const found = this.#told.findIndex(([told]) => told === key);
    if (found !== -1) return Promise.resolve(this.#told.splice(found, 1)[0]![1]);
    const come = new Promise<unknown[]>((resolve) => this.#takers.push({ key, resolve }));
    return this.#blame(within(come, `${event} in Python`));
  }

  hear(namespace: string, [event, ...args]: unknown[]): void {
    const key = `${namespace} ${String(event)}`;
    const taker = this.#takers.find((other) => other.key === key);
    if (taker === undefined) return void this.#told.push([key, args]);
    this.#takers = this.#takers.filter((other) => other !== taker);
    taker.resolve(args);
  }
}

/** The version of the installed client. */
function versionOf(path: string): string {
  const code = "from importlib.metadata import version; print(version('python-socketio'), end='')";
  return spawnSync(path, ["-c", code], { encoding: "utf8" }).stdout;
}

/**
 * Declares suites that need the Python client. Without it, declares one pending test that names the reason, or one failing
 * test if CI is set.
 */
export function describeWithPython(
  title: string,
  declare: (version: string, python: () => Python) => void,
): void {
  const path = findPythonClient();
  describe(title, () => {
    if (path === undefined) {
      const missing = whyMissing("the Python client");
      if (!process.env["CI"]) return void it(`needs the Python client: ${missing}`);
      return void it("finds the Python client", () => {
        throw new Error(missing);
      });
    }
    let python: Python | undefined;
    before(() => {
      python = new Python(path);
    });
    after(() => python?.close());
    declare(versionOf(path), () => python!);
  });
}
