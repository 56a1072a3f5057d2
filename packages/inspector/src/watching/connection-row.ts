import type { Session } from "@tidewire/engine";
import type { internals } from "@tidewire/server";
import { short } from "./preview.ts";

/** How many namespaces and rooms of a connection a row names. */
const MAX_NAMES = 5;

/** A connection, as the page lists it. */
export interface ConnectionRow {
  readonly sid: string;
  readonly transport: string;
  /** Of Engine.IO: 3 or 4. */
  readonly protocol: number;
  readonly address: string;
  /** When it joined its first namespace; undefined if it is in none. */
  readonly since: number | undefined;
  /** In ms; undefined until it was measured. */
  readonly rtt: number | undefined;
  /** Bytes that wait for it. */
  readonly waiting: number;
  readonly namespaces: readonly string[];
  readonly namespaceCount: number;
  readonly rooms: readonly string[];
  readonly roomCount: number;
}

type View = internals.ServerView;

/** When a connection joined the first of the namespaces that it is in now. */
export function sinceOf(sockets: readonly internals.InspectedSocket[]): number | undefined {
  let since: number | undefined = undefined;
  for (const { _issued } of sockets) since = Math.min(since ?? _issued, _issued);
  return since;
}

export function rowOf(session: Session, view: View, rtt: number | undefined): ConnectionRow {
  const sockets = view.socketsOf(session);
  const rooms: string[] = [];
  let roomCount = 0;
  for (const socket of sockets) {
    view.forEachRoomOf(socket, (room) => {
      if (roomCount++ < MAX_NAMES) rooms.push(short(room, 40));
    });
  }
  return {
    sid: session.id,
    transport: session.transport.name,
    protocol: session.protocol,
    address: session.remoteAddress,
    since: sinceOf(sockets),
    rtt,
    waiting: session.bufferedAmount,
    namespaces: sockets.slice(0, MAX_NAMES).map(({ nsp }) => short(nsp.name, 40)),
    namespaceCount: sockets.length,
    rooms,
    roomCount,
  };
}
