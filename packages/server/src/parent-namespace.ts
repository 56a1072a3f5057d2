import createDebug from "debug";
import { ParentAdapter } from "./rooms/memory-adapter.ts";
import { createError } from "./errors.ts";
import { Namespace } from "./namespace.ts";
import type { RemoteSocket } from "./remote-socket.ts";
import type { Server } from "./server.ts";
import type {
  DefaultEventsMap,
  EventNamesWithoutAck,
  EventParams,
  EventsMap,
  Untyped,
} from "./events/typed-events.ts";

const debug = createDebug("socket.io:parent-namespace");

/** An adapter that may keep recovery states in memory. */
interface StateKeeper {
  readonly hasStates?: boolean;
  onStatesExpired?: (() => void) | undefined;
  close(): Promise<void> | void;
}

/**
 * Creates namespaces when clients ask for them, if its regular expression or function accepts their names. These children get its
 * listeners and middlewares, and its events reach the clients of all of them.
 *
 * @example
 * const parent = io.of(/^\/dynamic-\d+$/);
 *
 * parent.on("connection", (socket) => {
 *   console.log(socket.nsp.name); // "/dynamic-101"
 * });
 * parent.emit("hello", "world");
 */
export class ParentNamespace<
  ListenEvents extends EventsMap = DefaultEventsMap,
  EmitEvents extends EventsMap = ListenEvents,
  ServerSideEvents extends EventsMap = DefaultEventsMap,
  SocketData = Untyped,
> extends Namespace<ListenEvents, EmitEvents, ServerSideEvents, SocketData> {
  readonly children: Set<Namespace<ListenEvents, EmitEvents, ServerSideEvents, SocketData>> = new Set();

  constructor(server: Server<ListenEvents, EmitEvents, ServerSideEvents, SocketData>) {
    super(server, `/_${server.parentNsps.size}`);
  }

  override _initAdapter(): void {
    this.adapter = new ParentAdapter(this);
  }

  /**
   * Sends an event to all clients of all children.
   *
   * @example
   * io.of(/^\/dynamic-\d+$/).emit("hello", "world");
   *
   * @returns always true
   */
  override emit<Ev extends EventNamesWithoutAck<EmitEvents>>(
    ev: Ev,
    ...args: EventParams<EmitEvents, Ev>
  ): boolean {
    for (const child of this.children) {
      child.emit(ev, ...args);
    }
    return true;
  }

  /**
   * Creates the child of this name, as if a client had asked for it.
   *
   * @example
   * parent.createChild("/dynamic-101");
   */
  createChild(name: string): Namespace<ListenEvents, EmitEvents, ServerSideEvents, SocketData> {
    return this.create(name, () => {});
  }

  /** @internal Creates a child that counts as made by a client. */
  _createForClient(name: string): Namespace<ListenEvents, EmitEvents, ServerSideEvents, SocketData> {
    // Before it is announced: a listener may make it one of the application's own.
    return this.create(name, (child) => this.server._clientMade.add(child));
  }

  private create(
    name: string,
    created: (child: Namespace<ListenEvents, EmitEvents, ServerSideEvents, SocketData>) => void,
  ): Namespace<ListenEvents, EmitEvents, ServerSideEvents, SocketData> {
    debug("creating child namespace %s", name);
    const child = new Namespace(this.server, name);
    for (const fn of this._fns) {
      child.use(fn);
    }
    for (const listener of this.listeners("connect")) child.on("connect", listener);
    for (const listener of this.listeners("connection")) child.on("connection", listener);
    child._parent = this;
    this.children.add(child);
    this.server._nsps.set(name, child);
    created(child);
    this.server.sockets._announceNamespace(child);
    return child;
  }

  /** @internal Called when the last client of a child has left. */
  _childEmptied(child: Namespace<ListenEvents, EmitEvents, ServerSideEvents, SocketData>): void {
    if (this.server._opts.cleanupEmptyChildNamespaces) child._dispose();
    else this.server._clientMade.emptied(child);
  }

  /** @internal Removes a child without a client. */
  _removeChild(child: Namespace<ListenEvents, EmitEvents, ServerSideEvents, SocketData>): void {
    const keeper: StateKeeper = child.adapter;
    if (keeper.hasStates) {
      // The clients of these states may come back.
      keeper.onStatesExpired = () => child._checkWhetherEmpty();
      return;
    }
    debug("closing child namespace %s", child.name);
    void keeper.close();
    this.server._nsps.delete(child.name);
    this.server._clientMade.delete(child);
    this.children.delete(child);
  }

  /**
   * Throws always, because another server of the cluster may have other children.
   *
   * @example
   * for (const child of parent.children) await child.fetchSockets(); // instead
   */
  override fetchSockets(): Promise<RemoteSocket<EmitEvents, SocketData>[]> {
    throw createError("PARENT_FETCH");
  }
}
