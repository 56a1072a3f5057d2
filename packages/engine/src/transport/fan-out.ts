import type { WebSocketPort } from "../host/host.ts";
import type { OutgoingPacket } from "../protocol/packet.ts";

/** How a transport writes a packet in one frame. */
export interface OutgoingFrame {
  readonly data: string | Buffer;
  readonly isBinary: boolean;
  readonly compress: boolean;
  readonly packet: OutgoingPacket;
}

/**
 * Writes the same packets to many WebSockets. It holds their ports, so that a loop over them reads nothing else: with thousands of
 * receivers, each object that is read comes from main memory.
 */
export class FanOut {
  readonly #ports: readonly WebSocketPort[];
  readonly #encode: (packet: OutgoingPacket) => OutgoingFrame;
  #packets: readonly OutgoingPacket[] = [];
  #frames: OutgoingFrame[] = [];
  #corked: WebSocketPort | undefined = undefined;

  /** @param encode - returns the frame of a packet, the same for all ports */
  constructor(ports: readonly WebSocketPort[], encode: (packet: OutgoingPacket) => OutgoingFrame) {
    this.#ports = ports;
    this.#encode = encode;
  }

  /** Sets what is written from now on. */
  prepare(packets: readonly OutgoingPacket[]): void {
    if (this.#packets === packets) return;
    this.#packets = packets;
    // In a packet with several receivers the first frame is text, and all others are bytes.
    if (this.#ports.length > 1) packets.forEach(this.#encode);
    this.#frames = packets.map(this.#encode);
  }

  /** Forgets what was written. */
  clear(): void {
    this.#packets = [];
    this.#frames = [];
  }

  /**
   * Writes the packets to the port in this place.
   *
   * @returns whether they have left the host
   */
  write(place: number): boolean {
    const port = this.#ports[place]!;
    if (this.#frames.length === 1) {
      const { data, isBinary, compress, packet } = this.#frames[0]!;
      return port.send(data, isBinary, compress, packet) || port.bufferedAmount === 0;
    }
    this.#corked = port;
    port.cork(this.#batch);
    this.#corked = undefined;
    return port.bufferedAmount === 0;
  }

  readonly #batch: { write(): void } = {
    write: () => {
      const port = this.#corked;
      const frames = this.#frames;
      for (let i = 0; i < frames.length; i++) {
        const { data, isBinary, compress, packet } = frames[i]!;
        port?.send(data, isBinary, compress, packet);
      }
    },
  };
}
