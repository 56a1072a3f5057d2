import type { Binary } from "@tidewire/parser";
import type { Connection, ConnectionListener, ConnectionPort, EncodedPacket, WriteOptions } from "./port.ts";

/** The port to a connection of any engine: listens to the events that all of them emit. */
export class EventPort implements ConnectionPort {
  readonly #conn: Connection;
  readonly #onData: (data: string | Binary | undefined) => void;
  readonly #onError: (error: Error) => void;
  readonly #onClose: (reason: string, description?: unknown) => void;

  constructor(conn: Connection, listener: ConnectionListener) {
    this.#conn = conn;
    // An empty message of engine.io has no data.
    this.#onData = (data) => listener.onMessage(data ?? "");
    this.#onError = (error) => listener.onError(error);
    this.#onClose = (reason, description) => listener.onClose(reason, description);
    conn.on("data", this.#onData);
    conn.on("error", this.#onError);
    conn.on("close", this.#onClose);
  }

  write(_conn: Connection, packet: EncodedPacket, options: WriteOptions): boolean {
    const mayBeLost = options.volatile || options.waits?.mayBeLost;
    if (mayBeLost && !this.#conn.transport.writable) {
      return false;
    }
    for (const message of packet) {
      // A copy, because engines write to the options.
      this.#conn.write(message, { ...options });
    }
    return true;
  }

  release(): void {
    this.#conn.removeListener("data", this.#onData);
    this.#conn.removeListener("error", this.#onError);
    this.#conn.removeListener("close", this.#onClose);
  }
}
