import cluster from "node:cluster";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { basename, join } from "node:path";
import { ExitCode } from "../exit-code.ts";
import type { StartOptions } from "../commands/start-options.ts";
import type { Terminal } from "../terminal.ts";
import { SETTINGS, writeSettings } from "../worker/settings.ts";
import { closeWhatIsHandedTo } from "./handed-over.ts";
import { resetsWaitingConnections } from "./migrate-req.ts";
import { watchShellOfNpm } from "./parent.ts";
import { SharedOutput } from "./shared-output.ts";
import { Slot } from "./slot.ts";
import type { SlotOwner } from "./slot.ts";
import { WorkerProcess } from "./worker-process.ts";

/** Runs the workers of an application, until a signal ends it. */
export class Supervisor implements SlotOwner {
  readonly readyTimeout: number;
  readonly stopTimeout: number;
  readonly drainTime: number;
  readonly #options: StartOptions;
  readonly #preload: readonly string[];
  readonly #terminal: Terminal;
  readonly #out: SharedOutput;
  readonly #err: SharedOutput;
  readonly #slots: readonly Slot[];
  /** Where the workers of this supervisor find each other. */
  #folder = "";
  #started: Promise<boolean> = Promise.resolve(false);
  #isStopping = false;
  #isReloading = false;
  #reloadsAgain = false;

  /** @param preload - arguments of node that load the worker's side before the script */
  constructor(options: StartOptions, preload: readonly string[], terminal: Terminal) {
    this.readyTimeout = options.readyTimeout;
    this.stopTimeout = options.stopTimeout;
    this.drainTime = options.drainTime;
    this.#options = options;
    this.#preload = preload;
    this.#terminal = terminal;
    this.#out = new SharedOutput(terminal.out);
    this.#err = new SharedOutput(terminal.err);
    this.#slots = Array.from({ length: options.workers }, (_, index) => new Slot(index + 1, this));
  }

  /** Returns the exit code of the process, once all workers have ended. */
  async run(): Promise<number> {
    const { script, args } = this.#options;
    // A folder of its own, which only this user can open.
    this.#folder = mkdtempSync(join(tmpdir(), "tidewire-"));
    cluster.setupPrimary({
      exec: script,
      args: [...args],
      execArgv: [...process.execArgv, ...this.#preload],
      stdio: ["ignore", "pipe", "pipe", "ipc"],
    });
    const { ended, forget } = this.#listenToSignals();
    try {
      this.#started = this.#start();
      const hasStarted = await Promise.race([this.#started, ended.then(() => true)]);
      if (!hasStarted) return ExitCode.FAILED;
      // Whoever presses Ctrl+C does not want to wait.
      const within = (await ended) === "SIGINT" ? 0 : this.drainTime;
      return (await this.#stop(within)) ? ExitCode.DONE : ExitCode.FAILED;
    } finally {
      forget();
      rmSync(this.#folder, { recursive: true, force: true });
    }
  }

  fork(number: number): WorkerProcess {
    const worker = cluster.fork({
      TIDEWIRE_WORKER: String(number),
      [SETTINGS]: writeSettings({ folder: this.#folder, preload: this.#preload }),
    });
    // One that could not be started has neither a channel nor streams.
    const started = new WorkerProcess(number, worker);
    closeWhatIsHandedTo(worker.process);
    const prefix = this.#options.prefix ? `[${number}] ` : "";
    const { stdout, stderr } = worker.process;
    if (stdout !== null) this.#out.copy(stdout, prefix);
    if (stderr !== null) this.#err.copy(stderr, prefix);
    return started;
  }

  say(text: string): void {
    this.#terminal.err.write(`[tidewire] ${text}\n`);
  }

  /** The first worker alone, so that a script that cannot start is told once, and then the others. */
  async #start(): Promise<boolean> {
    const [first, ...others] = this.#slots;
    if (first === undefined) return true;
    if (!(await first.replace())) {
      if (this.#isStopping) return true;
      this.say(`${basename(this.#options.script)} did not start`);
      return false;
    }
    if (this.#isStopping) return true;
    for (const slot of others) slot.start();
    if (resetsWaitingConnections())
      this.say(
        "net.ipv4.tcp_migrate_req is 0: when a worker stops listening, the kernel resets the connections that it has not accepted " +
          "yet; with sysctl -w net.ipv4.tcp_migrate_req=1 it hands them to another worker",
      );
    return true;
  }

  async #stop(within: number): Promise<boolean> {
    const ends = await Promise.all(this.#slots.map((slot) => slot.stop(within)));
    return ends.every(Boolean);
  }

  /** Replaces the workers one by one. Stops at the first that cannot be replaced: the others would fail as well. */
  async #reload(): Promise<void> {
    if (this.#isReloading) {
      this.#reloadsAgain = true;
      return;
    }
    this.#isReloading = true;
    const hasStarted = await this.#started;
    this.#reloadsAgain = hasStarted;
    while (this.#reloadsAgain && !this.#isStopping) {
      this.#reloadsAgain = false;
      this.say("reload: the workers are replaced one by one");
      const isDone = await this.#replaceAll();
      if (!this.#isStopping) this.say(isDone ? "reload: done" : "reload: given up; the old workers go on");
    }
    this.#isReloading = false;
  }

  async #replaceAll(): Promise<boolean> {
    for (const slot of this.#slots) {
      if (this.#isStopping || !(await slot.replace())) return false;
    }
    return true;
  }

  #listenToSignals(): { ended: Promise<NodeJS.Signals>; forget: () => void } {
    let end: (signal: NodeJS.Signals) => void = () => {};
    const ended = new Promise<NodeJS.Signals>((resolve) => {
      end = resolve;
    });
    const stop = (signal: NodeJS.Signals): void => {
      if (this.#isStopping) {
        this.say(`${signal} again: the workers are killed`);
        for (const slot of this.#slots) slot.kill();
        return;
      }
      this.#isStopping = true;
      this.say(`${signal}: the workers end`);
      end(signal);
    };
    const reload = (): void => void this.#reload();
    const unwatch = watchShellOfNpm(() => {
      // Ctrl+C and systemd reach both.
      if (this.#isStopping) return;
      this.#isStopping = true;
      this.say("the shell of npm has ended, and does not pass signals on: the workers end");
      end("SIGTERM");
    });
    process.on("SIGTERM", stop).on("SIGINT", stop).on("SIGHUP", reload);
    const forget = (): void => {
      unwatch();
      process.off("SIGTERM", stop).off("SIGINT", stop).off("SIGHUP", reload);
    };
    return { ended, forget };
  }
}
