import type { ResolvedOptions } from "../options.ts";
import { OutgoingPacket } from "../protocol/packet.ts";

/** The part of the engine that a handshake describes. */
export interface HandshakeOwner {
  readonly opts: ResolvedOptions;
  upgrades(transport: string): string[];
}

/** Creates the packet with which a session begins on a transport. */
export function openPacket(sid: string, transport: string, owner: HandshakeOwner): OutgoingPacket {
  const { opts } = owner;
  const handshake = {
    sid,
    upgrades: owner.upgrades(transport),
    pingInterval: opts.pingInterval,
    pingTimeout: opts.pingTimeout,
    maxPayload: opts.maxHttpBufferSize,
  };
  return new OutgoingPacket("open", JSON.stringify(handshake));
}
