// Official clients that close after the test.
import { io, type ManagerOptions, type Socket, type SocketOptions } from "socket.io-client";

const clients = new Set<Socket>();

/** Closes all clients of the test. */
export function closeClients(): void {
  for (const client of clients) client.close();
  clients.clear();
}

/** Opens an official client with its own connection, which closes with {@link closeClients}. */
export function connect(url: string, options: Partial<ManagerOptions & SocketOptions> = {}): Socket {
  const client = io(url, { forceNew: true, reconnection: false, ...options });
  clients.add(client);
  return client;
}
