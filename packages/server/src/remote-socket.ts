import type { Room, SocketId } from "socket.io-adapter";
import type { Handshake } from "./connection/handshake.ts";
import type {
  AllButLast,
  DecorateAcknowledgements,
  EventNames,
  EventNamesWithError,
  EventParams,
  EventsMap,
  FirstNonErrorArg,
  Last,
  TypedEventBroadcaster,
} from "./events/typed-events.ts";

/** A socket as its server describes it to the others. */
export interface SocketDetails<SocketData> {
  id: SocketId;
  handshake: Handshake;
  rooms: Iterable<Room>;
  data: SocketData;
}

/** An operator for the one socket that a {@link RemoteSocket} stands for. */
export interface RemoteOperator<
  EmitEvents extends EventsMap,
  SocketData,
> extends TypedEventBroadcaster<EmitEvents> {
  timeout(timeout: number): RemoteOperator<DecorateAcknowledgements<EmitEvents>, SocketData>;
  signal(signal: AbortSignal): RemoteOperator<DecorateAcknowledgements<EmitEvents>, SocketData>;
  emitWithAck<Ev extends EventNamesWithError<EmitEvents>>(
    ev: Ev,
    ...args: AllButLast<EventParams<EmitEvents, Ev>>
  ): Promise<FirstNonErrorArg<Last<EventParams<EmitEvents, Ev>>>>;
  socketsJoin(room: Room | Room[]): void;
  socketsLeave(room: Room | Room[]): void;
  disconnectSockets(close?: boolean): void;
}

/**
 * A socket of another server of the cluster, as `fetchSockets()` returns it: a snapshot through which the socket can be reached.
 *
 * @example
 * for (const socket of await io.fetchSockets()) {
 *   socket.emit("hello");
 *   socket.join("room1");
 * }
 */
export class RemoteSocket<
  EmitEvents extends EventsMap,
  SocketData,
> implements TypedEventBroadcaster<EmitEvents> {
  /** Identifies the socket in its namespace. */
  readonly id: SocketId;
  /** How the client connected. */
  readonly handshake: Handshake;
  /** The rooms that the socket was in. */
  readonly rooms: Set<Room>;
  /** The data of the application, as it was. */
  readonly data: SocketData;
  private readonly operator: RemoteOperator<EmitEvents, SocketData>;

  constructor(operator: RemoteOperator<EmitEvents, SocketData>, details: SocketDetails<SocketData>) {
    this.id = details.id;
    this.handshake = details.handshake;
    this.rooms = new Set(details.rooms);
    this.data = details.data;
    this.operator = operator;
  }

  /**
   * Limits the time for the answer to the next event.
   * @param timeout - in ms
   *
   * @example
   * socket.timeout(1000).emit("some-event", (err, response) => {});
   */
  timeout(timeout: number): RemoteOperator<DecorateAcknowledgements<EmitEvents>, SocketData> {
    return this.operator.timeout(timeout);
  }

  /**
   * Gives up waiting for the answer to the next event when the signal is aborted.
   *
   * @example
   * socket.signal(AbortSignal.timeout(1000)).emit("some-event", (err, response) => {});
   */
  signal(signal: AbortSignal): RemoteOperator<DecorateAcknowledgements<EmitEvents>, SocketData> {
    return this.operator.signal(signal);
  }

  /**
   * Sends an event to the socket.
   *
   * @example
   * socket.emit("hello", "world");
   *
   * @returns always true
   * @throws Error if the event name is reserved
   */
  emit<Ev extends EventNames<EmitEvents>>(ev: Ev, ...args: EventParams<EmitEvents, Ev>): boolean {
    return this.operator.emit(ev, ...args);
  }

  /**
   * Makes the socket join rooms.
   *
   * @example
   * socket.join(["room1", "room2"]);
   */
  join(room: Room | Room[]): void {
    this.operator.socketsJoin(room);
  }

  /**
   * Makes the socket leave a room.
   *
   * @example
   * socket.leave("room1");
   */
  leave(room: Room): void {
    this.operator.socketsLeave(room);
  }

  /**
   * Disconnects the socket from its namespace.
   * @param close - whether to close its connection, which it shares with other namespaces
   *
   * @example
   * socket.disconnect();
   */
  disconnect(close: boolean = false): this {
    this.operator.disconnectSockets(close);
    return this;
  }
}
