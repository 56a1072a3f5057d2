import { hasBinary, isBinary, takeAttachments, toBuffer } from "./attachments.ts";
import { PacketType } from "./packet.ts";
import type { Packet } from "./packet.ts";

/** The second argument of `JSON.stringify`. */
export type Replacer = (this: unknown, key: string, value: unknown) => unknown;

/**
 * The messages that carry a packet, in order: its text, then its attachments if it has any.
 * `EVENT` and `ACK` with anything binary in their data go out as `BINARY_EVENT` and `BINARY_ACK`.
 * @throws TypeError if the data cannot be serialised (circular, BigInt, Blob)
 */
export function encodePacket(packet: Packet, replacer?: Replacer): Array<string | Buffer> {
  const { type, data } = packet;
  if (type === PacketType.BINARY_EVENT || type === PacketType.BINARY_ACK) {
    return encodeBinary(
      packet,
      type === PacketType.BINARY_EVENT ? PacketType.EVENT : PacketType.ACK,
      replacer,
    );
  }
  if ((type === PacketType.EVENT || type === PacketType.ACK) && hasBinary(data)) {
    return encodeBinary(packet, type, replacer);
  }
  return [encodeText(packet, type, "", stringify(data, type, replacer))];
}

function encodeBinary(packet: Packet, type: 2 | 3, replacer: Replacer | undefined): Array<string | Buffer> {
  const attachments: Buffer[] = [];
  const { data } = packet;
  const json =
    Array.isArray(data) && replacer === undefined
      ? stringifyList(data, type, attachments)
      : JSON.stringify(takeAttachments(data, attachments), replacer);
  if (attachments.length === 0) {
    return [encodeText(packet, type, "", json)];
  }
  const wireType = type === PacketType.EVENT ? PacketType.BINARY_EVENT : PacketType.BINARY_ACK;
  return [encodeText(packet, wireType, attachments.length + "-", json), ...attachments];
}

/** `<type>[<attachments>-][<namespace>,][<id>][<JSON>]` */
function encodeText(packet: Packet, type: PacketType, attachments: string, json: string): string {
  const { nsp, id } = packet;
  let text = typeDigits[type] + attachments;
  if (nsp && nsp !== "/") {
    text += nsp + ",";
  }
  if (typeof id === "number") {
    text += id;
  }
  return text + json;
}

function stringify(data: unknown, type: PacketType, replacer: Replacer | undefined): string {
  if (data === undefined || data === null) {
    return "";
  }
  if (replacer === undefined && Array.isArray(data)) {
    if (type === PacketType.EVENT) return stringifyEvent(data);
    if (type === PacketType.ACK) return stringifyAnswer(data);
  }
  return JSON.stringify(data, replacer);
}

/** As `JSON.stringify(takeAttachments(list, attachments))`; most attachments are arguments themselves. */
function stringifyList(list: readonly unknown[], type: 2 | 3, attachments: Buffer[]): string {
  const name = type === PacketType.EVENT ? list[0] : undefined;
  let text = typeof name === "string" ? openEvent(name) : "[";
  for (let i = typeof name === "string" ? 1 : 0; i < list.length; i++) {
    const value = list[i];
    if (i > 0) text += ",";
    if (isBinary(value)) {
      text += `{"_placeholder":true,"num":${attachments.push(toBuffer(value)) - 1}}`;
    } else {
      text += JSON.stringify(takeAttachments(value, attachments)) ?? "null";
    }
  }
  return text + "]";
}

const typeDigits = ["0", "1", "2", "3", "4", "5", "6"] as const;

/** As `JSON.stringify(data)`, 50 ns faster for a short event: the name is quoted once, strings go by themselves. */
function stringifyEvent(data: readonly unknown[]): string {
  const name = data[0];
  if (typeof name !== "string") {
    return JSON.stringify(data);
  }
  let text = openEvent(name);
  for (let i = 1; i < data.length; i++) {
    text += "," + (JSON.stringify(data[i]) ?? "null");
  }
  return text + "]";
}

/** As `JSON.stringify(data)`, which takes longer for a text in a list than for the text alone. */
function stringifyAnswer(data: readonly unknown[]): string {
  return data.length === 1 && typeof data[0] === "string"
    ? `[${JSON.stringify(data[0])}]`
    : JSON.stringify(data);
}

/** Bounds on the cache, for applications that make up event names or pass on those of clients. */
const MAX_CACHED_NAMES = 1000;
const MAX_CACHED_NAME_LENGTH = 64;
const openEvents = new Map<string, string>();

/** `["name"` */
function openEvent(name: string): string {
  const cached = openEvents.get(name);
  if (cached !== undefined) {
    return cached;
  }
  const opened = "[" + JSON.stringify(name);
  if (name.length <= MAX_CACHED_NAME_LENGTH) {
    if (openEvents.size >= MAX_CACHED_NAMES) {
      openEvents.clear();
    }
    openEvents.set(name, opened);
  }
  return opened;
}

/**
 * {@link encodePacket} in the form that the `parser:` option of a server or client takes.
 *
 * @example
 * new Encoder().encode({ type: PacketType.EVENT, nsp: "/", data: ["hello", 1] }); // ['2["hello",1]']
 */
export class Encoder {
  private readonly replacer: Replacer | undefined;

  /** @param replacer - passed to `JSON.stringify` */
  constructor(replacer?: Replacer) {
    this.replacer = replacer;
  }

  encode(packet: Packet): Array<string | Buffer> {
    return encodePacket(packet, this.replacer);
  }
}
