// HAProxy in front of three processes of a cluster, so that no request of a session on long-polling reaches its own process.
import { spawn, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { findProxy, whyMissing } from "../../../scripts/setup.mjs";
import { freePort } from "../../../test/support/hosts/free-port.ts";
import { runHaproxy } from "../../../test/support/proxies/configurations.ts";
import { accepts } from "../../../test/support/waiting/accepts.ts";

const program = findProxy("HAProxy");

/** Why there can be no detours on this machine. */
export const whyNoDetour: string | undefined = program === undefined ? whyMissing("HAProxy") : undefined;

/** Ports that lead to a process each: handshakes and WebSockets to that one, all other requests to another one. */
export class Detour {
  readonly ports: readonly number[];
  readonly #folder: string;
  readonly #child: ChildProcess;

  private constructor(ports: readonly number[], folder: string) {
    this.ports = ports;
    this.#folder = folder;
    const file = join(folder, "conf");
    this.#child = spawn(program as string, runHaproxy(file), { stdio: "ignore" });
  }

  /**
   * @param targets - the ports of the processes. Only requests of its own sessions reach the last one, so that it can be killed
   * without an end of others.
   */
  static async to(targets: readonly number[]): Promise<Detour> {
    const folder = mkdtempSync(join(tmpdir(), "tidewire-detour-"));
    const ports: number[] = [];
    for (const _ of targets) ports.push(await freePort());
    writeFileSync(join(folder, "conf"), configuration(ports, targets));
    const detour = new Detour(ports, folder);
    for (const port of ports) await detour.#listens(port);
    return detour;
  }

  async #listens(port: number): Promise<void> {
    while (!(await accepts(port))) {
      if (this.#child.exitCode !== null) throw new Error(`HAProxy has ended with ${this.#child.exitCode}`);
      await new Promise((resolve) => setTimeout(resolve, 5));
    }
  }

  async end(): Promise<void> {
    this.#child.kill("SIGKILL");
    if (this.#child.exitCode === null && this.#child.signalCode === null) await once(this.#child, "exit");
    rmSync(this.#folder, { recursive: true });
  }
}

function configuration(ports: readonly number[], targets: readonly number[]): string {
  const processes = targets.map((target, index) => {
    const other = index === 0 ? 1 : 0;
    return `
frontend to${index}
  bind 127.0.0.1:${ports[index]}
  use_backend process${other} if { url_param(sid) -m found }
  default_backend process${index}

backend process${index}
  server one 127.0.0.1:${target}
`;
  });
  return `
defaults
  mode http
  timeout connect 5s
  timeout client 60s
  timeout server 60s
${processes.join("")}`;
}
