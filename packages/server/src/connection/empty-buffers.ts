import { createError } from "../errors.ts";
import { setImmediate } from "../timers.ts";
import type { Connection } from "./port.ts";

/** Returns how many bytes have not left yet. Other engines do not count what is in the kernel. */
export function bufferedAmountOf(conn: Connection): number {
  if (conn.bufferedAmount !== undefined) return conn.bufferedAmount;
  let bytes = 0;
  for (const packet of conn.writeBuffer) {
    const { data } = packet as { data?: string | Uint8Array };
    bytes += data === undefined ? 0 : Buffer.byteLength(data);
  }
  return bytes;
}

/** Waits until connections have taken everything: one promise for each connection, however many ask. */
export class EmptyBuffers {
  readonly #pending: Map<Connection, Promise<void>> = new Map();

  /**
   * Resolves once nothing waits for the client of the connection.
   *
   * @throws Error (`SOCKET_DISCONNECTED`) if the connection ends before
   */
  of(conn: Connection): Promise<void> {
    const pending = this.#pending.get(conn);
    if (pending !== undefined) return pending;
    if (conn.readyState !== "open") return Promise.reject(createError("SOCKET_DISCONNECTED"));
    if (bufferedAmountOf(conn) === 0) return Promise.resolve();
    const drained = this.#wait(conn);
    this.#pending.set(conn, drained);
    return drained;
  }

  #wait(conn: Connection): Promise<void> {
    return new Promise((resolve, reject) => {
      const stop = (): void => {
        this.#pending.delete(conn);
        conn.removeListener("drain", onDrain);
        conn.removeListener("close", onClose);
      };
      const check = (): void => {
        if (!this.#pending.has(conn) || bufferedAmountOf(conn) > 0) return;
        stop();
        resolve();
      };
      // The buffers of a connection that breaks are empty, too, just before it closes.
      const onDrain = (): void => void setImmediate(check);
      const onClose = (): void => {
        stop();
        reject(createError("SOCKET_DISCONNECTED"));
      };
      conn.on("drain", onDrain);
      conn.on("close", onClose);
    });
  }
}
