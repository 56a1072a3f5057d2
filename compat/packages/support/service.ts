// Starts Redis and PostgreSQL for the tests when they are first needed, on sockets in a temporary folder, and stops them after
// all tests.
import { spawn, spawnSync, type ChildProcess } from "node:child_process";
import { chownSync, existsSync, mkdtempSync, rmSync, statSync } from "node:fs";
import { once } from "node:events";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { findPostgres, findRedis, whyMissing } from "../../../scripts/setup.mjs";
import { accepts } from "../../../test/support/waiting/accepts.ts";

/** A service that suites need. */
export interface Service<Address> {
  /** Why it cannot be started on this machine. */
  readonly missing: string | undefined;
  /** Starts it, once for all tests. */
  start(): Promise<Address>;
}

const PATIENCE = 30_000;
/** Changes the user of a program, and ends it when its parent ends. */
const SETPRIV = "/usr/bin/setpriv";
const running = new Map<ChildProcess, NodeJS.Signals>();
const folders: string[] = [];

function stopAll(): void {
  for (const [child, signal] of running) child.kill(signal);
}

function removeFolders(): void {
  for (const folder of folders.splice(0)) rmSync(folder, { recursive: true, force: true });
}

after("stop the services", async () => {
  stopAll();
  await Promise.all([...running.keys()].map((child) => once(child, "close")));
  removeFolders();
});

process.on("exit", () => {
  stopAll();
  removeFolders();
});

function service<Address>(
  found: string | undefined,
  name: "Redis" | "PostgreSQL",
  begin: () => Promise<Address>,
): Service<Address> {
  let started: Promise<Address> | undefined;
  const missing = found === undefined ? whyMissing(name) : undefined;
  return { missing, start: () => (started ??= begin()) };
}

function newFolder(name: string): string {
  const folder = mkdtempSync(join(tmpdir(), `tidewire-${name}-`));
  folders.push(folder);
  return folder;
}

interface Server {
  readonly file: string;
  readonly args: readonly string[];
  /** The arguments of `setpriv` that change the user. */
  readonly user: readonly string[];
  /** The path of its socket. */
  readonly socket: string;
  /** The signal that ends it at once. */
  readonly signal: "TERM" | "QUIT";
}

/** Runs the server until the tests or this process end; resolves when its socket accepts connections. */
async function run({ file, args, user, socket, signal }: Server): Promise<void> {
  const whole = existsSync(SETPRIV)
    ? [SETPRIV, ...user, "--pdeathsig", signal, file, ...args]
    : [file, ...args];
  const child = spawn(whole[0] as string, whole.slice(1), { stdio: ["ignore", "pipe", "pipe"] });
  running.set(child, `SIG${signal}`);
  child.once("close", () => running.delete(child));
  let said = "";
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding("utf8").on("data", (text: string) => (said += text));
  }
  const end = Date.now() + PATIENCE;
  while (!(await accepts(socket))) {
    if (child.exitCode !== null || Date.now() > end) throw new Error(`${file} does not start: ${said}`);
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

/** Declares a suite that needs a service; without it, one pending test with the reason, or one failing test if CI is set. */
export function describeWith(needed: Service<unknown> | undefined, title: string, body: () => void): void {
  const { missing } = needed ?? {};
  describe(title, () => {
    if (missing === undefined) return body();
    if (!process.env["CI"]) return void it(`needs a service: ${missing}`);
    it("finds the service", () => {
      throw new Error(missing);
    });
  });
}

/** Redis; the address is the path of its socket. */
export const redis: Service<string> = service(findRedis(), "Redis", async () => {
  const folder = newFolder("redis");
  const socket = join(folder, "redis.sock");
  const args = ["--port", "0", "--unixsocket", socket, "--save", "", "--appendonly", "no", "--dir", folder];
  await run({ file: findRedis() as string, args, user: [], socket, signal: "TERM" });
  return socket;
});

/** The connection options of a PostgreSQL client. */
export interface PostgresAddress {
  readonly host: string;
  readonly user: string;
  readonly database: string;
}

/** PostgreSQL. It refuses to run as root, so root runs it as the user of its Debian package. */
export const postgres: Service<PostgresAddress> = service(findPostgres(), "PostgreSQL", async () => {
  const bin = findPostgres() as string;
  const folder = newFolder("postgres");
  const user =
    process.getuid?.() === 0 ? ["--reuid", "postgres", "--regid", "postgres", "--clear-groups"] : [];
  if (user.length > 0) {
    const { uid, gid } = statSync("/var/lib/postgresql");
    chownSync(folder, uid, gid);
  }
  const data = join(folder, "data");
  const initialising = [
    join(bin, "initdb"),
    "-D",
    data,
    "-U",
    "test",
    "-A",
    "trust",
    "-E",
    "UTF8",
    "--no-sync",
  ];
  const init = user.length > 0 ? [SETPRIV, ...user, ...initialising] : initialising;
  const { status, stderr, error } = spawnSync(init[0] as string, init.slice(1), {
    encoding: "utf8",
    cwd: folder,
  });
  if (status !== 0) throw new Error(`initdb failed: ${error ?? stderr}`);
  const settings = [
    "listen_addresses=",
    `unix_socket_directories=${folder}`,
    "fsync=off",
    "max_connections=100",
  ];
  const args = ["-D", data, ...settings.flatMap((setting) => ["-c", setting])];
  const socket = join(folder, ".s.PGSQL.5432");
  await run({ file: join(bin, "postgres"), args, user, socket, signal: "QUIT" });
  return { host: folder, user: "test", database: "postgres" };
});
