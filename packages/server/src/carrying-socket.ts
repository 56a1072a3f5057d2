import { PacketType } from "@tidewire/parser";
import type { Packet } from "@tidewire/parser";
import type { WriteOptions } from "./connection/port.ts";
import type { AckCallback } from "./events/acks.ts";
import type { DefaultEventsMap, EventNames, EventParams, EventsMap, Untyped } from "./events/typed-events.ts";
import { Socket } from "./socket.ts";
import type { Carriage } from "./context/carriage.ts";
import { CarryingDelivery } from "./context/carrying-delivery.ts";

const { CONNECT, EVENT, BINARY_EVENT } = PacketType;

/** The socket of a client that has asked for the context of events. */
export class CarryingSocket<
  ListenEvents extends EventsMap = DefaultEventsMap,
  EmitEvents extends EventsMap = ListenEvents,
  ServerSideEvents extends EventsMap = DefaultEventsMap,
  SocketData = Untyped,
> extends Socket<ListenEvents, EmitEvents, ServerSideEvents, SocketData> {
  private readonly carriage: Carriage;

  constructor(
    carriage: Carriage,
    ...args: ConstructorParameters<typeof Socket<ListenEvents, EmitEvents, ServerSideEvents, SocketData>>
  ) {
    super(...args);
    this.carriage = carriage;
    this.delivery = new CarryingDelivery(this.delivery, carriage);
  }

  override emit<Ev extends EventNames<EmitEvents>>(ev: Ev, ...args: EventParams<EmitEvents, Ev>): boolean {
    const last: unknown = args.at(-1);
    if (typeof last !== "function") return super.emit(ev, ...args);
    const others: unknown[] = args.slice(0, -1);
    const ack = this.carriage.bind(last as AckCallback);
    return super.emit(ev, ...([...others, ack] as EventParams<EmitEvents, Ev>));
  }

  override packet(packet: Omit<Packet, "nsp"> & { nsp?: string }, options?: WriteOptions): void {
    if (packet.type !== CONNECT) return super.packet(packet, options);
    super.packet({ ...packet, data: { ...(packet.data as object), ...this.carriage.acceptance } }, options);
  }

  override notifyOutgoingListeners(packet: Packet): void {
    if (!this.hasOutgoingListeners) return;
    super.notifyOutgoingListeners({ ...packet, data: this.carriage.without(packet.data as unknown[]) });
  }

  override _onpacket(packet: Packet): void {
    const { type, data } = packet;
    const isEvent = type === EVENT || type === BINARY_EVENT;
    if (!isEvent || !Array.isArray(data)) return super._onpacket(packet);
    this.carriage.receive(data as unknown[], () => super._onpacket(packet));
  }
}
