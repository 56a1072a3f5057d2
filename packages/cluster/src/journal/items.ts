import { toBuffer } from "@tidewire/parser";
import type { Binary } from "@tidewire/parser";
import type { internals } from "@tidewire/server";
import type { BroadcastOptions, Room } from "socket.io-adapter";
import { LinkError } from "../errors.ts";
import type { PacketParts, Target } from "../broadcasting/wire.ts";
import type { Part } from "../link/link.ts";
import type { NodeId } from "../node-id.ts";
import type { EVENT } from "./journal.ts";

/*
 * What a batch of the journal consists of, as text: stores and their clients keep text as it is, whatever they do with bytes. An
 * event is its target as JSON, a line feed and its packet as it is; a packet of several parts is in the JSON.
 */

/** How an event begins that is not kept. */
export const PASSING = "V";

/** The item with which a node begins to number anew in a namespace, above all numbers that it has used there. */
export const BEGIN = "B";

/** How a message of broadcasting begins. */
export const CAST = "C";

/** The longest item, in bytes: half of what Redis keeps for a subscriber, unless told otherwise, before it drops the connection. */
export const MOST_ITEM_BYTES: number = 16 * 1024 * 1024;

/** The largest message of broadcasting whose item is not longer. */
export const MOST_CAST_BYTES: number = (MOST_ITEM_BYTES / 4) * 3 - 1024;

/** An event on its way to the sockets of a target. */
export interface EventItem {
  readonly target: Target;
  /** Its packet, without an offset. */
  readonly parts: PacketParts;
}

const VOLATILE = 1;
const COMPRESS = 2;
const NOT_COMPRESS = 4;

type Head = [rooms: Room[], except: Room[], bits: number, conflate: string | 0, parts?: string[]];

export function writeEvent(
  kind: typeof EVENT | typeof PASSING,
  target: BroadcastOptions,
  parts: PacketParts,
): string {
  const { volatile, compress, conflate }: internals.WaitingFlags = target.flags ?? {};
  const compression = compress === undefined ? 0 : compress ? COMPRESS : NOT_COMPRESS;
  const bits = (volatile ? VOLATILE : 0) | compression;
  const head: Head = [[...target.rooms], [...(target.except ?? [])], bits, conflate ?? 0];
  const [text] = parts;
  if (parts.length === 1 && typeof text === "string") return `${kind}${JSON.stringify(head)}\n${text}`;
  head.push(packParts(parts));
  return `${kind}${JSON.stringify(head)}\n`;
}

/** @throws LinkError if it is malformed */
export function readEvent(item: string): EventItem {
  const end = item.indexOf("\n");
  const [rooms, except, bits, conflate, parts] = readHead(item.slice(1, end));
  const flags: internals.WaitingFlags = {};
  if (bits & VOLATILE) flags.volatile = true;
  if (bits & (COMPRESS | NOT_COMPRESS)) flags.compress = (bits & COMPRESS) !== 0;
  if (conflate !== 0) flags.conflate = conflate;
  const target = { rooms: new Set(rooms), except: new Set(except), flags };
  if (parts === undefined) return { target, parts: [item.slice(end + 1)] };
  return { target, parts: unpackParts(parts) };
}

/** Makes texts of the parts of a packet. */
export function packParts(parts: internals.EncodedPacket): string[] {
  return parts.map((part) =>
    typeof part === "string" ? `t${part}` : `b${toBuffer(part as Binary).toString("base64")}`,
  );
}

export function unpackParts(parts: readonly string[]): PacketParts {
  return parts.map((part) => (part.startsWith("t") ? part.slice(1) : Buffer.from(part.slice(1), "base64")));
}

function readHead(json: string): Head {
  let head: unknown;
  try {
    head = JSON.parse(json);
  } catch {
    head = undefined;
  }
  if (!isHead(head)) throw new LinkError("MALFORMED", "an item of the journal cannot be read");
  return head;
}

function isHead(value: unknown): value is Head {
  if (!Array.isArray(value)) return false;
  const [rooms, except, bits, , parts] = value as unknown[];
  const areTargets = Array.isArray(rooms) && Array.isArray(except) && typeof bits === "number";
  return areTargets && (parts === undefined || (Array.isArray(parts) && parts.every(isText)));
}

function isText(value: unknown): value is string {
  return typeof value === "string";
}

export function writeCast(from: NodeId, parts: readonly Part[]): string {
  const bytes = parts.map((part) => (typeof part === "string" ? Buffer.from(part) : part));
  return `${CAST}${from}${Buffer.concat(bytes).toString("base64")}`;
}

export function readCast(item: string): { from: NodeId; payload: Buffer } {
  return { from: item.slice(1, 5), payload: Buffer.from(item.slice(5), "base64") };
}

/** Copies a packet, because the application may write into its buffers, and a parser into what it has encoded. */
export function copyOf(encoded: internals.EncodedPacket): PacketParts {
  return encoded.map((part) => (typeof part === "string" ? part : Buffer.from(toBuffer(part as Binary))));
}

/** Divides items into those that leave together. */
export function* inBatches(items: readonly string[]): Generator<readonly string[]> {
  let from = 0;
  let characters = 0;
  for (const [index, { length }] of items.entries()) {
    if (characters > 0 && characters + length > MOST_TOGETHER) {
      yield items.slice(from, index);
      from = index;
      characters = 0;
    }
    characters += length;
  }
  if (from < items.length) yield from === 0 ? items : items.slice(from);
}

/** How many characters leave together at most, unless it is one item. */
const MOST_TOGETHER = 1024 * 1024;

/** The approximate size of an event in memory, in bytes. */
export function sizeOf({ parts }: EventItem): number {
  let bytes = BYTES_PER_EVENT;
  for (const part of parts) bytes += part.length;
  return bytes;
}

/** The approximate size of the objects around an event. */
const BYTES_PER_EVENT = 512;

/** Whether an event is for a socket in these rooms. */
export function isFor({ rooms, except }: Target, own: readonly Room[]): boolean {
  const isIncluded = rooms.size === 0 || own.some((room) => rooms.has(room));
  return isIncluded && !(except.size > 0 && own.some((room) => except.has(room)));
}
