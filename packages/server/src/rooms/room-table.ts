import type { EventEmitter } from "node:events";

/**
 * Which sockets are in which rooms. A socket is in the room of its own id, and most are in no other. Such a socket takes one entry
 * here instead of two sets and two entries, until somebody looks at the maps.
 */
export class RoomTable<Member extends object> {
  readonly #members: ReadonlyMap<string, Member>;
  readonly #events: EventEmitter;
  /** By room, without the rooms of sockets that are alone in their own. */
  readonly #rooms: Map<string, Set<string>> = new Map();
  /** By id: the rooms of a socket, or the socket itself if it is in its own room only and alone there. */
  readonly #sids: Map<string, Set<string> | Member> = new Map();
  /** Whether somebody has seen the maps and may look at them again at any time. */
  #isShown = false;
  /** Called when a socket has joined or left a room; without a room, when it has joined its first one or left all. */
  onChange: (id: string, room?: string) => void = ignore;

  /**
   * @param members - the sockets that can be reached, by id
   * @param events - emits `create-room`, `join-room`, `leave-room` and `delete-room`
   */
  constructor(members: ReadonlyMap<string, Member>, events: EventEmitter) {
    this.#members = members;
    this.#events = events;
  }

  /** Returns the maps, complete from now on. */
  show(): { rooms: Map<string, Set<string>>; sids: Map<string, Set<string>> } {
    if (!this.#isShown) {
      this.#isShown = true;
      for (const id of this.#sids.keys()) this.roomsOf(id);
    }
    return { rooms: this.#rooms, sids: this.#sids as Map<string, Set<string>> };
  }

  /** Returns the set that changes with the rooms of the id. */
  roomsOf(id: string): Set<string> | undefined {
    const rooms = this.#sids.get(id);
    if (rooms === undefined || rooms instanceof Set) return rooms;
    const own = new Set([id]);
    this.#sids.set(id, own);
    this.#rooms.set(id, new Set([id]));
    return own;
  }

  #isAlone(id: string): boolean {
    const rooms = this.#sids.get(id);
    return rooms !== undefined && !(rooms instanceof Set);
  }

  /** Whether the id is in the room. */
  has(id: string, room: string): boolean {
    const rooms = this.#sids.get(id);
    return rooms instanceof Set ? rooms.has(room) : rooms !== undefined && id === room;
  }

  add(id: string, rooms: ReadonlySet<string>): void {
    if (rooms.size === 1 && rooms.has(id) && this.#addAlone(id)) return;
    let ownRooms = this.roomsOf(id);
    if (ownRooms === undefined) {
      this.#sids.set(id, (ownRooms = new Set()));
      this.onChange(id);
    }
    for (const room of rooms) {
      ownRooms.add(room);
      this.#addTo(room, id);
      // A listener may have made the socket leave.
      if (this.#sids.get(id) !== ownRooms) return;
    }
  }

  #addAlone(id: string): boolean {
    const member = this.#members.get(id);
    if (this.#isShown || member === undefined || this.#sids.has(id) || this.#rooms.has(id)) return false;
    this.#sids.set(id, member);
    this.onChange(id);
    this.#events.emit("create-room", id);
    if (this.has(id, id)) this.#events.emit("join-room", id, id);
    return true;
  }

  #addTo(room: string, id: string): void {
    let ids = this.#idsIn(room);
    if (ids === undefined) {
      this.#rooms.set(room, (ids = new Set()));
      this.#events.emit("create-room", room);
      if (!this.has(id, room) || this.#rooms.get(room) !== ids) return;
    }
    if (ids.has(id)) return;
    ids.add(id);
    this.onChange(id, room);
    this.#events.emit("join-room", room, id);
  }

  /** Returns the set that changes with the members of the room. */
  #idsIn(room: string): Set<string> | undefined {
    if (this.#isAlone(room)) this.roomsOf(room);
    return this.#rooms.get(room);
  }

  remove(id: string, room: string): void {
    this.roomsOf(id)?.delete(room);
    this.#removeFrom(room, id);
  }

  #removeFrom(room: string, id: string): void {
    const ids = this.#rooms.get(room);
    if (ids === undefined) return;
    try {
      if (ids.delete(id)) {
        this.onChange(id, room);
        this.#events.emit("leave-room", room, id);
      }
    } finally {
      if (ids.size === 0 && this.#rooms.get(room) === ids && this.#rooms.delete(room)) {
        this.#events.emit("delete-room", room);
      }
    }
  }

  removeAll(id: string): void {
    const rooms = this.#sids.get(id);
    if (rooms instanceof Set) {
      const errors: unknown[] = [];
      for (const room of rooms) {
        try {
          this.#removeFrom(room, id);
        } catch (error) {
          errors.push(error);
        }
      }
      this.#sids.delete(id);
      this.onChange(id);
      // A listener that throws must not keep the socket in the other rooms.
      if (errors.length > 0) throw errors[0];
    } else if (this.#sids.delete(id)) {
      this.onChange(id);
      this.#events.emit("leave-room", id, id);
      this.#events.emit("delete-room", id);
    }
  }

  /**
   * Visits each member of the given rooms once, or all members if no room is given, but none that is in an excepted room. Skips
   * sockets that have joined a room but not the namespace yet.
   */
  forEach(
    rooms: ReadonlySet<string>,
    exceptRooms: ReadonlySet<string> | undefined,
    visit: (member: Member, id: string) => void,
  ): void {
    const except = exceptRooms === undefined || exceptRooms.size === 0 ? undefined : this.#union(exceptRooms);
    if (rooms.size === 0) {
      for (const [id, entry] of this.#sids) {
        if (except?.has(id) === true) continue;
        const member = entry instanceof Set ? this.#members.get(id) : entry;
        if (member !== undefined) visit(member, id);
      }
      return;
    }
    this.#union(rooms)?.forEach((id) => {
      const member = except?.has(id) === true ? undefined : this.#members.get(id);
      if (member !== undefined) visit(member, id);
    });
  }

