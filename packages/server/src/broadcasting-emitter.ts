import type { Room, SocketId } from "socket.io-adapter";
import type { BroadcastOperator } from "./broadcast-operator.ts";
import type { RemoteSocket } from "./remote-socket.ts";
import { StrictEventEmitter } from "./events/typed-events.ts";
import type {
  AllButLast,
  DecorateAcknowledgements,
  DecorateAcknowledgementsWithMultipleResponses,
  EventNamesWithAck,
  EventParams,
  EventsMap,
  FirstNonErrorArg,
  Last,
  Untyped,
} from "./events/typed-events.ts";

/** The operator that broadcasts the events of an emitter. */
export type Broadcast<EmitEvents extends EventsMap, SocketData> = BroadcastOperator<
  DecorateAcknowledgementsWithMultipleResponses<EmitEvents>,
  SocketData
>;

/** The base of sockets, namespaces and servers: the methods that start a chain of receivers. */
export abstract class RoomTargets<
  ListenEvents extends EventsMap,
  OwnEmitEvents extends EventsMap,
  ReservedEvents extends EventsMap,
  EmitEvents extends EventsMap,
  SocketData,
> extends StrictEventEmitter<ListenEvents, OwnEmitEvents, ReservedEvents> {
  /** Starts the chain. */
  protected abstract newBroadcastOperator(): Broadcast<EmitEvents, SocketData>;

  /**
   * Chooses the members of a room as receivers.
   *
   * @example
   * io.to("room-101").emit("foo", "bar");
   *
   * // from a socket: every member of the rooms except the socket itself, each of them once
   * socket.to(["room-101", "room-102"]).emit("foo", "bar");
   *
   * @returns a new {@link BroadcastOperator}
   */
  to(room: Room | Room[]): Broadcast<EmitEvents, SocketData> {
    return this.newBroadcastOperator().to(room);
  }

  /**
   * The same as {@link to}, which reads better before methods other than `emit`.
   *
   * @example
   * io.in("room-101").disconnectSockets();
   *
   * @returns a new {@link BroadcastOperator}
   */
  in(room: Room | Room[]): Broadcast<EmitEvents, SocketData> {
    return this.newBroadcastOperator().in(room);
  }

  /**
   * Chooses all sockets except the members of a room.
   *
   * @example
   * io.except("room-101").emit("foo", "bar");
   *
   * @returns a new {@link BroadcastOperator}
   */
  except(room: Room | Room[]): Broadcast<EmitEvents, SocketData> {
    return this.newBroadcastOperator().except(room);
  }

  /**
   * Reaches only sockets of this server, not those of the other servers of the cluster.
   *
   * @example
   * io.local.emit("foo", "bar");
   *
   * @returns a new {@link BroadcastOperator}
   */
  get local(): Broadcast<EmitEvents, SocketData> {
    return this.newBroadcastOperator().local;
  }

  /**
   * Sends a `message` event, as `WebSocket.send()` would.
   *
   * @example
   * io.send("hello"); // io.emit("message", "hello")
   */
  send(...args: EventParams<EmitEvents, "message">): this {
    this.emit("message", ...(args as Untyped));
    return this;
  }

  /**
   * The same as {@link send}.
   *
   * @example
   * io.write("hello");
   */
  write(...args: EventParams<EmitEvents, "message">): this {
    return this.send(...args);
  }
}

/** The base of namespaces and servers: the other methods of {@link BroadcastOperator}, for all sockets. */
export abstract class BroadcastingEmitter<
  ListenEvents extends EventsMap,
  OwnEmitEvents extends EventsMap,
  ReservedEvents extends EventsMap,
  EmitEvents extends EventsMap,
  SocketData,
