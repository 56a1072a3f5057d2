import { reservedEvents } from "@tidewire/parser";

/** Names that no application may emit to a client, because sockets on either side emit these events themselves. */
export const SOCKET_RESERVED_EVENTS: ReadonlySet<string | symbol> = reservedEvents;

/** Names that no application may emit to other servers, because namespaces emit these events themselves. */
export const NAMESPACE_RESERVED_EVENTS: ReadonlySet<string | symbol> = new Set([
  "connect",
  "connection",
  "new_namespace",
]);
