import type { Packet } from "@tidewire/parser";
import type { BroadcastFlags } from "socket.io-adapter";
import type { AckCallback } from "../events/acks.ts";
import type { EncodedPacket, WriteOptions } from "../connection/port.ts";
import { rethrowLater } from "../errors.ts";

/** What a broadcast needs of a receiver. */
export interface Receiver {
  readonly acks: Map<number, AckCallback>;
  readonly client: { writeToEngine(packet: EncodedPacket, options: WriteOptions): void };
  notifyOutgoingListeners?(packet: Packet): void;
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
