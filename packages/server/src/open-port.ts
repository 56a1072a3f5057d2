import type { Connection, ConnectionListener, ConnectionPort } from "./connection-port.ts";
import { DirectPort } from "./direct-port.ts";
import type { DirectConnection } from "./direct-port.ts";
import { EventPort } from "./event-port.ts";

/** Opens the port to a connection: the direct one where the engine offers it. */
export function openPort(conn: Connection, listener: ConnectionListener): ConnectionPort {
  return isDirect(conn) ? new DirectPort(conn, listener) : new EventPort(conn, listener);
}

function isDirect(conn: Connection): conn is DirectConnection {
  return "handlers" in conn && "sendMessage" in conn;
}
