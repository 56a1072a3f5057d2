import type { ResolvedOptions } from "../options.ts";
import { OutgoingPacket } from "../protocol/packet.ts";
import type { OpenData } from "./open-data.ts";

/** The part of the engine that a handshake describes. */
export interface HandshakeOwner {
  readonly opts: ResolvedOptions;
  readonly openData: OpenData;
  upgrades(transport: string): string[];
}

/** Creates the packet with which a session begins on a transport. */
export function openPacket(sid: string, transport: string, owner: HandshakeOwner): OutgoingPacket {
  const { opts } = owner;
  const data = owner.openData.of(sid, {
    upgrades: owner.upgrades(transport),
    pingInterval: opts.pingInterval,
    pingTimeout: opts.pingTimeout,
    maxPayload: opts.maxHttpBufferSize,
  });
  return new OutgoingPacket("open", data);
}
