import { ParseError } from "../errors.ts";
import { checkPayloadSize } from "./codec.ts";
import type { EngineCodec, PayloadLimits } from "./codec.ts";
import { enginePacketTypes, engineTypeDigits } from "./packet.ts";
import type { EnginePacket } from "./packet.ts";

const SEPARATOR = "\x1e";
const ZERO = 48;

function encodePacket(packet: EnginePacket, supportsBinary: boolean): string | Buffer {
  const { data } = packet;
  return supportsBinary && typeof data === "object" ? data : encodeText(packet);
}

function encodeText(packet: EnginePacket): string {
  const { type, data } = packet;
  if (typeof data === "object") {
    return "b" + data.toString("base64");
  }
  return data ? engineTypeDigits[type] + data : engineTypeDigits[type];
}

function decodePacket(frame: string | Buffer): EnginePacket {
  if (typeof frame !== "string") {
    return { type: "message", data: frame };
  }
  if (frame === "") {
    throw new ParseError("EMPTY_PACKET");
  }
  const type = enginePacketTypes[frame.charCodeAt(0) - ZERO];
  if (type !== undefined) {
    return frame.length > 1 ? { type, data: frame.slice(1) } : { type };
  }
  if (frame.startsWith("b")) {
    return { type: "message", data: Buffer.from(frame.slice(1), "base64") };
  }
  throw new ParseError("UNKNOWN_ENGINE_PACKET_TYPE");
}

function encodePayload(packets: readonly EnginePacket[]): string {
  let payload = "";
  for (let i = 0; i < packets.length; i++) {
    const encoded = encodeText(packets[i]!);
    payload += i === 0 ? encoded : SEPARATOR + encoded;
  }
  return payload;
}

function* decodePayload(payload: string | Buffer, limits: PayloadLimits = {}): Generator<EnginePacket> {
  checkPayloadSize(payload, limits);
  const text = typeof payload === "string" ? payload : payload.toString("utf8");
  const maxPackets = limits.maxPackets ?? Infinity;
  let start = 0;
  for (let count = 0; ; count++) {
    if (count >= maxPackets) {
      throw new ParseError("TOO_MANY_PACKETS", maxPackets);
    }
    const end = text.indexOf(SEPARATOR, start);
    if (end === -1) {
      yield decodePacket(start === 0 ? text : text.slice(start));
      return;
    }
    yield decodePacket(text.slice(start, end));
    start = end + 1;
  }
}

/** Engine.IO v4: payloads are packets separated by U+001E, binary is bare in frames and `b` + base64 in text. */
export const v4: EngineCodec = { protocol: 4, encodePacket, decodePacket, encodePayload, decodePayload };
