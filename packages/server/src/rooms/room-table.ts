import type { EventEmitter } from "node:events";

/**
 * Who is in which room. A socket is in the room of its own name, and most are in no other: they take one entry here instead
 * of two sets and two entries, until somebody looks.
 */
export class RoomTable<Member extends object> {
  private readonly members: ReadonlyMap<string, Member>;
  private readonly events: EventEmitter;
  /** By room. The rooms of those who are alone in their own are left out. */
  private readonly rooms: Map<string, Set<string>> = new Map();
  /** By id: the rooms it is in; or, if that is its own alone, and nobody else is in that, who it is. */
  private readonly sids: Map<string, Set<string> | Member> = new Map();
  /** Somebody has seen the maps, and may look at them again at any time. */
  private isShown = false;

  /**
   * @param members - those who can be reached
   * @param events - told of `create-room`, `join-room`, `leave-room` and `delete-room`
   */
  constructor(members: ReadonlyMap<string, Member>, events: EventEmitter) {
    this.members = members;
    this.events = events;
  }

  /** The maps themselves, complete and kept so from now on. */
  show(): { rooms: Map<string, Set<string>>; sids: Map<string, Set<string>> } {
    if (!this.isShown) {
      this.isShown = true;
      for (const id of this.sids.keys()) this.roomsOf(id);
    }
    return { rooms: this.rooms, sids: this.sids as Map<string, Set<string>> };
  }

  /** The set itself: it changes with the rooms of the id. */
  roomsOf(id: string): Set<string> | undefined {
    const rooms = this.sids.get(id);
    if (rooms === undefined || rooms instanceof Set) return rooms;
    const own = new Set([id]);
    this.sids.set(id, own);
    this.rooms.set(id, new Set([id]));
    return own;
  }

  private isAlone(id: string): boolean {
    const rooms = this.sids.get(id);
    return rooms !== undefined && !(rooms instanceof Set);
  }

  /** Whether the id is in the room. */
  has(id: string, room: string): boolean {
    const rooms = this.sids.get(id);
    return rooms instanceof Set ? rooms.has(room) : rooms !== undefined && id === room;
  }

  add(id: string, rooms: ReadonlySet<string>): void {
    if (rooms.size === 1 && rooms.has(id) && this.addAlone(id)) return;
    let ownRooms = this.roomsOf(id);
    if (ownRooms === undefined) this.sids.set(id, (ownRooms = new Set()));
    for (const room of rooms) {
      ownRooms.add(room);
      this.addTo(room, id);
      // A listener may have made it leave.
      if (this.sids.get(id) !== ownRooms) return;
    }
  }

  private addAlone(id: string): boolean {
    const member = this.members.get(id);
    if (this.isShown || member === undefined || this.sids.has(id) || this.rooms.has(id)) return false;
    this.sids.set(id, member);
    this.events.emit("create-room", id);
    if (this.has(id, id)) this.events.emit("join-room", id, id);
    return true;
  }

  private addTo(room: string, id: string): void {
    let ids = this.idsIn(room);
    if (ids === undefined) {
      this.rooms.set(room, (ids = new Set()));
      this.events.emit("create-room", room);
      if (!this.has(id, room) || this.rooms.get(room) !== ids) return;
    }
    if (ids.has(id)) return;
    ids.add(id);
    this.events.emit("join-room", room, id);
  }

  /** The set itself. */
  private idsIn(room: string): Set<string> | undefined {
    if (this.isAlone(room)) this.roomsOf(room);
    return this.rooms.get(room);
  }

  remove(id: string, room: string): void {
    this.roomsOf(id)?.delete(room);
    this.removeFrom(room, id);
  }

  private removeFrom(room: string, id: string): void {
    const ids = this.rooms.get(room);
    if (ids === undefined) return;
    try {
      if (ids.delete(id)) this.events.emit("leave-room", room, id);
    } finally {
      if (ids.size === 0 && this.rooms.get(room) === ids && this.rooms.delete(room)) {
        this.events.emit("delete-room", room);
      }
    }
  }

  removeAll(id: string): void {
    const rooms = this.sids.get(id);
    if (rooms instanceof Set) {
      const errors: unknown[] = [];
      for (const room of rooms) {
        try {
          this.removeFrom(room, id);
        } catch (error) {
          errors.push(error);
        }
      }
      this.sids.delete(id);
      // What a listener throws must not keep it in the other rooms.
      if (errors.length > 0) throw errors[0];
    } else if (this.sids.delete(id)) {
      this.events.emit("leave-room", id, id);
      this.events.emit("delete-room", id);
    }
  }

  /**
   * Visits each member once: of all rooms, or of everyone if no room is named, without those in an excepted room. Ids without
   * a member are passed over: sockets that have joined a room but not yet the namespace.
   */
  forEach(
    rooms: ReadonlySet<string>,
    exceptRooms: ReadonlySet<string> | undefined,
    visit: (member: Member, id: string) => void,
  ): void {
    const except = exceptRooms === undefined || exceptRooms.size === 0 ? undefined : this.union(exceptRooms);
    if (rooms.size === 0) {
      for (const [id, entry] of this.sids) {
        if (except?.has(id) === true) continue;
        const member = entry instanceof Set ? this.members.get(id) : entry;
        if (member !== undefined) visit(member, id);
      }
      return;
    }
    this.union(rooms)?.forEach((id) => {
      const member = except?.has(id) === true ? undefined : this.members.get(id);
      if (member !== undefined) visit(member, id);
    });
  }

  /** The ids that are in any of the rooms. */
  private union(rooms: ReadonlySet<string>): ReadonlySet<string> | undefined {
    if (rooms.size === 1) {
      for (const room of rooms) return this.isAlone(room) ? rooms : this.rooms.get(room);
    }
    const all = new Set<string>();
    for (const room of rooms) {
      if (this.isAlone(room)) all.add(room);
      else this.rooms.get(room)?.forEach((id) => all.add(id));
    }
    return all;
  }
}
