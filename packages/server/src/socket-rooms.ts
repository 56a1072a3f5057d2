import type { Room } from "socket.io-adapter";
import { SendingSocket } from "./socket-sending.ts";
import type { EventsMap } from "./events/typed-events.ts";

/** A socket, as far as it is in rooms. */
export abstract class SocketInRooms<
  ListenEvents extends EventsMap,
  EmitEvents extends EventsMap,
  ReservedEvents extends EventsMap,
  SocketData,
> extends SendingSocket<ListenEvents, EmitEvents, ReservedEvents, SocketData> {
  /** The rooms the socket is in; its id is one of them. */
  get rooms(): Set<Room> {
    return this.adapter.socketRooms(this.id) ?? new Set();
  }

  /**
   * Joins rooms. A promise is returned only by adapters that have to tell others.
   *
   * @example
   * socket.join("room1");
   * await socket.join(["room1", "room2"]);
   */
  join(rooms: Room | Room[]): Promise<void> | void {
    if (this._gone) return;
    return this.adapter.addAll(this.id, new Set(Array.isArray(rooms) ? rooms : [rooms]));
  }

  /**
   * Leaves a room.
   *
   * @example
   * socket.leave("room1");
   */
  leave(room: Room): Promise<void> | void {
    return this.adapter.del(this.id, room);
  }

  /**
   * Leaves all rooms, its own too: only broadcasts to everyone reach it then.
   *
   * @example
   * socket.leaveAll();
   */
  leaveAll(): void {
    this.adapter.delAll(this.id);
  }

  /** A listener of the adapter that throws must not keep the socket half in its namespace. */
  protected joinOwnRoom(): void {
    try {
      void this.join(this.id);
    } catch (error) {
      this.server._userCode.report(error, { source: "connection", event: undefined, socket: this });
    }
  }
}
