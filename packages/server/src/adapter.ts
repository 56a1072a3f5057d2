import type { Packet } from "@tidewire/parser";
import { Adapter } from "socket.io-adapter";
import type { BroadcastOptions } from "socket.io-adapter";
import type { AckCallback } from "./acks.ts";
import type { EncodedPacket } from "./connection-port.ts";
import { broadcastWriteOptions, deliver, forEachReceiver } from "./fanout.ts";
import type { Membership, Receiver } from "./fanout.ts";

/** What an adapter needs of its namespace. */
export interface AdapterNamespace {
  readonly name: string;
  readonly sockets: ReadonlyMap<string, Receiver>;
  /** the id of the next event that asks for an answer */
  _ids: number;
  readonly server: { readonly encoder: { encode(packet: Packet): unknown[] } };
}

/** The default adapter: rooms in memory, one server. A packet is encoded once, however many receive it. */
export class MemoryAdapter extends Adapter {
  declare readonly nsp: AdapterNamespace;
  private readonly membership: Membership;

  constructor(nsp: AdapterNamespace) {
    super(nsp);
    this.membership = { rooms: this.rooms, sids: this.sids, sockets: nsp.sockets };
  }

  override broadcast(packet: Packet, target: BroadcastOptions): void {
    packet.nsp = this.nsp.name;
    this.send(packet, this.nsp.server.encoder.encode(packet), target);
  }

  /** Hands an encoded packet to everyone it is for. */
  protected send(packet: Packet, encoded: EncodedPacket, target: BroadcastOptions): void {
    const options = broadcastWriteOptions(target.flags);
    forEachReceiver(this.membership, target, (receiver) => deliver(receiver, packet, encoded, options));
  }

  override broadcastWithAck(
    packet: Packet,
    target: BroadcastOptions,
    clientCountCallback: (clientCount: number) => void,
    ack: AckCallback,
  ): void {
    packet.nsp = this.nsp.name;
    // The counter is shared by the namespace, so that one id is free on every receiver.
    const id = this.nsp._ids++;
    packet.id = id;
    const encoded = this.nsp.server.encoder.encode(packet);
    const options = broadcastWriteOptions(target.flags);
    let clientCount = 0;
    forEachReceiver(this.membership, target, (receiver) => {
      clientCount++;
      receiver.acks.set(id, ack);
      deliver(receiver, packet, encoded, options);
    });
    clientCountCallback(clientCount);
  }
}

/** The children of a parent namespace, seen as one. */
export interface ParentOfNamespaces {
  readonly children: ReadonlySet<{ readonly adapter: Adapter }>;
}

/** Hands broadcasts of a parent namespace to its children; it has no sockets of its own. */
export class ParentAdapter extends Adapter {
  declare readonly nsp: ParentOfNamespaces;

  override broadcast(packet: Packet, target: BroadcastOptions): void {
    for (const child of this.nsp.children) {
      child.adapter.broadcast(packet, target);
    }
  }
}
