// Runs programs of the application in their own processes, and sends them the calls of a test.
import { fork, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import { PATIENCE, within } from "../../../test/support/waiting/queue.ts";
import { application } from "./application.ts";

export type HostName = "uws" | "node";

/** What a program sends when it listens. */
export interface Ready {
  readonly port: number;
  readonly pid: number;
}

/** A process that listens, and accepts calls. */
export interface Listening {
  readonly url: string;
  /** Calls a function of the program. Rejects with its error. */
  call<T>(name: string, ...args: unknown[]): Promise<T>;
  /** Kills the process, like a crash. */
  kill(): Promise<void>;
}

/** The error of a program; `responses` are the acks that a broadcast got before its timeout. */
export class ProgramError extends Error {
  readonly responses: unknown;

  constructor({ message, responses }: { message: string; responses?: unknown }) {
    super(message);
    this.responses = responses;
  }
}

interface Message {
  readonly id?: number;
  readonly worker?: number;
  readonly ready?: Ready;
  readonly result?: unknown;
  readonly error?: { message: string; responses?: unknown };
}

/** Sends calls to one process, and resolves them with the replies. */
export class Caller {
  readonly #send: (message: object) => void;
  readonly #waiting: Map<number, (message: Message) => void> = new Map();
  #ids = 0;

  constructor(send: (message: object) => void) {
    this.#send = send;
  }

  async call<T>(call: string, ...args: unknown[]): Promise<T> {
    const id = ++this.#ids;
    const answered = new Promise<Message>((resolve) => this.#waiting.set(id, resolve));
    this.#send({ id, call, args });
    const { error, result } = await within(answered, `the reply to ${call}`, PATIENCE);
    if (error !== undefined) throw new ProgramError(error);
    return result as T;
  }

  /** Handles a reply. */
  take(message: Message): void {
    this.#waiting.get(message.id ?? 0)?.(message);
    this.#waiting.delete(message.id ?? 0);
  }
}

/** A running program of the application. */
export class Program {
  /** Its stderr so far. */
  stderr = "";
  /** Its stdout so far. */
  stdout = "";
  readonly #child: ChildProcess;
  readonly #ended: Promise<unknown>;

  constructor(child: ChildProcess) {
    this.#child = child;
    this.#ended = once(child, "close");
    child.stderr?.setEncoding("utf8").on("data", (text: string) => (this.stderr += text));
    child.stdout?.setEncoding("utf8").on("data", (text: string) => (this.stdout += text));
    running.add(child);
    child.once("close", () => running.delete(child));
  }

  /** Resolves when `count` processes of the program listen; rejects if it exits. */
  async listening(count: number): Promise<Listening[]> {
    const listening: Listening[] = [];
    const callers = new Map<number, Caller>();
    const all = new Promise<Listening[]>((resolve) => {
      this.#child.on("message", (message: Message) => {
        const { worker = 0, ready } = message;
        if (ready === undefined) return callers.get(worker)?.take(message);
        const caller = new Caller((call) => this.#child.send({ ...call, worker }));
        callers.set(worker, caller);
        listening.push(this.#toListening(caller, ready));
        if (listening.length === count) resolve(listening);
      });
    });
    const failed = this.#ended.then(() => {
      throw new Error(`the program ended: ${this.stderr}`);
    });
    failed.catch(() => {});
    return within(Promise.race([all, failed]), "the program to listen", PATIENCE);
  }

  #toListening(caller: Caller, { port, pid }: Ready): Listening {
    const kill = async (): Promise<void> => {
      process.kill(pid, "SIGKILL");
      if (pid === this.#child.pid) await this.#ended;
    };
    return { url: `http://127.0.0.1:${port}`, call: (name, ...args) => caller.call(name, ...args), kill };
  }

  /** Kills the program, and waits until it has exited. */
  async stop(): Promise<void> {
    this.#child.kill("SIGKILL");
    await this.#ended;
  }
}

const running = new Set<ChildProcess>();
process.on("exit", () => {
  for (const child of running) child.kill("SIGKILL");
});

/** Starts a program of the application, which imports `given` from program.mjs. */
export async function runProgram(name: string, host: HostName, given: object = {}): Promise<Program> {
  const folder = await application();
  const { NODE_OPTIONS: _, ...env } = process.env;
  const child = fork(join(folder, "programs", `${name}.mjs`), [], {
    cwd: folder,
    env: { ...env, HOST: host, GIVEN: JSON.stringify(given) },
    execArgv: [],
    serialization: "advanced",
    stdio: ["ignore", "pipe", "pipe", "ipc"],
  });
  return new Program(child);
}
