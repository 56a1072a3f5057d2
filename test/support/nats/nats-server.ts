import { spawn } from "node:child_process";
import type { ChildProcess } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { findNats, whyMissing } from "../../../scripts/setup.mjs";
import { freePort } from "../../browser/support/chat-process.ts";
import { describeWith } from "../backends/describe-with.ts";
import { accepts } from "../waiting/accepts.ts";
import { PATIENCE } from "../waiting/queue.ts";

/** Why there is no NATS on this machine. */
export const whyNoNats: string | undefined = findNats() === undefined ? whyMissing("NATS") : undefined;

/** A NATS server of its own on a port of the loopback interface, without JetStream: it keeps nothing. */
export class NatsServer {
  readonly port: number;
  readonly #folder: string = mkdtempSync(join(tmpdir(), "tidewire-nats-"));
  #child: ChildProcess | undefined = undefined;

  private constructor(port: number) {
    this.port = port;
  }

  /** @param configuration - more of its configuration file */
  static async start(configuration: string = ""): Promise<NatsServer> {
    const server = new NatsServer(await freePort());
    writeFileSync(server.#file, configuration);
    await server.start();
    return server;
  }

  async start(): Promise<void> {
    const args = ["--addr", "127.0.0.1", "--port", String(this.port), "--config", this.#file];
    this.#child = spawn(findNats() as string, args, { stdio: "ignore" });
    const end = Date.now() + PATIENCE;
    while (!(await accepts(this.port))) {
      if (Date.now() > end) throw new Error("NATS does not start");
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
  }

  async kill(): Promise<void> {
    const child = this.#child;
    this.#child = undefined;
    if (child === undefined) return;
    child.kill("SIGKILL");
    await once(child, "exit");
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.kill();
    rmSync(this.#folder, { recursive: true, force: true });
  }

  get #file(): string {
    return join(this.#folder, "nats.conf");
  }
}

/** Declares a suite that needs NATS. */
export function describeWithNats(title: string, body: (this: Mocha.Suite) => void): void {
  describeWith("NATS", whyNoNats, title, body);
}
