import type { Connection, ConnectionListener, ConnectionPort, EncodedPacket, WriteOptions } from "./port.ts";

/** Listens to the events of a connection, as every engine emits them. */
export class EventPort implements ConnectionPort {
  private readonly conn: Connection;
  private readonly ondata: (data: unknown) => void;
  private readonly onerror: (error: Error) => void;
  private readonly onclose: (reason: string, description?: unknown) => void;

  constructor(conn: Connection, listener: ConnectionListener) {
    this.conn = conn;
    this.ondata = (data) => listener.ondata(data);
    this.onerror = (error) => listener.onerror(error);
    this.onclose = (reason, description) => listener.onclose(reason, description);
    conn.on("data", this.ondata);
    conn.on("error", this.onerror);
    conn.on("close", this.onclose);
  }

  write(_conn: Connection, packet: EncodedPacket, options: WriteOptions): void {
    if (options.volatile && !this.conn.transport.writable) {
      return;
    }
    for (const message of packet) {
      // A copy: engines write to it.
      this.conn.write(message, { ...options });
    }
  }

  release(): void {
    this.conn.removeListener("data", this.ondata);
    this.conn.removeListener("error", this.onerror);
    this.conn.removeListener("close", this.onclose);
  }
}
