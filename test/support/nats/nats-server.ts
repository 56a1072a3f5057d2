import { spawn } from "node:child_process";
import type { ChildProcess } from "node:child_process";
import { once } from "node:events";
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
  #child: ChildProcess | undefined = undefined;

  private constructor(port: number) {
    this.port = port;
  }

  static async start(): Promise<NatsServer> {
    const server = new NatsServer(await freePort());
    await server.start();
    return server;
  }

  async start(): Promise<void> {
    const args = ["--addr", "127.0.0.1", "--port", String(this.port)];
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
  }
}

/** Declares a suite that needs NATS. */
export function describeWithNats(title: string, body: (this: Mocha.Suite) => void): void {
  describeWith("NATS", whyNoNats, title, body);
}
