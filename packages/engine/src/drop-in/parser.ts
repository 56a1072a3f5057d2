import { TransformStream } from "node:stream/web";
import {
  encodeStreamFrames,
  engineCodecV4,
  ParseError,
  StreamFrameDecoder,
  toBuffer,
} from "@tidewire/parser";
import type { EnginePacket, EnginePacketType } from "@tidewire/parser";

/** A packet as the package `engine.io-parser` has it. */
export interface ParserPacket {
  /** Malformed input decodes to `error`. */
  type: EnginePacketType | "error";
  data?: unknown;
  options?: { compress: boolean };
}

export type BinaryType = "nodebuffer" | "arraybuffer" | "blob";

const MALFORMED: Readonly<ParserPacket> = Object.freeze({ type: "error", data: "parser error" });

/** The protocol version of these functions. */
export const protocol = 4;

/** Encodes one packet. Binary data stays as it is if binary is supported; otherwise it becomes base64. */
export function encodePacket(
  packet: ParserPacket,
  supportsBinary: boolean,
  callback: (encoded: unknown) => void,
): void {
  const { data } = packet;
  if (supportsBinary && isBinary(data)) callback(data);
  else callback(engineCodecV4.encodePacket(toPacket(packet), false));
}

/** Encodes the body of a long-polling response. */
export function encodePayload(
  packets: readonly ParserPacket[],
  callback: (encoded: string | Buffer) => void,
): void {
  callback(engineCodecV4.encodePayload(packets.map(toPacket), false));
}

/** Decodes one packet. Malformed input becomes a packet of type `error`. */
export function decodePacket(
  encoded: string | ArrayBuffer | Uint8Array,
  binaryType?: BinaryType,
): ParserPacket {
  try {
    const frame = typeof encoded === "string" ? encoded : toBuffer(encoded);
    return fromPacket(engineCodecV4.decodePacket(frame), binaryType);
  } catch (error) {
    if (!(error instanceof ParseError)) throw error;
    return MALFORMED;
  }
}

/** Decodes a long-polling body up to the first malformed packet, which becomes a last packet of type `error`. */
export function decodePayload(encoded: string, binaryType?: BinaryType): ParserPacket[] {
  const packets: ParserPacket[] = [];
  try {
    for (const packet of engineCodecV4.decodePayload(encoded)) packets.push(fromPacket(packet, binaryType));
  } catch (error) {
    if (!(error instanceof ParseError)) throw error;
    packets.push(MALFORMED);
  }
  return packets;
}

/** Creates a stream that encodes packets into the bytes of a WebTransport stream. */
export function createPacketEncoderStream(): TransformStream<ParserPacket, Uint8Array> {
  return new TransformStream({
    transform(packet, controller) {
      const content = engineCodecV4.encodePacket(toPacket(packet), true);
      controller.enqueue(encodeStreamFrames([{ content, binary: typeof content !== "string" }]));
    },
  });
}

/**
 * Creates a stream that decodes the bytes of a WebTransport stream into packets. Malformed input becomes a packet of type `error`,
 * and so does a packet of more than `maxPayload` bytes; what follows it has no meaning.
 */
export function createPacketDecoderStream(
  maxPayload: number,
  binaryType?: BinaryType,
): TransformStream<Uint8Array, ParserPacket> {
  const decoder = new StreamFrameDecoder(maxPayload);
  return new TransformStream({
    transform(chunk, controller) {
      try {
        for (const frame of decoder.add(chunk)) controller.enqueue(decodePacket(frame, binaryType));
      } catch (error) {
        if (!(error instanceof ParseError)) throw error;
        controller.enqueue(MALFORMED);
      }
    },
  });
}

function isBinary(data: unknown): data is ArrayBuffer | ArrayBufferView {
  return data instanceof ArrayBuffer || ArrayBuffer.isView(data);
}

function toPacket({ type, data }: ParserPacket): EnginePacket {
  const known = type as EnginePacketType;
  if (!data) return { type: known };
  return { type: known, data: isBinary(data) ? toBuffer(data) : `${data as string}` };
}

function fromPacket({ type, data }: EnginePacket, binaryType: BinaryType | undefined): ParserPacket {
  if (data === undefined) return { type };
  if (typeof data === "string" || binaryType !== "arraybuffer") return { type, data };
  return { type, data: data.buffer.slice(data.byteOffset, data.byteOffset + data.byteLength) };
}
