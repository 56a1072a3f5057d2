import { spawn, spawnSync } from "node:child_process";
import type { ChildProcess } from "node:child_process";
import { once } from "node:events";
import { chownSync, mkdtempSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { findPostgres, whyMissing } from "../../../scripts/setup.mjs";
import { freePort } from "../../browser/support/chat-process.ts";
import { describeWith } from "../backends/describe-with.ts";
import { accepts } from "../waiting/accepts.ts";
import { PATIENCE } from "../waiting/queue.ts";

/** Why there is no PostgreSQL on this machine. */
export const whyNoPostgres: string | undefined =
  findPostgres() === undefined ? whyMissing("PostgreSQL") : undefined;

/** It refuses to run as root, so root runs it as the user of its Debian package. */
const AS_OTHER_USER =
  process.getuid?.() === 0
    ? [
        "/usr/bin/setpriv",
        "--reuid",
        "postgres",
        "--regid",
        "postgres",
        "--clear-groups",
        "--pdeathsig",
        "QUIT",
      ]
    : [];

/** A PostgreSQL of its own on a port of the loopback interface, whose data are removed at the end. */
export class PostgresServer {
  readonly port: number;
  readonly #folder: string = mkdtempSync(join(tmpdir(), "tidewire-postgres-"));
  #child: ChildProcess | undefined = undefined;

  private constructor(port: number) {
    this.port = port;
  }

  static async start(): Promise<PostgresServer> {
    const server = new PostgresServer(await freePort());
    server.#initialise();
    await server.start();
    return server;
  }

  async start(): Promise<void> {
    const settings = ["listen_addresses=127.0.0.1", `unix_socket_directories=${this.#folder}`, "fsync=off"];
    const args = [
      "-D",
      this.#data,
      "-p",
      String(this.port),
      ...settings.flatMap((setting) => ["-c", setting]),
    ];
    const [command, ...rest] = [...AS_OTHER_USER, join(findPostgres() as string, "postgres"), ...args];
    this.#child = spawn(command as string, rest, { cwd: this.#folder, stdio: "ignore" });
    const end = Date.now() + PATIENCE;
    while (!(await accepts(this.port)) || !this.#isReady()) {
      if (Date.now() > end) throw new Error("PostgreSQL does not start");
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
  }

  /** All its connections break, and it writes nothing more: tables that are not logged will be empty. */
  async kill(): Promise<void> {
    await this.#end("SIGQUIT");
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#end("SIGQUIT");
    rmSync(this.#folder, { recursive: true, force: true });
  }

  get #data(): string {
    return join(this.#folder, "data");
  }

  #initialise(): void {
    if (AS_OTHER_USER.length > 0) {
      const { uid, gid } = statSync("/var/lib/postgresql");
      chownSync(this.#folder, uid, gid);
    }
    const initdb = join(findPostgres() as string, "initdb");
    const args = ["-D", this.#data, "-U", "test", "-A", "trust", "-E", "UTF8", "--no-sync"];
    const [command, ...rest] = [...AS_OTHER_USER, initdb, ...args];
    const run = spawnSync(command as string, rest, { cwd: this.#folder, encoding: "utf8" });
    if (run.status !== 0) throw new Error(`initdb failed: ${run.error ?? run.stderr}`);
  }

  /** It accepts connections before it answers queries. */
  #isReady(): boolean {
    const args = ["-h", "127.0.0.1", "-p", String(this.port), "-U", "test", "-q"];
    return spawnSync(join(findPostgres() as string, "pg_isready"), args).status === 0;
  }

  async #end(signal: NodeJS.Signals): Promise<void> {
    const child = this.#child;
    this.#child = undefined;
    if (child === undefined) return;
    child.kill(signal);
    await once(child, "exit");
  }
}

/** Declares a suite that needs PostgreSQL. */
export function describeWithPostgres(title: string, body: (this: Mocha.Suite) => void): void {
  describeWith("PostgreSQL", whyNoPostgres, title, body);
}
