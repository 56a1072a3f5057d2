import type { Packet } from "@tidewire/parser";
import type { BroadcastFlags } from "socket.io-adapter";
import type { DisconnectReason } from "../reasons.ts";
import type { Delivery, DeliveringSocket } from "../recovery/delivery.ts";
import type { Carriage } from "./carriage.ts";

/** Adds the context to each event, and leaves the rest to another delivery. */
export class CarryingDelivery implements Delivery {
  readonly #delivery: Delivery;
  readonly #carriage: Carriage;

  constructor(delivery: Delivery, carriage: Carriage) {
    this.#delivery = delivery;
    this.#carriage = carriage;
  }

  get pid(): string | undefined {
    return this.#delivery.pid;
  }

  emit(socket: DeliveringSocket, packet: Packet, flags: BroadcastFlags | undefined): void {
    this.#carriage.put(packet.data as unknown[]);
    this.#delivery.emit(socket, packet, flags);
  }

  connecting(socket: DeliveringSocket): void {
    this.#delivery.connecting(socket);
  }

  connected(socket: DeliveringSocket): void {
    this.#delivery.connected(socket);
  }

  leaving(socket: DeliveringSocket, reason: DisconnectReason): void {
    this.#delivery.leaving(socket, reason);
  }
}
