// Builds an application of a framework, with the programs of docs/frameworks.md, and runs its scripts.
import { execFile, spawn, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { delimiter, dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { findNode } from "../../../scripts/tools.mjs";
import { freePort } from "../../../test/support/hosts/free-port.ts";
import { root } from "../../../test/packaging/packed.ts";
import { accepts } from "../../../test/support/waiting/accepts.ts";
import { Installation } from "../../support/installation.ts";

const run = promisify(execFile);
const applications: string = fileURLToPath(new URL("../applications/", import.meta.url));

/** The version of Node that the frameworks ask for. */
const NODE = 22;

/** How long a server may take to listen, in ms; one for development builds first. */
const PATIENCE = 120_000;

/** The programs of a section of docs/frameworks.md that say in which file they stand: their code by that name. */
function programsOf(title: string): Map<string, string> {
  const page = readFileSync(join(root, "docs/frameworks.md"), "utf8");
  const section = page.split(/^(?=## )/m).find((text) => text.startsWith(`## ${title}\n`)) ?? "";
  const programs = section.matchAll(/^```[jt]s (\S+)\n([^]*?)^```/gm);
  const found = new Map([...programs].map(([, file, code]) => [file!, code!] as const));
  if (found.size === 0) throw new Error(`docs/frameworks.md has no programs for ${title}`);
  return found;
}

/** An application of a framework: what a section of the page says, and the rest of it in applications/. */
export class BuiltApplication {
  readonly #name: string;
  readonly #section: string;
  readonly #installation: Installation;
  #folder: string | undefined = undefined;

  /** @param section - of docs/frameworks.md */
  constructor(name: string, section: string) {
    this.#name = name;
    this.#section = section;
    this.#installation = new Installation({
      source: join(applications, name),
      name: `frameworks-${name}`,
      aliases: { "socket.io": "server", "engine.io": "engine" },
      others: ["server"],
      isLocked: false,
    });
  }

  versionOf(dependency: string): string {
    return this.#installation.versionOf(dependency);
  }

  /** Installs and builds it. */
  async build(): Promise<void> {
    const installed = await this.#installation.folder();
    // Frameworks do not find dependencies behind a link out of their folder. Hard links are no such links.
    const folder = mkdtempSync(join(root, "compat/.cache/built-"));
    this.#folder = folder;
    process.once("exit", () => this.remove());
    await run("cp", ["-al", join(installed, "node_modules"), join(folder, "node_modules")]);
    cpSync(join(applications, this.#name), folder, { recursive: true });
    for (const [file, code] of programsOf(this.#section)) {
      mkdirSync(dirname(join(folder, file)), { recursive: true });
      writeFileSync(join(folder, file), code.replaceAll("3000", "process.env.PORT"));
    }
    await run("npm", ["run", "build"], { cwd: folder, env: environment(), maxBuffer: 64e6 });
  }

  /** Runs a script, and waits until it listens. */
  async start(script: "start" | "dev"): Promise<RunningApplication> {
    if (this.#folder === undefined) throw new Error("it is not built");
    const [port, socketPort] = await Promise.all([freePort(), freePort()]);
    return RunningApplication.start(this.#folder, script, port, socketPort);
  }

  /** Removes what was built. */
  remove(): void {
    if (this.#folder !== undefined) rmSync(this.#folder, { recursive: true, force: true });
    this.#folder = undefined;
  }
}

/** A script that listens on two ports: one for pages and Socket.IO on node:http, and one for Socket.IO on uWebSockets.js. */
export class RunningApplication {
  readonly url: string;
  readonly socketUrl: string;
  readonly #child: ChildProcess;
  readonly #ended: Promise<unknown>;
  #output = "";

  private constructor(child: ChildProcess, port: number, socketPort: number) {
    this.#child = child;
    this.url = `http://localhost:${port}`;
    this.socketUrl = `http://localhost:${socketPort}`;
    this.#ended = once(child, "close");
    for (const stream of [child.stdout, child.stderr])
      stream?.setEncoding("utf8").on("data", (text: string) => (this.#output += text));
  }

  static async start(
    folder: string,
    script: string,
    port: number,
    socketPort: number,
  ): Promise<RunningApplication> {
    const child = spawn("npm", ["run", script], {
      cwd: folder,
      // A group of its own, so that npm, its shell and the server end together.
      detached: true,
      stdio: ["ignore", "pipe", "pipe"],
      env: { ...environment(), PORT: String(port), SOCKET_PORT: String(socketPort) },
    });
    const running = new RunningApplication(child, port, socketPort);
    const end = Date.now() + PATIENCE;
    while (!(await running.#serves())) {
      if (child.exitCode !== null || Date.now() > end) {
        await running.stop();
        throw new Error(`npm run ${script} does not serve:\n${running.#output}`);
      }
      await new Promise((resolve) => setTimeout(resolve, 100));
    }
    return running;
  }

  /** Whether it serves its page, which a server for development builds for the first request, and accepts clients on its other port. */
  async #serves(): Promise<boolean> {
    const page = await this.page().catch(() => undefined);
    return page?.status === 200 && (await accepts(Number(new URL(this.socketUrl).port)));
  }

  page(): Promise<Response> {
    return fetch(this.url, { headers: { accept: "text/html" } });
  }

  async stop(): Promise<void> {
    try {
      process.kill(-this.#child.pid!, "SIGKILL");
    } catch {
      // It has ended.
    }
    await this.#ended;
  }
}

function environment(): NodeJS.ProcessEnv {
  const node = findNode(NODE);
  if (node === undefined) throw new Error(`Node ${NODE} is not in scripts/tools, or not for this machine`);
  const { NODE_OPTIONS: _, NODE_ENV: __, HOST: ___, ...env } = process.env;
  return {
    ...env,
    PATH: `${dirname(node)}${delimiter}${env["PATH"] ?? ""}`,
    NEXT_TELEMETRY_DISABLED: "1",
    NUXT_TELEMETRY_DISABLED: "1",
  };
}
