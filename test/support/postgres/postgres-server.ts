import { spawnSync } from "node:child_process";
import { chownSync, mkdtempSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { findPostgres, whyMissing } from "../../../scripts/setup.mjs";
import { freePort } from "../hosts/free-port.ts";
import { describeWith } from "../backends/describe-with.ts";
import { ListeningProgram } from "../process/listening-program.ts";

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
  readonly #program: ListeningProgram;

  private constructor(port: number) {
    this.port = port;
    const settings = ["listen_addresses=127.0.0.1", `unix_socket_directories=${this.#folder}`, "fsync=off"];
    const args = ["-D", this.#data, "-p", String(port), ...settings.flatMap((setting) => ["-c", setting])];
    const command = [...AS_OTHER_USER, join(findPostgres() as string, "postgres"), ...args];
    this.#program = new ListeningProgram(command, {
      name: "PostgreSQL",
      port,
      isReady: () => this.#isReady(),
      options: { cwd: this.#folder },
    });
  }

  static async start(): Promise<PostgresServer> {
    const server = new PostgresServer(await freePort());
    server.#initialise();
    await server.start();
    return server;
  }

  start(): Promise<void> {
    return this.#program.start();
  }

  /** All its connections break, and it writes nothing more: tables that are not logged will be empty. */
  kill(): Promise<void> {
    return this.#program.end("SIGQUIT");
  }

  /** It hangs, with all its connections. */
  stall(): void {
    this.#program.stall();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.kill();
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
}

/** Declares a suite that needs PostgreSQL. */
export function describeWithPostgres(title: string, body: (this: Mocha.Suite) => void): void {
  describeWith("PostgreSQL", whyNoPostgres, title, body);
}
