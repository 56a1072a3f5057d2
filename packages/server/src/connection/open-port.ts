import type { Connection, ConnectionListener, ConnectionPort } from "./port.ts";
import { directPort } from "./session-port.ts";
import type { DirectConnection } from "./session-port.ts";
import { EventPort } from "./event-port.ts";

/** Opens the port to a connection: the direct one to a session of `@tidewire/engine`, else one that listens to events. */
export function openPort(conn: Connection, listener: ConnectionListener): ConnectionPort {
  if (!isDirect(conn)) return new EventPort(conn, listener);
  conn.handlers = listener;
  return directPort;
}

function isDirect(conn: Connection): conn is DirectConnection {
  return "handlers" in conn && "sendMessage" in conn;
}
