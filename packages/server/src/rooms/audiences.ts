import { internals } from "@tidewire/engine";
import type { Session } from "@tidewire/engine";
import type { Packet } from "@tidewire/parser";
import type { Room } from "socket.io-adapter";
import type { SharedPacket } from "../connection/shared-packet.ts";
import { sendShared } from "./fanout.ts";
import type { Receiver } from "./fanout.ts";
import type { RoomTable } from "./room-table.ts";

const { SessionAudience } = internals;
type SessionAudience = internals.SessionAudience;

/** With fewer members, keeping an audience costs more than it saves. */
const FEW = 5;

/** How many excepted members are left out of an audience one by one. */
const MANY_EXCEPT = 8;

/** How many audiences of several rooms, or without the members of others, are kept. */
const MOST_COMBINED = 100;

/** The receivers of broadcasts, as lists that are kept from one broadcast to the next until who is in the room changes. */
export class Audiences {
  readonly #table: RoomTable<Receiver>;
  /** By room; that of everyone is under `undefined`. */
  readonly #kept: Map<Room | undefined, RoomAudience> = new Map();
  /** By the names of the rooms and of the excepted ones. Forgotten at any change. */
  readonly #combined: Map<string, RoomAudience> = new Map();

  constructor(table: RoomTable<Receiver>) {
    this.#table = table;
    table.onChange = (id, room) => this.#change(id, room);
  }

  /**
   * Sends a packet to all members of the rooms, or to everyone if no room is named, but to nobody in an excepted room.
   *
   * @returns how many sessions get it together, through an audience
   */
  send(packet: Packet, shared: SharedPacket, rooms: ReadonlySet<Room>, except: ReadonlySet<Room>): number {
    const table = this.#table;
    const isKept = rooms.size < 2 && (except.size === 0 || table.count(except) < MANY_EXCEPT);
    if (shared.volatile || shared.waits !== undefined || table.count(rooms) < FEW) {
      table.forEach(rooms, except, (receiver) => sendShared(receiver, packet, shared));
      return 0;
    } else if (isKept) {
      const [room] = rooms;
      const left: Receiver[] = [];
      if (except.size > 0) table.forEach(except, undefined, (receiver) => left.push(receiver));
      return this.#of(room).send(packet, shared, left);
    } else {
      return this.#combine(rooms, except).send(packet, shared, []);
    }
  }

  #combine(rooms: ReadonlySet<Room>, except: ReadonlySet<Room>): RoomAudience {
    const table = this.#table;
    const key = JSON.stringify([...rooms, null, ...except]);
    const size = table.count(rooms) + table.count(except);
    const kept = this.#combined.get(key);
    if (kept?.isCurrent === true && kept.size === size) return kept;
    const members: Receiver[] = [];
    table.forEach(rooms, except, (receiver) => members.push(receiver));
    const audience = new RoomAudience(members, size, false);
    if (this.#combined.size === MOST_COMBINED) this.#combined.clear();
    if (table.areReached(rooms)) this.#combined.set(key, audience);
    return audience;
  }

  #of(room: Room | undefined): RoomAudience {
    const table = this.#table;
    const rooms = new Set(room === undefined ? [] : [room]);
    const size = table.count(rooms);
    const kept = this.#kept.get(room);
    // The application has the maps, and may have changed them by itself.
    if (kept?.isCurrent === true && kept.size === size) return kept;
    const members: Receiver[] = [];
    let isDisjoint = room !== undefined;
    table.forEach(rooms, undefined, (receiver, id) => {
      members.push(receiver);
      isDisjoint &&= receiver.client._hasOneSocket && !table.sharesOther(id, room!);
    });
    const audience = new RoomAudience(members, size, isDisjoint);
    // A socket that has yet to join the namespace becomes a receiver without a change of the room.
    if (table.areReached(rooms)) this.#kept.set(room, audience);
    return audience;
  }

  /** The id has joined or left the room; without a room: it is known now, or no more. */
  #change(id: string, room: Room | undefined): void {
    // To clear an empty map costs more than to ask: it allocates another table.
    if (this.#combined.size > 0) this.#combined.clear();
    if (this.#kept.size === 0) return;
    this.#kept.get(room)?.overlap();
    this.#kept.delete(room);
    if (room === undefined) return;
    // Its other rooms may have a member in common with this one now, and so may those of a member that was alone.
    this.#overlap(id);
    if (this.#table.count(new Set([room])) === 2)
      this.#table.forEachId(room, (other) => this.#overlap(other));
  }

  #overlap(id: string): void {
    this.#table.forEachRoom(id, (room) => this.#kept.get(room)?.overlap());
  }
}

/** Some sockets that are sent the same packets. */
class RoomAudience {
  /** How many were in the rooms that it was made of. */
  readonly size: number;
  readonly #sessions: SessionAudience | undefined;
  /** Those to whom each packet is sent by itself: their transports, or their listeners, ask for it. */
  readonly #others: readonly Receiver[];
  #isOutdated = false;

  constructor(members: readonly Receiver[], size: number, isDisjoint: boolean) {
    const sessions: Session[] = [];
    const others: Receiver[] = [];
    for (const member of members) {
      const session = sessionOf(member);
      if (session !== undefined && session.server === (sessions[0] ?? session).server) sessions.push(session);
      else others.push(member);
    }
    const [first, ...rest] = sessions;
    this.size = size;
    this.#sessions = first && new SessionAudience([first, ...rest], isDisjoint);
    this.#others = others;
  }

  get isCurrent(): boolean {
    return !this.#isOutdated && this.#sessions?.isCurrent !== false;
  }

  overlap(): void {
    this.#sessions?.overlap();
  }

  /**
   * @param except - few, members or not
   * @returns how many sessions get it together
   */
  send(packet: Packet, shared: SharedPacket, except: readonly Receiver[]): number {
    // By the connection: what was accepted when the audience was made may have changed.
    const connections = except.map(({ client }) => client.conn);
    const count = this.#sessions?.send(shared.messages, connections) ?? 0;
    for (const receiver of this.#others) {
      if (!except.includes(receiver)) sendShared(receiver, packet, shared);
      // It has been upgraded.
      this.#isOutdated ||= sessionOf(receiver) !== undefined;
    }
    return count;
  }
}

function sessionOf(receiver: Receiver): Session | undefined {
  return receiver.hasOutgoingListeners ? undefined : receiver.client._session;
}
