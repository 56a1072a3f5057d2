/** A socket, as far as it is found by its id or its namespace. */
interface Joined {
  readonly id: string;
  readonly nsp: { readonly name: string };
}

/** The sockets that share a connection, one per namespace. Most connections have one: maps are made when they have more. */
export abstract class ClientSockets<Socket extends Joined> {
  private only: Socket | undefined = undefined;
  private byId: Map<string, Socket> | undefined = undefined;
  private byNamespace: Map<string, Socket> | undefined = undefined;

  /** by socket id */
  get sockets(): Map<string, Socket> {
    if (this.byId === undefined) this.makeMaps();
    return this.byId!;
  }

  /** by namespace name */
  get nsps(): Map<string, Socket> {
    if (this.byNamespace === undefined) this.makeMaps();
    return this.byNamespace!;
  }

  private makeMaps(): void {
    this.byId = new Map();
    this.byNamespace = new Map();
    const { only } = this;
    this.only = undefined;
    if (only !== undefined) this.addSocket(only);
  }

  protected addSocket(socket: Socket): void {
    if (this.byId === undefined && this.only === undefined) {
      this.only = socket;
    } else {
      this.sockets.set(socket.id, socket);
      this.nsps.set(socket.nsp.name, socket);
    }
  }

  /** Whether the socket was one of them. */
  protected removeSocket(socket: Socket): boolean {
    if (this.only === socket) {
      this.only = undefined;
      return true;
    }
    if (this.byId?.delete(socket.id) !== true) return false;
    this.nsps.delete(socket.nsp.name);
    return true;
  }

  protected socketIn(namespace: string): Socket | undefined {
    const { only } = this;
    if (only !== undefined) return only.nsp.name === namespace ? only : undefined;
    return this.byNamespace?.get(namespace);
  }

  /** Those that are there now. */
  protected get allSockets(): Socket[] {
    if (this.only !== undefined) return [this.only];
    return this.byId === undefined ? [] : [...this.byId.values()];
  }

  protected forgetSockets(): void {
    this.only = undefined;
    this.byId?.clear();
  }
}
