import { PacketType } from "@tidewire/parser";
import type { Packet, Parser } from "@tidewire/parser";
import { decodePacket } from "./wire.ts";
import type { PacketParts } from "./wire.ts";

/** An event that another node has encoded. It is decoded for the first listener of outgoing events that a receiver has. */
export class RemotePacket implements Packet {
  readonly type: PacketType = PacketType.EVENT;
  readonly nsp: string;
  readonly #parser: Parser;
  #parts: PacketParts | undefined;
  #data: unknown = undefined;

  /** @param parts - read until the packet has been handed to its receivers, and not later */
  constructor(nsp: string, parser: Parser, parts: PacketParts) {
    this.nsp = nsp;
    this.#parser = parser;
    this.#parts = parts;
  }

  get data(): unknown {
    if (this.#parts !== undefined) {
      this.#data = decodePacket(this.#parser, this.#parts).data;
      this.#parts = undefined;
    }
    return this.#data;
  }
}