  /** How many sockets are in the rooms, each counted once for each of its rooms; all of them if no room is named. */
  count(rooms: ReadonlySet<string>): number {
    if (rooms.size === 0) return this.#sids.size;
    let count = 0;
    for (const room of rooms) count += this.#rooms.get(room)?.size ?? (this.#isAlone(room) ? 1 : 0);
    return count;
  }

  /** How many rooms there are, without those of single ids. */
  get sharedRooms(): number {
    let count = 0;
    for (const room of this.#rooms.keys()) if (!this.#sids.has(room)) count++;
    return count;
  }

  /** Whether all sockets in the rooms can be reached: none of them has yet to join the namespace. */
  areReached(rooms: ReadonlySet<string>): boolean {
    const ids = rooms.size === 0 ? this.#sids.keys() : [...(this.#union(rooms) ?? [])];
    for (const id of ids) if (!this.#members.has(id)) return false;
    return true;
  }

  /** Whether the socket shares another room than this one with any other. */
  sharesOther(id: string, room: string): boolean {
    const rooms = this.#sids.get(id);
    if (!(rooms instanceof Set)) return false;
    for (const other of rooms) if (other !== room && this.#rooms.get(other)!.size > 1) return true;
    return false;
  }

  /** Visits the rooms, without those of single ids. */
  forEachShared(visit: (room: string, size: number) => void): void {
    for (const [room, ids] of this.#rooms) if (!this.#sids.has(room)) visit(room, ids.size);
  }

  /** Visits the ids in a room. */
  forEachId(room: string, visit: (id: string) => void): void {
    this.#rooms.get(room)?.forEach(visit);
  }

  /** Visits the rooms of a socket. */
  forEachRoom(id: string, visit: (room: string) => void): void {
    const rooms = this.#sids.get(id);
    if (rooms instanceof Set) rooms.forEach(visit);
  }

  /** Returns the ids that are in any of the rooms. */
  #union(rooms: ReadonlySet<string>): ReadonlySet<string> | undefined {
    if (rooms.size === 1) {
      for (const room of rooms) return this.#isAlone(room) ? rooms : this.#rooms.get(room);
    }
    const all = new Set<string>();
    for (const room of rooms) {
      if (this.#isAlone(room)) all.add(room);
      else this.#rooms.get(room)?.forEach((id) => all.add(id));
    }
    return all;
  }
}

function ignore(): void {}
