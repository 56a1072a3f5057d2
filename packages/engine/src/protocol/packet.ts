import { isBinary, toBuffer } from "@tidewire/parser";
import type { EngineCodec, EnginePacket, EnginePacketType } from "@tidewire/parser";
import { PacketList } from "./packet-list.ts";

/** Options of an outgoing packet. */
export interface PacketOptions {
  /** Whether a transport that can compress the packet does so. */
  compress: boolean;
  /**
   * A frame for `ws`, made by `socket.io-adapter`. Accepted and not used: frames are cached here.
   * @default none
   */
  wsPreEncodedFrame?: unknown;
}

const defaultOptions: PacketOptions = Object.freeze({ compress: true });

/** An outgoing packet. One object may wait in the queues of many sessions, and is encoded once for all of them. */
export class OutgoingPacket implements EnginePacket {
  readonly type: EnginePacketType;
  data?: string | Buffer;
  readonly options: PacketOptions;
  /** Whether the data is our own copy. */
  #isKept = false;
  #frame: string | Buffer | undefined = undefined;
  #codec: EngineCodec | undefined = undefined;
  /** The same packet for receivers that use the other protocol version. */
  #twin: OutgoingPacket | undefined = undefined;

  constructor(type: EnginePacketType, data?: string | Buffer, options?: PacketOptions) {
    this.type = type;
    if (data !== undefined) this.data = data;
    this.options = options ?? defaultOptions;
  }

  /** @internal Whether it is a binary frame for a receiver that supports binary. */
  get binary(): boolean {
    return typeof this.data === "object";
  }

  /** @internal Size of the data, in bytes. */
  get byteLength(): number {
    const data = this.data;
    if (data === undefined) return 0;
    return typeof data === "string" ? Buffer.byteLength(data) : data.length;
  }

  /**
   * @internal Copies binary data, once for all receivers. Called when the packet has to wait: the application may write into its buffer
   * again.
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
   * @internal Returns the content of the packet's WebSocket frame. A packet with one receiver stays a string, which the host encodes into its
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

/** A message that an application sends. */
export class Message extends OutgoingPacket {
  #alone: PacketList<OutgoingPacket> | undefined = undefined;

  constructor(data: string | Buffer, options?: PacketOptions) {
    super("message", data, options);
  }

  /** @internal A list that holds only this message. */
  get alone(): PacketList<OutgoingPacket> {
    return (this.#alone ??= new PacketList<OutgoingPacket>(this));
  }
}

/** Returns text as it is, and binary of any kind as a Buffer on the same memory. */
export function toData(data: unknown): string | Buffer {
  if (typeof data === "string") return data;
  if (isBinary(data)) return toBuffer(data);
  // As officially, falsy values are sent as an empty message.
  return data ? `${data as string}` : "";
}

/** Control packets have no state, so one object serves all sessions. */
export const PING: OutgoingPacket = new OutgoingPacket("ping");
export const PONG: OutgoingPacket = new OutgoingPacket("pong");
export const PROBE_PONG: OutgoingPacket = new OutgoingPacket("pong", "probe");
export const NOOP: OutgoingPacket = new OutgoingPacket("noop");
export const CLOSE: OutgoingPacket = new OutgoingPacket("close");
