import { TextDecoder } from "node:util";
import { ParseError } from "../errors.ts";
import { checkPayloadSize } from "./codec.ts";
import type { EngineCodec, PayloadLimits } from "./codec.ts";
import { enginePacketTypes, engineTypeDigits } from "./packet.ts";
import type { EnginePacket } from "./packet.ts";

const ZERO = 48;
const COLON = 58;
/** First byte of a packet in a binary payload: text or binary. */
const TEXT_MARK = 0;
const BINARY_MARK = 1;
/** Ends the length of a packet in a binary payload, whose digits are the bytes 0 to 9. */
const LENGTH_END = 255;

const utf8 = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

function encodePacket(packet: EnginePacket, supportsBinary: boolean): string | Buffer {
  const { type, data } = packet;
  if (!supportsBinary || typeof data !== "object") {
    return encodeText(packet);
  }
  const frame = Buffer.allocUnsafe(data.length + 1);
  frame[0] = enginePacketTypes.indexOf(type);
  frame.set(data, 1);
  return frame;
}

function encodeText(packet: EnginePacket): string {
  const { type, data } = packet;
  if (typeof data === "object") {
    return "b" + engineTypeDigits[type] + data.toString("base64");
  }
  return data ? engineTypeDigits[type] + data : engineTypeDigits[type];
}

function decodePacket(frame: string | Buffer): EnginePacket {
  if (frame.length === 0) {
    throw new ParseError("EMPTY_PACKET");
  }
  if (typeof frame !== "string") {
    const type = enginePacketTypes[frame[0]!];
    if (type === undefined) {
      throw new ParseError("UNKNOWN_ENGINE_PACKET_TYPE");
    }
    return { type, data: frame.subarray(1) };
  }
  const base64 = frame.startsWith("b");
  const type = enginePacketTypes[frame.charCodeAt(base64 ? 1 : 0) - ZERO];
  if (type === undefined) {
    throw new ParseError("UNKNOWN_ENGINE_PACKET_TYPE");
  }
  if (base64) {
    return { type, data: Buffer.from(frame.slice(2), "base64") };
  }
  return frame.length > 1 ? { type, data: frame.slice(1) } : { type };
}

function encodePayload(packets: readonly EnginePacket[], supportsBinary: boolean): string | Buffer {
  if (supportsBinary && packets.some((packet) => typeof packet.data === "object")) {
    return Buffer.concat(packets.flatMap(encodeForBinaryPayload));
  }
  if (packets.length === 0) {
    return "0:";
  }
  let payload = "";
  for (const packet of packets) {
    const encoded = encodeText(packet);
    payload += encoded.length + ":" + encoded;
  }
  return payload;
}

function encodeForBinaryPayload(packet: EnginePacket): Buffer[] {
  const encoded = encodePacket(packet, true);
  const isText = typeof encoded === "string";
  const body = isText ? Buffer.from(encoded) : encoded;
  const digits = Array.from(String(body.length), Number);
  return [Buffer.from([isText ? TEXT_MARK : BINARY_MARK, ...digits, LENGTH_END]), body];
}

function* decodePayload(payload: string | Buffer, limits: PayloadLimits = {}): Generator<EnginePacket> {
  checkPayloadSize(payload, limits);
  const maxPackets = limits.maxPackets ?? Infinity;
  yield* typeof payload === "string"
    ? decodeTextPayload(payload, maxPackets)
    : decodeBinaryPayload(payload, maxPackets);
}

/** `<length>:<packet>…`, the length counted in UTF-16 units. An empty packet (`0:`) is skipped. */
function* decodeTextPayload(payload: string, maxPackets: number): Generator<EnginePacket> {
  let count = 0;
  let at = 0;
  do {
    let length = 0;
    const firstDigit = at;
    let digit = payload.charCodeAt(at) - ZERO;
    while (digit >= 0 && digit <= 9) {
      length = length * 10 + digit;
      digit = payload.charCodeAt(++at) - ZERO;
    }
    const start = at + 1;
    const end = start + length;
    if (at === firstDigit || payload.charCodeAt(at) !== COLON || end > payload.length) {
      throw new ParseError("ILLEGAL_PAYLOAD_LENGTH");
    }
    if (length > 0) {
      if (count++ >= maxPackets) {
        throw new ParseError("TOO_MANY_PACKETS", maxPackets);
      }
      yield decodePacket(payload.slice(start, end));
    }
    at = end;
  } while (at < payload.length);
}

/** `<0 text | 1 binary><digits 0–9><255><packet>…`, the length counted in bytes. */
function* decodeBinaryPayload(payload: Buffer, maxPackets: number): Generator<EnginePacket> {
  let count = 0;
  let at = 0;
  while (at < payload.length) {
    const isText = payload[at] === TEXT_MARK;
    let length = 0;
    const firstDigit = ++at;
    let digit = payload[at];
    while (digit !== undefined && digit <= 9) {
      length = length * 10 + digit;
      digit = payload[++at];
    }
    const start = at + 1;
    const end = start + length;
    if (at === firstDigit || digit !== LENGTH_END || end > payload.length) {
      throw new ParseError("ILLEGAL_PAYLOAD_LENGTH");
    }
    if (count++ >= maxPackets) {
      throw new ParseError("TOO_MANY_PACKETS", maxPackets);
    }
    const body = payload.subarray(start, end);
    yield decodePacket(isText ? decodeUtf8(body) : body);
    at = end;
  }
}

function decodeUtf8(bytes: Buffer): string {
  try {
    return utf8.decode(bytes);
  } catch {
    throw new ParseError("ILLEGAL_UTF8");
  }
}

/** Engine.IO v3: length-prefixed payloads, a type byte before binary data, `b4` + base64 in text. */
export const v3: EngineCodec = { protocol: 3, encodePacket, decodePacket, encodePayload, decodePayload };
