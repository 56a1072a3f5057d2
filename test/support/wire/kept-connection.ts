import { connect, type Socket } from "node:net";
import { within } from "../waiting/queue.ts";

/** A connection to which a test writes raw requests, in pieces. `using` destroys it. */
export class KeptConnection implements Disposable {
  readonly #socket: Socket;
  #received = "";
  /** Resolves when the server has closed it, or has dropped it. */
  readonly closed: Promise<void>;
  #changed: () => void = () => {};

  private constructor(socket: Socket) {
    this.#socket = socket;
    this.closed = new Promise((resolve) => {
      socket.once("close", () => {
        resolve();
        this.#changed();
      });
    });
    socket.on("error", () => {});
    socket.on("data", (chunk: Buffer) => {
      this.#received += chunk.toString();
      this.#changed();
    });
  }

  static async open(port: number): Promise<KeptConnection> {
    const socket = connect({ port, host: "127.0.0.1" });
    const connection = new KeptConnection(socket);
    await new Promise((resolve) => socket.once("connect", resolve));
    return connection;
  }

  /** All that the server has sent. */
  get received(): string {
    return this.#received;
  }

  write(text: string): void {
    this.#socket.write(text);
  }

  [Symbol.dispose](): void {
    this.#socket.destroy();
  }

  /** All that the server has sent, once it holds the text, or once the server has closed. */
  async saw(text: string): Promise<string> {
    const come = new Promise<void>((resolve) => {
      this.#changed = (): void => {
        if (this.#received.includes(text) || this.#socket.destroyed) resolve();
      };
      this.#changed();
    });
    await within(come, `${text} from the server`);
    return this.#received;
  }
}
