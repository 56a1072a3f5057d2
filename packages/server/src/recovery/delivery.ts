import { PacketType } from "@tidewire/parser";
import type { Packet } from "@tidewire/parser";
import type { Adapter, BroadcastFlags, Room, SocketId } from "socket.io-adapter";
import type { WriteOptions } from "../connection/port.ts";
import { recoverableReasons } from "../reasons.ts";
import type { DisconnectReason } from "../reasons.ts";
import type { RestoredState } from "./states.ts";
import type { RecoveryStore } from "./store.ts";

/** A socket, as its delivery uses it. */
export interface DeliveringSocket {
  readonly id: SocketId;
  readonly adapter: Adapter;
  readonly rooms: Set<Room>;
  readonly data: unknown;
  readonly client: { _packet(packet: unknown[], options: WriteOptions): void };
  readonly connected: boolean;
  /** When its credentials end, in ms since 1970. */
  readonly _expiresAt: number | undefined;
  /** Whether it has left for good or will never join. */
  readonly _gone: boolean;
  notifyOutgoingListeners(packet: Packet): void;
  packet(packet: { type: PacketType; data?: unknown }, options?: WriteOptions): void;
}

/** How the events of a socket reach its client; chosen when the socket is created. */
export interface Delivery {
  /** Identifies the recovery state; undefined where nothing is recovered. */
  readonly pid: string | undefined;
  emit(socket: DeliveringSocket, packet: Packet, flags: BroadcastFlags | undefined): void;
  /** Called before CONNECT is sent. */
  connecting(socket: DeliveringSocket): void;
  /** Called after CONNECT was sent. */
  connected(socket: DeliveringSocket): void;
  /** Called when the socket leaves its namespace, while it is still in its rooms. */
  leaving(socket: DeliveringSocket, reason: DisconnectReason): void;
}

/** Without recovery: directly to the connection. */
export const directDelivery: Delivery = {
  pid: undefined,
  emit(socket, packet, flags) {
    socket.notifyOutgoingListeners(packet);
    socket.packet(packet, flags);
  },
  connecting() {},
  connected() {},
  leaving() {},
};

/** With recovery: through the adapter, which records what it broadcasts. One per socket. */
export class RecordedDelivery implements Delivery {
  readonly pid: string;
  readonly #store: RecoveryStore;
  /** The state with what the client has missed, until the socket has joined. */
  #restored: RestoredState | undefined;
  /** Sends what middlewares have emitted to a socket that is not in its own room yet. */
  #held: (() => void)[] = [];

  constructor(store: RecoveryStore, pid: string, restored: RestoredState | undefined) {
    this.#store = store;
    this.pid = pid;
    this.#restored = restored;
  }

  emit(socket: DeliveringSocket, packet: Packet, flags: BroadcastFlags = {}): void {
    const send = (): void =>
      socket.adapter.broadcast(packet, { rooms: new Set([socket.id]), except: new Set(), flags });
    if (socket.connected || socket._gone) send();
    else this.#held.push(send);
  }

  connecting(socket: DeliveringSocket): void {
    // Read now, because what was sent while middlewares ran was missed too.
    const restored = this.#restored;
    if (restored?.missedEncoded !== undefined) {
      for (const encoded of restored.missedEncoded) socket.client._packet([...encoded], { preEncoded: true });
    } else {
      for (const data of restored?.missedPackets ?? []) socket.packet({ type: PacketType.EVENT, data });
    }
  }

  connected(socket: DeliveringSocket): void {
    if (this.#restored !== undefined) putFirst(this.#restored.rooms, socket.rooms);
    this.#restored = undefined;
    for (const send of this.#held.splice(0)) send();
  }

  leaving(socket: DeliveringSocket, reason: DisconnectReason): void {
    if (!recoverableReasons.has(reason)) return;
    const { id: sid, data, _expiresAt: expiresAt } = socket;
    const state = { sid, pid: this.pid, rooms: [...socket.rooms], data };
    this.#store.persist(expiresAt === undefined ? state : { ...state, expiresAt });
  }
}

/** Moves the restored rooms to the front, in their order: the socket has joined its own room last. */
function putFirst(restored: Iterable<Room>, rooms: Set<Room>): void {
  const ordered = new Set([...restored, ...rooms]);
  for (const room of ordered) if (rooms.delete(room)) rooms.add(room);
}
