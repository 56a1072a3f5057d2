/** Names no application may emit to a client: both sides emit them on their sockets themselves. */
export const SOCKET_RESERVED_EVENTS: ReadonlySet<string | symbol> = new Set([
  "connect",
  "connect_error",
  "disconnect",
  "disconnecting",
  "newListener",
  "removeListener",
]);

/** Names no application may emit to the other servers: each emits them on its namespaces itself. */
export const NAMESPACE_RESERVED_EVENTS: ReadonlySet<string | symbol> = new Set([
  "connect",
  "connection",
  "new_namespace",
]);
