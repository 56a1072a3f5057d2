import { internals } from "@tidewire/engine";
import type { Engine, Session, TrustProxy } from "@tidewire/engine";
import type { Cluster } from "../cluster.ts";
import { MemoryAdapter } from "../rooms/memory-adapter.ts";
import type { ServerStats } from "../stats/server-stats.ts";
import type { Attachments } from "./attachments.ts";

/** The name of a room. The type of the server is text, but applications without types use numbers, too. */
export type InspectedRoom = string | number;

/** A socket, as the inspector uses it. */
export interface InspectedSocket {
  readonly id: string;
  readonly nsp: InspectedNamespace;
  readonly connected: boolean;
  readonly recovered: boolean;
  readonly conn: object;
  readonly data: unknown;
  readonly _issued: number;
  readonly _pendingAcks: number;
  emit(event: string, ...args: unknown[]): unknown;
  timeout(ms: number): { emitWithAck(event: string, ...args: unknown[]): Promise<unknown> };
  join(room: string): Promise<void> | void;
  leave(room: InspectedRoom): Promise<void> | void;
  disconnect(close?: boolean): unknown;
}

/** The rooms of an adapter. */
interface RoomMaps {
  readonly rooms: ReadonlyMap<InspectedRoom, ReadonlySet<string>>;
  readonly sids: ReadonlyMap<InspectedRoom, ReadonlySet<InspectedRoom>>;
}

/** The rooms of an adapter of this package. */
interface RoomReader {
  has(id: string, room: InspectedRoom): boolean;
  forEachRoom(id: string, visit: (room: InspectedRoom) => void): void;
  forEachShared(visit: (room: InspectedRoom, size: number) => void): void;
}

/** A namespace, as the inspector uses it. */
export interface InspectedNamespace {
  readonly name: string;
  readonly server: object;
  readonly sockets: ReadonlyMap<string, InspectedSocket>;
  readonly adapter: object;
  emit(event: string, ...args: unknown[]): unknown;
  to(rooms: readonly InspectedRoom[]): { emit(event: string, ...args: unknown[]): unknown };
  in(rooms: readonly InspectedRoom[]): {
    socketsLeave(room: string): void;
    disconnectSockets(close?: boolean): void;
  };
  disconnectSockets(close?: boolean): void;
}

/** What the inspector sees of a server. To look at it changes nothing: what is created on first use stays as it is. */
export interface ServerView {
  readonly namespaces: ReadonlyMap<string, InspectedNamespace>;
  /** The path of its requests. */
  readonly path: string;
  readonly trustProxy: TrustProxy | undefined;
  cluster(): Cluster | undefined;
  /** `io.stats()` without the delay of the event loop, which belongs to the application. */
  stats(): ServerStats;
  /** Those that the server has accepted, of this project. */
  engines(): readonly Engine[];
  readonly attachments: Attachments;
  /** The sockets of a connection. */
  socketsOf(session: Session): readonly InspectedSocket[];
  /** Visits the names of the rooms of a namespace, without those that sockets have for themselves. */
  forEachRoom(namespace: InspectedNamespace, visit: (room: string, size: number) => void): void;
  /** Visits the names of the rooms of a socket, without its own. */
  forEachRoomOf(socket: InspectedSocket, visit: (room: string) => void): void;
  isIn(socket: InspectedSocket, room: InspectedRoom): boolean;
  /** Sends the next ping of the heartbeat now; returns whether it was sent. */
  ping(session: Session): boolean;
}

/** The part of a view that is the same for all servers. */
type Lookups = Pick<ServerView, "socketsOf" | "forEachRoom" | "forEachRoomOf" | "isIn" | "ping">;

interface ConnectionOwner {
  readonly _allSockets?: readonly InspectedSocket[];
}

function tableOf({ adapter }: InspectedNamespace): RoomReader | undefined {
  return adapter instanceof MemoryAdapter ? adapter._table : undefined;
}

export const lookups: Lookups = {
  socketsOf: ({ handlers }) => (handlers as ConnectionOwner | undefined)?._allSockets ?? [],
  forEachRoom(namespace, visit) {
    const visitNamed = (room: InspectedRoom, size: number): void => visit(String(room), size);
    const table = tableOf(namespace);
    if (table !== undefined) return table.forEachShared(visitNamed);
    const { rooms, sids } = namespace.adapter as RoomMaps;
    for (const [room, ids] of rooms) if (!sids.has(room)) visitNamed(room, ids.size);
  },
  forEachRoomOf({ id, nsp }, visit) {
    const visitOther = (room: InspectedRoom): void => {
      if (room !== id) visit(String(room));
    };
    const table = tableOf(nsp);
    if (table !== undefined) table.forEachRoom(id, visitOther);
    else (nsp.adapter as RoomMaps).sids.get(id)?.forEach(visitOther);
  },
  isIn({ id, nsp }, room) {
    return tableOf(nsp)?.has(id, room) ?? (nsp.adapter as RoomMaps).sids.get(id)?.has(room) === true;
  },
  ping: internals.ping,
};

interface Viewable {
  _view(): ServerView;
}

/** What the inspector sees of a server. */
export function viewOf(server: object): ServerView {
  return (server as Viewable)._view();
}
