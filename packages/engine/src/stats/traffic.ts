import type { WebSocketHandlers, WebSocketPort } from "../host/host.ts";
import { PassingHandlers } from "../host/passing-handlers.ts";
import { OutgoingPacket } from "../protocol/packet.ts";

/** How much the transports have received and sent. */
export type TrafficCounts = Readonly<Record<"messagesIn" | "messagesOut" | "bytesIn" | "bytesOut", number>>;

/**
 * Counts messages and bytes: the payloads of WebSocket frames, the bodies of long-polling and the frames of WebTransport, before they
 * are compressed. The engine has one only if the option `stats` asks for it.
 */
export class Traffic {
  messagesIn: number = 0;
  messagesOut: number = 0;
  bytesIn: number = 0;
  bytesOut: number = 0;

  toRecord(): TrafficCounts {
    const { messagesIn, messagesOut, bytesIn, bytesOut } = this;
    return { messagesIn, messagesOut, bytesIn, bytesOut };
  }

  /** Counts what a transport has received. */
  received(data: string | Uint8Array): void {
    this.bytesIn += Buffer.byteLength(data);
  }

  /** Counts a packet in what was received. */
  receivedPacket({ type }: { readonly type: string }): void {
    if (type === "message") this.messagesIn++;
  }

  /** Counts what a transport sends. */
  sent(data: string | Uint8Array, packets: readonly { readonly type: string }[]): void {
    this.bytesOut += Buffer.byteLength(data);
    for (const { type } of packets) if (type === "message") this.messagesOut++;
  }

  /** Returns how to open a WebSocket whose frames are counted. */
  counting(open: (port: WebSocketPort) => WebSocketHandlers): (port: WebSocketPort) => WebSocketHandlers {
    return (port) => new CountedHandlers(open(new CountedPort(port, this)), this);
  }
}

/** Counts the frames that are sent. */
class CountedPort implements WebSocketPort {
  readonly #port: WebSocketPort;
  readonly #traffic: Traffic;

  constructor(port: WebSocketPort, traffic: Traffic) {
    this.#port = port;
    this.#traffic = traffic;
  }

  get remoteAddress(): string {
    return this.#port.remoteAddress;
  }

  get socket(): unknown {
    return this.#port.socket;
  }

  get corksReads(): boolean {
    return this.#port.corksReads;
  }

  get bufferedAmount(): number {
    return this.#port.bufferedAmount;
  }

  get copies(): boolean {
    return this.#port.copies;
  }

  send(data: string | Buffer, binary: boolean, compress: boolean, packet: object): boolean {
    this.#traffic.bytesOut += Buffer.byteLength(data);
    if (packet instanceof OutgoingPacket && packet.type === "message") this.#traffic.messagesOut++;
    return this.#port.send(data, binary, compress, packet);
  }

  cork(batch: { write(): void }): void {
    this.#port.cork(batch);
  }

  pause(): boolean {
    return this.#port.pause();
  }

  resume(): void {
    this.#port.resume();
  }

  close(code?: number, reason?: string): void {
    this.#port.close(code, reason);
  }

  terminate(): void {
    this.#port.terminate();
  }
}

/** Counts the frames that are received. */
class CountedHandlers extends PassingHandlers {
  readonly #traffic: Traffic;

  constructor(handlers: WebSocketHandlers, traffic: Traffic) {
    super(handlers);
    this.#traffic = traffic;
  }

  override onMessage(data: string | Buffer): void {
    this.#traffic.received(data);
    // Of both protocol versions: only messages are binary, also as base64, and text is one if it begins with the digit.
    if (typeof data !== "string" || data.startsWith("4") || data.startsWith("b")) this.#traffic.messagesIn++;
    super.onMessage(data);
  }
}
