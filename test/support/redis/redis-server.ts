import { findRedis, whyMissing } from "../../../scripts/setup.mjs";
import { freePort } from "../hosts/free-port.ts";
import { describeWith } from "../backends/describe-with.ts";
import { ListeningProgram } from "../process/listening-program.ts";

/** Why there is no Redis on this machine. */
export const whyNoRedis: string | undefined = findRedis() === undefined ? whyMissing("Redis") : undefined;

/** A Redis of its own on a port of the loopback interface, which keeps nothing when it ends. */
export class RedisServer {
  readonly port: number;
  readonly #program: ListeningProgram;

  private constructor(port: number, settings: readonly string[]) {
    this.port = port;
    const own = ["--bind", "127.0.0.1", "--save", "", "--appendonly", "no", "--dir", "/tmp"];
    const command = [findRedis() as string, "--port", String(port), ...own, ...settings];
    this.#program = new ListeningProgram(command, { name: "Redis", port });
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

  start(): Promise<void> {
    return this.#program.start();
  }

  kill(): Promise<void> {
    return this.#program.end();
  }

  /** It hangs, with all its connections. */
  stall(): void {
    this.#program.stall();
  }

  resume(): void {
    this.#program.resume();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.kill();
  }
}

/** Declares a suite that needs Redis. */
export function describeWithRedis(title: string, body: (this: Mocha.Suite) => void): void {
  describeWith("Redis", whyNoRedis, title, body);
}
