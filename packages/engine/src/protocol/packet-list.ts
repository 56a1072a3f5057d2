/**
 * Packets that wait, as a list that only grows, and as a new one: sessions that are sent the same one after the other, as the
 * receivers of broadcasts are, hold the same list. Ten broadcasts to 5,000 sessions make ten of these, and no array for each
 * session.
 */
export class PacketList<Packet> {
  readonly #last: Packet;
  readonly #before: PacketList<Packet> | undefined;
  /** The list with the packet that was added to it first, mostly the only one. */
  #longer: PacketList<Packet> | undefined = undefined;
  #packets: Packet[] | undefined = undefined;

  constructor(last: Packet, before?: PacketList<Packet>) {
    this.#last = last;
    this.#before = before;
  }

  /** The list with one packet more. */
  plus(packet: Packet): PacketList<Packet> {
    this.#longer ??= new PacketList(packet, this);
    return this.#longer.#last === packet ? this.#longer : new PacketList(packet, this);
  }

  /** In order; for all who hold the list, so not to be changed. */
  get packets(): readonly Packet[] {
    if (this.#packets === undefined) {
      const packets = [this.#last];
      for (let list = this.#before; list !== undefined; list = list.#before) packets.push(list.#last);
      this.#packets = packets.reverse();
    }
    return this.#packets;
  }
}
