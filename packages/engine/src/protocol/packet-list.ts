/**
 * A persistent, append-only list of pending packets. Sessions that receive the same packets in the same order, as the receivers
 * of broadcasts do, share one list: ten broadcasts to 5,000 sessions create ten lists, and no array for each session.
 */
export class PacketList<Packet> {
  readonly #last: Packet;
  readonly #before: PacketList<Packet> | undefined;
  /** The list with the first packet that was appended to this one, usually the only one. */
  #longer: PacketList<Packet> | undefined = undefined;
  #packets: Packet[] | undefined = undefined;

  constructor(last: Packet, before?: PacketList<Packet>) {
    this.#last = last;
    this.#before = before;
  }

  /** Returns the list with one more packet. */
  plus(packet: Packet): PacketList<Packet> {
    this.#longer ??= new PacketList(packet, this);
    return this.#longer.#last === packet ? this.#longer : new PacketList(packet, this);
  }

  /** The packets in order. All sessions that share the list read the same array. */
  get packets(): readonly Packet[] {
    if (this.#packets === undefined) {
      const packets = [this.#last];
      for (let list = this.#before; list !== undefined; list = list.#before) packets.push(list.#last);
      this.#packets = packets.reverse();
    }
    return this.#packets;
  }
}
