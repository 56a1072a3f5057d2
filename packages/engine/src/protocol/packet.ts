import { isBinary, toBuffer } from "@tidewire/parser";
import type { EngineCodec, EnginePacket, EnginePacketType } from "@tidewire/parser";
import { PacketList } from "./packet-list.ts";

export interface PacketOptions {
  /** Whether a transport that can compress should. */
  compress: boolean;
  /** A frame for `ws`, made by `socket.io-adapter`. Accepted and not used: frames are cached here. */
  wsPreEncodedFrame?: unknown;
}

const defaultOptions: PacketOptions = Object.freeze({ compress: true });

/** A packet on its way out. One object may wait in the queues of many sessions; its wire form is made once. */
export class OutgoingPacket implements EnginePacket {
  readonly type: EnginePacketType;
  data?: string | Buffer;
  readonly options: PacketOptions;
  /** Whether the bytes of the data are a copy of ours. */
  #isKept = false;
  #frame: string | Buffer | undefined = undefined;
  #codec: EngineCodec | undefined = undefined;
  /** The same packet for receivers of the other protocol version. */
  #twin: OutgoingPacket | undefined = undefined;

  constructor(type: EnginePacketType, data?: string | Buffer, options?: PacketOptions) {
    this.type = type;
    if (data !== undefined) this.data = data;
    this.options = options ?? defaultOptions;
  }

  /** Whether the frame is a binary one for a receiver that takes binary. */
  get binary(): boolean {
    return typeof this.data === "object";
  }

  /** Size of the data, in bytes. */
  get byteLength(): number {
    const data = this.data;
    if (data === undefined) return 0;
    return typeof data === "string" ? Buffer.byteLength(data) : data.length;
  }

  /**
   * Copies the bytes, once for all receivers, because they are not sent within this call: the application may write into its
   * buffer again.
   */
  keep(): void {
    const { data } = this;
    if (typeof data !== "object" || this.#isKept) return;
    this.#isKept = true;
    this.data = Buffer.from(data);
    if (this.#frame === data) this.#frame = this.data;
    this.#twin?.keep();
  }

  /**
   * The content of the packet's WebSocket frame. A packet with one receiver stays a string, which the host encodes into its
   * own buffer; from the second receiver on it is bytes, encoded once for all of them.
   */
  frame(codec: EngineCodec, supportsBinary: boolean): string | Buffer {
    if (!supportsBinary) return codec.encodePacket(this, false);
    if (this.#codec === undefined) {
      this.#codec = codec;
      this.#frame = codec.encodePacket(this, true);
      return this.#frame;
    }
    if (this.#codec !== codec) {
      this.#twin ??= new OutgoingPacket(this.type, this.data, this.options);
      return this.#twin.frame(codec, true);
    }
    if (typeof this.#frame === "string") this.#frame = Buffer.from(this.#frame);
    return this.#frame!;
  }
}

/** An outgoing message: what applications send. */
export class Message extends OutgoingPacket {
  #alone: PacketList<OutgoingPacket> | undefined = undefined;

  constructor(data: string | Buffer, options?: PacketOptions) {
    super("message", data, options);
  }

  /** The list of this message alone. */
  get alone(): PacketList<OutgoingPacket> {
    return (this.#alone ??= new PacketList<OutgoingPacket>(this));
  }
}

/** Text as it is, binary of any kind as a Buffer on the same memory. */
export function toData(data: unknown): string | Buffer {
  if (typeof data === "string") return data;
  if (isBinary(data)) return toBuffer(data);
  // Nothing is sent for what is falsy.
  return data ? `${data as string}` : "";
}

/** Control packets have no state of their own: one object serves every session. */
export const PING: OutgoingPacket = new OutgoingPacket("ping");
export const PONG: OutgoingPacket = new OutgoingPacket("pong");
export const PROBE_PONG: OutgoingPacket = new OutgoingPacket("pong", "probe");
export const NOOP: OutgoingPacket = new OutgoingPacket("noop");
export const CLOSE: OutgoingPacket = new OutgoingPacket("close");
