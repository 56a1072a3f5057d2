import type { Session } from "@tidewire/engine";
import type { Packet } from "@tidewire/parser";
import type { AckCallback } from "../events/acks.ts";
import type { EncodedPacket, WriteOptions } from "../connection/port.ts";
import type { SharedPacket } from "../connection/shared-packet.ts";
import { rethrow } from "../errors.ts";

/** A socket, as a broadcast uses it. */
export interface Receiver {
  readonly acks: Map<number, AckCallback>;
  readonly client: {
    writeToEngine(packet: EncodedPacket, options: WriteOptions): void;
    readonly conn: object;
    /** The session, if it can be part of an audience. */
    readonly _session: Session | undefined;
    readonly _hasOneSocket: boolean;
  };
  readonly hasOutgoingListeners: boolean;
  notifyOutgoingListeners?(packet: Packet): void;
}

/** Sends a packet of a broadcast to one receiver. */
export function sendShared(receiver: Receiver, packet: Packet, shared: SharedPacket): void {
  try {
    receiver.notifyOutgoingListeners?.(packet);
  } catch (error) {
    // A listener of one receiver must not cost the others the packet.
    rethrow(error);
  }
  receiver.client.writeToEngine(shared.encoded, shared);
}