> extends RoomTargets<ListenEvents, OwnEmitEvents, ReservedEvents, EmitEvents, SocketData> {
  /**
   * Sets whether the packet may be compressed, if the transport compresses.
   *
   * @example
   * io.compress(false).emit("hello");
   *
   * @returns a new {@link BroadcastOperator}
   */
  compress(compress: boolean): Broadcast<EmitEvents, SocketData> {
    return this.newBroadcastOperator().compress(compress);
  }

  /**
   * Makes the packet volatile: it is dropped for each receiver that cannot take it at once.
   *
   * @example
   * io.volatile.emit("position", x, y);
   *
   * @returns a new {@link BroadcastOperator}
   */
  get volatile(): Broadcast<EmitEvents, SocketData> {
    return this.newBroadcastOperator().volatile;
  }

  /**
   * Conflates the event with others of the same key: of those that wait for a client that reads slowly, only the newest is
   * sent. A client that reads at once gets every one.
   * @param key - of this namespace, such as the symbol of a price
   *
   * @example
   * io.conflate("EURUSD").emit("price", "EURUSD", 1.0847);
   *
   * @returns a new {@link BroadcastOperator}
   */
  conflate(key: string): Broadcast<EmitEvents, SocketData> {
    return this.newBroadcastOperator().conflate(key);
  }

  /**
   * Limits the time for the answers of the receivers.
   * @param timeout - in ms
   *
   * @example
   * io.timeout(1000).emit("some-event", (err, responses) => {
   *   // err: not all have answered in time; responses: one per client that has
   * });
   *
   * @returns a new {@link BroadcastOperator}
   */
  timeout(
    timeout: number,
  ): BroadcastOperator<
    DecorateAcknowledgements<DecorateAcknowledgementsWithMultipleResponses<EmitEvents>>,
    SocketData
  > {
    return this.newBroadcastOperator().timeout(timeout);
  }

  /**
   * Gives up waiting for the answers of the receivers when the signal is aborted. The error is the reason of the signal.
   *
   * @example
   * const responses = await io.signal(AbortSignal.timeout(1000)).emitWithAck("some-event");
   *
   * @returns a new {@link BroadcastOperator}
   */
  signal(
    signal: AbortSignal,
  ): BroadcastOperator<
    DecorateAcknowledgements<DecorateAcknowledgementsWithMultipleResponses<EmitEvents>>,
    SocketData
  > {
    return this.newBroadcastOperator().signal(signal);
  }

  /**
   * Sends an event to all sockets and waits for their answers, in a cluster for a minute, otherwise without limit, unless
   * {@link timeout} sets one.
   *
   * @example
   * const responses = await io.emitWithAck("some-event");
   *
   * @returns one response per client
   */
  emitWithAck<Ev extends EventNamesWithAck<EmitEvents>>(
    ev: Ev,
    ...args: AllButLast<EventParams<EmitEvents, Ev>>
  ): Promise<FirstNonErrorArg<Last<EventParams<EmitEvents, Ev>>>[]> {
    const operator = this.newBroadcastOperator() as BroadcastOperator<Untyped, SocketData>;
    return operator.emitWithAck(ev, ...args);
  }

  /**
   * Returns the ids of all sockets.
   * @deprecated use {@link fetchSockets}
   *
   * @example
   * const ids = await io.allSockets();
   */
  allSockets(): Promise<Set<SocketId>> {
    return this.newBroadcastOperator().allSockets();
  }

  /**
   * Returns all sockets, on every server of the cluster.
   *
   * @example
   * for (const socket of await io.fetchSockets()) {
   *   console.log(socket.id, socket.handshake, socket.rooms, socket.data);
   * }
   */
  fetchSockets(): Promise<RemoteSocket<EmitEvents, SocketData>[]> {
    const operator = this.newBroadcastOperator() as BroadcastOperator<Untyped, SocketData>;
    return operator.fetchSockets();
  }

  /**
   * Makes all sockets join rooms.
   *
   * @example
   * io.socketsJoin(["room1", "room2"]);
   */
  socketsJoin(room: Room | Room[]): void {
    this.newBroadcastOperator().socketsJoin(room);
  }

  /**
   * Makes all sockets leave rooms.
   *
   * @example
   * io.socketsLeave("room1");
   */
  socketsLeave(room: Room | Room[]): void {
    this.newBroadcastOperator().socketsLeave(room);
  }

  /**
   * Disconnects all sockets from their namespace.
   * @param close - whether to close their connections, which they share with other namespaces
   *
   * @example
   * io.disconnectSockets();
   */
  disconnectSockets(close: boolean = false): void {
    this.newBroadcastOperator().disconnectSockets(close);
  }

  /**
   * Calls the middlewares of the namespace again with all sockets, on every server of the cluster, and disconnects those that are
   * refused: see `socket.revalidate()`.
   *
   * @example
   * io.revalidateSockets();
   *
   * @throws Error on a parent namespace
   */
  revalidateSockets(): void {
    this.newBroadcastOperator().revalidateSockets();
  }
}
