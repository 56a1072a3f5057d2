import type { Packet } from "@tidewire/parser";
import { Adapter } from "socket.io-adapter";
import type { BroadcastOptions, Room, SocketId } from "socket.io-adapter";
import type { AckCallback } from "../events/acks.ts";
import type { EncodedPacket } from "../connection/port.ts";
import { waitingOf } from "../connection/waiting.ts";
import type { SlowConsumer, WaitingFlags } from "../connection/waiting.ts";
import { SharedPacket } from "../connection/shared-packet.ts";
import { Audiences } from "./audiences.ts";
import { createError } from "../errors.ts";
import type { SocketDetails } from "../remote-socket.ts";
import { sendShared } from "./fanout.ts";
import type { Receiver } from "./fanout.ts";
import { RoomTable } from "./room-table.ts";

/** A socket of the namespace, as its adapter uses it. */
export interface LocalSocket extends Receiver, SocketDetails<unknown> {
  join(rooms: Room[]): Promise<void> | void;
  leave(room: Room): Promise<void> | void;
  disconnect(close: boolean): unknown;
}

/** The namespace of an adapter. */
export interface AdapterNamespace {
  readonly name: string;
  readonly sockets: ReadonlyMap<string, LocalSocket>;
  /** the id of the next event that asks for an answer */
  _ids: number;
  readonly server: {
    readonly encoder: { encode(packet: Packet): unknown[] };
    readonly _slowConsumer?: SlowConsumer | undefined;
    readonly _counters?: { deliveries: number };
  };
}

const NONE: ReadonlySet<Room> = new Set();

/** The default adapter, for one server: keeps rooms in memory, and encodes each broadcast once. */
export class MemoryAdapter extends Adapter {
  declare readonly nsp: AdapterNamespace;
  protected readonly table: RoomTable<LocalSocket>;
  readonly #audiences: Audiences;

  constructor(nsp: AdapterNamespace) {
    super(nsp);
    const table = (this.table = new RoomTable(nsp.sockets, this));
    this.#audiences = new Audiences(table);
    // Replace the maps of the base class, so that whoever looks at them sees them complete.
    Object.defineProperties(this, {
      rooms: { get: () => table.show().rooms, enumerable: true, configurable: true },
      sids: { get: () => table.show().sids, enumerable: true, configurable: true },
    });
  }

  override addAll(id: SocketId, rooms: Set<Room>): Promise<void> | void {
    this.table.add(id, rooms);
  }

  override del(id: SocketId, room: Room): void {
    this.table.remove(id, room);
  }

  override delAll(id: SocketId): void {
    this.table.removeAll(id);
  }

  override socketRooms(id: SocketId): Set<Room> | undefined {
    return this.table.roomsOf(id);
  }

  override sockets(rooms: Set<Room>): Promise<Set<SocketId>> {
    const ids = new Set<SocketId>();
    this.table.forEach(rooms, undefined, (_socket, id) => ids.add(id));
    return Promise.resolve(ids);
  }

  override fetchSockets(target: BroadcastOptions): Promise<SocketDetails<unknown>[]> {
    return Promise.resolve(this.chosen(target));
  }

  /** Counts the sockets of the target. */
  count({ rooms, except }: BroadcastOptions): Promise<number> | number {
    let count = 0;
    this.table.forEach(rooms, except, () => count++);
    return count;
  }

  /** How many rooms there are, without those that sockets have for themselves. */
  get roomCount(): number {
    return this.table.sharedRooms;
  }

  /** @internal The rooms, for readers that must not complete the maps of the base class. */
  get _table(): Pick<RoomTable<LocalSocket>, "forEachId" | "forEachRoom" | "forEachShared" | "has"> {
    return this.table;
  }

  override addSockets(target: BroadcastOptions, rooms: Room[]): void {
    for (const socket of this.chosen(target)) void socket.join(rooms);
  }

  override delSockets(target: BroadcastOptions, rooms: Room[]): void {
    for (const socket of this.chosen(target)) for (const room of rooms) void socket.leave(room);
  }

  override disconnectSockets(target: BroadcastOptions, close: boolean): void {
    for (const socket of this.chosen(target)) socket.disconnect(close);
  }

  /** Returns a list, because what is done to the sockets may change the rooms. */
  private chosen(target: BroadcastOptions): LocalSocket[] {
    const sockets: LocalSocket[] = [];
    this.table.forEach(target.rooms, target.except, (socket) => sockets.push(socket));
    return sockets;
  }

  override broadcast(packet: Packet, target: BroadcastOptions): void {
    packet.nsp = this.nsp.name;
    this.send(packet, this.nsp.server.encoder.encode(packet), target);
  }

  /** Sends an encoded packet to every socket of the target. */
  protected send(packet: Packet, encoded: EncodedPacket, target: BroadcastOptions): void {
    const shared = this.shared(packet, encoded, target);
    const count = this.#audiences.send(packet, shared, target.rooms, target.except ?? NONE);
    const { _counters } = this.nsp.server;
    if (_counters !== undefined) _counters.deliveries += count;
  }

  private shared(packet: Packet, encoded: EncodedPacket, target: BroadcastOptions): SharedPacket {
    const flags: WaitingFlags | undefined = target.flags;
    if (flags === undefined) return new SharedPacket(encoded, {});
    const { name, server } = this.nsp;
    return new SharedPacket(encoded, flags, waitingOf(flags, name, packet, server._slowConsumer));
  }

  override broadcastWithAck(
    packet: Packet,
    target: BroadcastOptions,
    clientCountCallback: (clientCount: number) => void,
    ack: AckCallback,
  ): void {
    packet.nsp = this.nsp.name;
    // The sockets of a namespace share the counter, so that the id is free on every receiver.
    const id = this.nsp._ids++;
    packet.id = id;
    const shared = this.shared(packet, this.nsp.server.encoder.encode(packet), target);
    let clientCount = 0;
    this.table.forEach(target.rooms, target.except, (receiver) => {
      clientCount++;
      receiver.acks.set(id, ack);
      sendShared(receiver, packet, shared);
    });
    clientCountCallback(clientCount);
  }
}

/** A parent namespace. */
export interface ParentOfNamespaces {
  readonly children: ReadonlySet<{ readonly adapter: Adapter }>;
}

/** Passes the broadcasts of a parent namespace, which has no sockets of its own, to its children. */
export class ParentAdapter extends Adapter {
  declare readonly nsp: ParentOfNamespaces;

  override broadcast(packet: Packet, target: BroadcastOptions): void {
    for (const child of this.nsp.children) {
      child.adapter.broadcast(packet, target);
    }
  }

  /** Throws always, because another server of the cluster may have other children. */
  count(): never {
    throw createError("PARENT_COUNT");
  }

  /** Throws always, for the same reason. */
  revalidateSockets(): never {
    throw createError("PARENT_REVALIDATE");
  }
}
