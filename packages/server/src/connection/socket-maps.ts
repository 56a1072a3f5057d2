/** What identifies a socket of a connection. */
interface Joined {
  readonly id: string;
  readonly nsp: { readonly name: string };
}

/** The sockets of a connection by id and by namespace, of which each has one at most. */
export class SocketMaps<Socket extends Joined> {
  readonly byId: Map<string, Socket> = new Map();
  readonly byNamespace: Map<string, Socket> = new Map();

  add(socket: Socket): void {
    this.byId.set(socket.id, socket);
    this.byNamespace.set(socket.nsp.name, socket);
  }

  /** @returns whether the socket was one of them */
  remove(socket: Socket): boolean {
    if (!this.byId.delete(socket.id)) return false;
    this.byNamespace.delete(socket.nsp.name);
    return true;
  }
}
