import type { SocketId } from "socket.io-adapter";
import type { EventItem } from "./items.ts";
import type { PublisherId } from "./journal.ts";

/**
 * What recovered clients have received on the node from which they came, and what may arrive here later: that node has sent it to them
 * at once, and has died, or was cut off, before it could give it to the journal.
 */
export class LateEvents {
  /** The number of the latest item that a client has, by node and socket. */
  readonly #had: Map<PublisherId, Map<SocketId, number>> = new Map();

  /** A client has joined that has received something elsewhere. */
  add(id: SocketId, publisher: PublisherId, seq: number): void {
    let sockets = this.#had.get(publisher);
    if (sockets === undefined) this.#had.set(publisher, (sockets = new Map()));
    sockets.set(id, seq);
  }

  delete(id: SocketId, publisher: PublisherId): void {
    const sockets = this.#had.get(publisher);
    sockets?.delete(id);
    if (sockets?.size === 0) this.#had.delete(publisher);
  }

  /** Leaves out the clients that have an event already. */
  without(event: EventItem, publisher: PublisherId, seq: number): EventItem {
    const sockets = this.#had.get(publisher);
    if (sockets === undefined) return event;
    const except = new Set(event.target.except);
    for (const [id, had] of sockets) if (seq <= had) except.add(id);
    return except.size === event.target.except.size
      ? event
      : { ...event, target: { ...event.target, except } };
  }
}
