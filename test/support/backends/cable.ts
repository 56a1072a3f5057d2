import { connect, createServer } from "node:net";
import type { AddressInfo, Server, Socket } from "node:net";

/** Leads from a port of its own to that of a server, and can be cut. */
export class Cable implements AsyncDisposable {
  readonly #target: number;
  readonly #host: string;
  readonly #server: Server;
  readonly #sockets: Set<Socket> = new Set();
  #state: "whole" | "cut" | "blocked" = "whole";

  private constructor(target: number, host: string) {
    this.#target = target;
    this.#host = host;
    this.#server = createServer((socket) => this.#onConnection(socket));
  }

  /** @param end - where it begins */
  static async to(
    target: number,
    host: string = "127.0.0.1",
    end: { readonly port: number; readonly host: string } = { port: 0, host: "127.0.0.1" },
  ): Promise<Cable> {
    const cable = new Cable(target, host);
    await new Promise<void>((resolve) => cable.#server.listen(end, resolve));
    return cable;
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port;
  }

  /** Connections break, and new ones do, too. */
  cut(): void {
    this.#state = "cut";
    for (const socket of this.#sockets) socket.destroy();
  }

  /** Connections stay, and new ones are accepted, but nothing gets through. */
  block(): void {
    this.#state = "blocked";
    for (const socket of this.#sockets) socket.pause();
  }

  mend(): void {
    this.#state = "whole";
    for (const socket of this.#sockets) socket.resume();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.cut();
    await new Promise((resolve) => this.#server.close(resolve));
  }

  #onConnection(near: Socket): void {
    if (this.#state === "cut") return void near.destroy();
    const far = connect(this.#target, this.#host);
    for (const [one, other] of [
      [near, far],
      [far, near],
    ] as const) {
      this.#sockets.add(one);
      one.setNoDelay();
      one.on("data", (bytes) => other.write(bytes));
      one.on("end", () => other.end());
      one.on("error", () => {});
      one.on("close", () => {
        this.#sockets.delete(one);
        other.destroy();
      });
      if (this.#state === "blocked") one.pause();
    }
  }
}
