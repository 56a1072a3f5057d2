import type { Packet } from "@tidewire/parser";
import type { BroadcastFlags, BroadcastOptions } from "socket.io-adapter";
import type { AckCallback } from "./acks.ts";
import type { EncodedPacket, WriteOptions } from "./connection-port.ts";
import { rethrowLater } from "./errors.ts";

/** What a broadcast needs of a receiver. */
export interface Receiver {
  readonly acks: Map<number, AckCallback>;
  readonly client: { writeToEngine(packet: EncodedPacket, options: WriteOptions): void };
  notifyOutgoingListeners?(packet: Packet): void;
}

/** Who is in which room, and which of them have joined the namespace. */
export interface Membership {
  readonly rooms: ReadonlyMap<string, ReadonlySet<string>>;
  readonly sids: ReadonlyMap<string, ReadonlySet<string>>;
  readonly sockets: ReadonlyMap<string, Receiver>;
}

/**
 * Visits every receiver once: all members of the rooms, or of the namespace if no room is named, without those in an
 * excepted room. Sockets that have joined a room but not yet the namespace are passed over.
 */
export function forEachReceiver(
  { rooms, sids, sockets }: Membership,
  target: BroadcastOptions,
  visit: (receiver: Receiver) => void,
): void {
  const except = exceptedIds(rooms, target.except);
  const visitId = (id: string): void => {
    const receiver = except?.has(id) === true ? undefined : sockets.get(id);
    if (receiver !== undefined) visit(receiver);
  };
  if (target.rooms.size === 0) {
    for (const id of sids.keys()) visitId(id);
  } else if (target.rooms.size === 1) {
    for (const room of target.rooms) rooms.get(room)?.forEach(visitId);
  } else {
    const seen = new Set<string>();
    for (const room of target.rooms) {
      rooms.get(room)?.forEach((id) => {
        if (!seen.has(id)) {
          seen.add(id);
          visitId(id);
        }
      });
    }
  }
}

function exceptedIds(
  rooms: Membership["rooms"],
  except: ReadonlySet<string> | undefined,
): ReadonlySet<string> | undefined {
  if (except === undefined || except.size === 0) {
    return undefined;
  }
  if (except.size === 1) {
    for (const room of except) return rooms.get(room);
  }
  const ids = new Set<string>();
  for (const room of except) {
    rooms.get(room)?.forEach((id) => ids.add(id));
  }
  return ids;
}

/** How a broadcast with these flags is written to each receiver: one object for all of them. */
export function broadcastWriteOptions(flags: BroadcastFlags | undefined): WriteOptions {
  return { preEncoded: true, volatile: flags?.volatile, compress: flags?.compress };
}

/** Hands one encoded packet to one receiver. */
export function deliver(
  receiver: Receiver,
  packet: Packet,
  encoded: EncodedPacket,
  options: WriteOptions,
): void {
  try {
    receiver.notifyOutgoingListeners?.(packet);
  } catch (error) {
    // A listener of one receiver must not cost the others the packet.
    rethrowLater(error);
  }
  receiver.client.writeToEngine(encoded, options);
}
