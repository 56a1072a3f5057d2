import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { findNats, whyMissing } from "../../../scripts/setup.mjs";
import { freePort } from "../hosts/free-port.ts";
import { describeWith } from "../backends/describe-with.ts";
import { ListeningProgram } from "../process/listening-program.ts";

/** Why there is no NATS on this machine. */
export const whyNoNats: string | undefined = findNats() === undefined ? whyMissing("NATS") : undefined;

/** A NATS server of its own on a port of the loopback interface, without JetStream: it keeps nothing. */
export class NatsServer {
  readonly port: number;
  readonly #folder: string = mkdtempSync(join(tmpdir(), "tidewire-nats-"));
  readonly #program: ListeningProgram;

  private constructor(port: number) {
    this.port = port;
    const args = ["--addr", "127.0.0.1", "--port", String(port), "--config", this.#file];
    this.#program = new ListeningProgram([findNats() as string, ...args], { name: "NATS", port });
  }

  /** @param configuration - more of its configuration file */
  static async start(configuration: string = ""): Promise<NatsServer> {
    const server = new NatsServer(await freePort());
    writeFileSync(server.#file, configuration);
    await server.start();
    return server;
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
