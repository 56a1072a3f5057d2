import {
  createDecoder,
  defaultParser,
  encodePacket,
  PacketDecoder,
  PacketType,
  toBuffer,
} from "@tidewire/parser";
import type { Binary, Packet, Parser } from "@tidewire/parser";
import type { internals } from "@tidewire/server";
import type { BroadcastOptions, Room } from "socket.io-adapter";
import { LinkError } from "../errors.ts";
import type { Part } from "../link/link.ts";
import type { PayloadReader } from "../link/reader.ts";
import type { PayloadWriter } from "../link/writer.ts";

/** Nodes trust each other: what one of them could encode, the others decode. */
const unlimited = { maxDepth: Infinity, maxAttachments: Infinity };

/** Whom a broadcast or a command is for. */
export interface Target extends BroadcastOptions {
  readonly except: Set<Room>;
  readonly flags: internals.WaitingFlags;
}

const VOLATILE = 1;
const COMPRESS = 2;
const NOT_COMPRESS = 4;
const CONFLATE = 8;

export function writeTarget(writer: PayloadWriter, { rooms, except, flags }: BroadcastOptions): void {
  const compress = flags?.compress;
  const { conflate }: internals.WaitingFlags = flags ?? {};
  const compression = compress === undefined ? 0 : compress ? COMPRESS : NOT_COMPRESS;
  writer.u8((flags?.volatile ? VOLATILE : 0) | compression | (conflate === undefined ? 0 : CONFLATE));
  if (conflate !== undefined) writer.text(conflate);
  writeSet(writer, rooms);
  writeSet(writer, except);
}

function writeSet(writer: PayloadWriter, rooms: ReadonlySet<Room> | undefined): void {
  if (rooms === undefined || rooms.size === 0) writer.u32(0);
  else writeRooms(writer, rooms);
}

export function readTarget(reader: PayloadReader): Target {
  const bits = reader.u8();
  const flags: internals.WaitingFlags = {};
  if (bits & VOLATILE) flags.volatile = true;
  if (bits & (COMPRESS | NOT_COMPRESS)) flags.compress = (bits & COMPRESS) !== 0;
  if (bits & CONFLATE) flags.conflate = reader.text();
  return { rooms: new Set(readRooms(reader)), except: new Set(readRooms(reader)), flags };
}

export function writeRooms(writer: PayloadWriter, rooms: Iterable<Room>): void {
  // Applications without types join rooms with numbers for names, too.
  const names: readonly unknown[] = [...rooms];
  writer.u32(names.length);
  for (const name of names) writer.u8(typeof name === "number" ? 1 : 0).text(String(name));
}

export function readRooms(reader: PayloadReader): Room[] {
  const rooms: unknown[] = [];
  for (let left = reader.u32(); left > 0; left--) {
    const isNumber = reader.u8() === 1;
    const name = reader.text();
    rooms.push(isNumber ? Number(name) : name);
  }
  return rooms as Room[];
}

/** A list of the messages that carry a packet: its text, then its attachments. */
export type PacketParts = readonly (string | Buffer)[];

const ONE_TEXT = 0;
const SEVERAL = 1;

/** Ends a payload with an encoded packet, as it is. */
export function endWithPacket(writer: PayloadWriter, encoded: internals.EncodedPacket): Part[] {
  const [first] = encoded;
  if (encoded.length === 1 && typeof first === "string") return [writer.u8(ONE_TEXT).end(), first];
  // Encoders of other parsers may return any kind of bytes.
  const parts = encoded.map((part) => (typeof part === "string" ? part : toBuffer(part as Binary)));
  writer.u8(SEVERAL).u32(parts.length);
  for (const part of parts) {
    writer.u8(typeof part === "string" ? 1 : 0).u32(Buffer.byteLength(part));
  }
  return [writer.end(), ...parts];
}

/** Reads the encoded packet at the end of a payload, and copies its bytes. */
export function readPacket(reader: PayloadReader): PacketParts {
  if (reader.u8() === ONE_TEXT) return [reader.rest().toString()];
  const lengths: { isText: boolean; length: number }[] = [];
  for (let left = reader.u32(); left > 0; left--) {
    lengths.push({ isText: reader.u8() === 1, length: reader.u32() });
  }
  const bytes = reader.rest();
  let at = 0;
  return lengths.map(({ isText, length }) => {
    if (length > bytes.length - at) throw new LinkError("MALFORMED", "a packet ends too early");
    const part = bytes.subarray(at, (at += length));
    return isText ? part.toString() : Buffer.from(part);
  });
}

/**
 * Decodes a packet, and copies its bytes.
 * @throws LinkError if it is malformed; what another parser throws, which may limit what it decodes
 */
export function decodePacket(parser: Parser, parts: PacketParts): Packet {
  let decoded: Packet | undefined;
  const decoder = createDecoder(parser, { ondecoded: (packet) => (decoded = packet) }, unlimited);
  try {
    for (const part of parts) decoded = decoder.add(copyOf(part)) ?? decoded;
  } catch (error) {
    throw parser === defaultParser ? new LinkError("MALFORMED", `a packet: ${String(error)}`) : error;
  }
  if (decoded === undefined) throw new LinkError("MALFORMED", "a packet is incomplete");
  return decoded;
}

/**
 * Encodes values of the application as an event would carry them: as JSON, with bytes beside it.
 * @throws TypeError if they cannot be encoded, such as circular ones
 */
export function encodeValues(values: readonly unknown[]): internals.EncodedPacket {
  return encodePacket({ type: PacketType.ACK, nsp: "/", data: values });
}

/** @throws LinkError if they are malformed: nodes encode them in one way, whatever the parser of the application */
export function decodeValues(parts: PacketParts): unknown[] {
  const decoder = new PacketDecoder(unlimited);
  let decoded: Packet | undefined;
  try {
    for (const part of parts) decoded = decoder.add(copyOf(part));
  } catch (error) {
    throw new LinkError("MALFORMED", `values: ${String(error)}`);
  }
  if (!Array.isArray(decoded?.data)) throw new LinkError("MALFORMED", "values are incomplete");
  return decoded.data as unknown[];
}

function copyOf(part: string | Buffer): string | Buffer {
  return typeof part === "string" ? part : Buffer.from(part);
}
