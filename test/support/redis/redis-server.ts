import { spawn } from "node:child_process";
import type { ChildProcess } from "node:child_process";
import { once } from "node:events";
import { findRedis, whyMissing } from "../../../scripts/setup.mjs";
import { freePort } from "../../browser/support/chat-process.ts";
import { describeWith } from "../backends/describe-with.ts";
import { accepts } from "../waiting/accepts.ts";
import { PATIENCE } from "../waiting/queue.ts";

/** Why there is no Redis on this machine. */
export const whyNoRedis: string | undefined = findRedis() === undefined ? whyMissing("Redis") : undefined;

/** A Redis of its own on a port of the loopback interface, which keeps nothing when it ends. */
export class RedisServer {
  readonly port: number;
  readonly #settings: readonly string[];
  #child: ChildProcess | undefined = undefined;

  private constructor(port: number, settings: readonly string[]) {
    this.port = port;
    this.#settings = settings;
  }

  /** @param settings - more of those of the command line */
  static async start(settings: readonly string[] = []): Promise<RedisServer> {
    const server = new RedisServer(await freePort(), settings);
    await server.start();
    return server;
  }

  get url(): string {
    return `redis://127.0.0.1:${this.port}`;
  }

  async start(): Promise<void> {
    const settings = ["--bind", "127.0.0.1", "--save", "", "--appendonly", "no", "--dir", "/tmp"];
    this.#child = spawn(
      findRedis() as string,
      ["--port", String(this.port), ...settings, ...this.#settings],
      {
        stdio: "ignore",
      },
    );
    const end = Date.now() + PATIENCE;
    while (!(await accepts(this.port))) {
      if (Date.now() > end) throw new Error("Redis does not start");
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

  /** It hangs, with all its connections. */
  stall(): void {
    this.#child?.kill("SIGSTOP");
  }

  resume(): void {
    this.#child?.kill("SIGCONT");
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.kill();
  }
}

/** Declares a suite that needs Redis. */
export function describeWithRedis(title: string, body: (this: Mocha.Suite) => void): void {
  describeWith("Redis", whyNoRedis, title, body);
}
