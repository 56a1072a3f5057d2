import { ParseError } from "../errors.ts";
import type { EnginePacket } from "./packet.ts";

/** Limits on one payload; a missing one does not limit. */
export interface PayloadLimits {
  /**
   * the size of the payload in bytes, as UTF-8 when it is text
   * @default no limit
   */
  readonly maxBytes?: number;
  /**
   * the number of packets in the payload; checked before the next one is cut out
   * @default no limit
   */
  readonly maxPackets?: number;
}

/**
 * How one version of Engine.IO writes packets, on WebSocket (one frame) and in long-polling (a payload).
 *
 * @example
 * import { engineCodecV4 as codec } from "@tidewire/parser";
 *
 * codec.encodePacket({ type: "message", data: "hello" }, true); // "4hello"
 * codec.decodePacket("4hello"); // { type: "message", data: "hello" }
 * const payload = codec.encodePayload([{ type: "ping" }, { type: "message", data: "hello" }], true);
 * for (const packet of codec.decodePayload(payload)) console.log(packet.type); // ping, message
 */
export interface EngineCodec {
  readonly protocol: 3 | 4;

  /**
   * One WebSocket frame: a string is a text frame, a Buffer a binary one. Without binary support, binary data
   * becomes base64 in a text frame: `b…` in v4, `b4…` in v3.
   */
  encodePacket(packet: EnginePacket, supportsBinary: boolean): string | Buffer;

  /**
   * One WebSocket frame as a packet. Binary data is a view of the frame, not a copy.
   * @throws ParseError
   */
  decodePacket(frame: string | Buffer): EnginePacket;

  /** The body of a long-polling response. In v4 always text; in v3 a Buffer if binary is both present and supported. */
  encodePayload(packets: readonly EnginePacket[], supportsBinary: boolean): string | Buffer;

  /**
   * The packets of a long-polling body, decoded one after the other while they are asked for: what stands before a malformed
   * one can still be used, and what stands after the one that is enough costs nothing. In v4 a Buffer is the same text as
   * UTF-8 bytes; in v3 it is the binary form of a payload.
   * @throws ParseError from the iterator
   */
  decodePayload(payload: string | Buffer, limits?: PayloadLimits): Iterable<EnginePacket>;
}

/** @throws ParseError if the payload is longer than `limits.maxBytes` */
export function checkPayloadSize(payload: string | Buffer, limits: PayloadLimits): void {
  const { maxBytes } = limits;
  if (maxBytes === undefined) {
    return;
  }
  // A UTF-16 unit takes one to three bytes, so most texts need no counting.
  const tooLarge =
    payload.length > maxBytes ||
    (typeof payload === "string" && payload.length * 3 > maxBytes && Buffer.byteLength(payload) > maxBytes);
  if (tooLarge) {
    throw new ParseError("PAYLOAD_TOO_LARGE", maxBytes);
  }
}
