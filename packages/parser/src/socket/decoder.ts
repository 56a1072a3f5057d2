import { ParseError } from "../errors.ts";
import { isBinary, putAttachments } from "./attachments.ts";
import type { Binary } from "./attachments.ts";
import { DEFAULT_MAX_DEPTH, isJSONDeeperThan } from "./depth.ts";
import { isReservedEvent, PacketType, payloadRulesV5 } from "./packet.ts";
import type { Packet, PayloadRules } from "./packet.ts";

/** The second argument of `JSON.parse`. */
export type Reviver = (this: unknown, key: string, value: unknown) => unknown;

export interface DecoderOptions {
  /**
   * passed to `JSON.parse`
   * @default none
   */
  readonly reviver?: Reviver | undefined;
  /**
   * how many attachments a packet may announce
   * @default 10
   */
  readonly maxAttachments?: number | undefined;
  /**
   * how many arrays and objects may be nested in each other, the payload itself included
   * @default 500
   */
  readonly maxDepth?: number | undefined;
  /**
   * which payloads are legal
   * @default the rules of protocol 5
   */
  readonly rules?: PayloadRules | undefined;
}

interface Settings {
  readonly reviver: Reviver | undefined;
  readonly maxAttachments: number;
  readonly maxDepth: number;
  readonly rules: PayloadRules;
}

const defaults: Settings = {
  reviver: undefined,
  maxAttachments: 10,
  maxDepth: DEFAULT_MAX_DEPTH,
  rules: payloadRulesV5,
};

/** A packet that waits for its attachments. */
interface Unfinished {
  readonly packet: Packet;
  readonly expected: number;
  readonly attachments: Binary[];
}

/**
 * Takes the messages of one connection, one by one, and returns each packet when it is whole.
 * Shared by all namespaces of the connection.
 *
 * @example
 * const decoder = new PacketDecoder();
 * decoder.add('2["hello",1]'); // { type: PacketType.EVENT, nsp: "/", data: ["hello", 1] }
 * decoder.destroy();
 */
export class PacketDecoder {
  private readonly settings: Settings;
  private unfinished: Unfinished | undefined = undefined;

  constructor(options?: DecoderOptions) {
    this.settings = options === undefined ? defaults : withDefaults(options);
  }

  /**
   * The packet that this message completes, or undefined if attachments are still to come.
   * @throws ParseError; the decoder then waits for no attachment any more
   */
  add(chunk: string | Binary): Packet | undefined {
    if (typeof chunk === "string") {
      return this.addText(chunk);
    }
    if (isBinary(chunk)) {
      return this.addBinary(chunk);
    }
    throw new ParseError("UNKNOWN_CHUNK", describe(chunk));
  }

  /** Forgets a packet that still waits for attachments. */
  destroy(): void {
    this.unfinished = undefined;
  }

  private addText(text: string): Packet | undefined {
    if (this.unfinished !== undefined) {
      this.unfinished = undefined;
      throw new ParseError("UNEXPECTED_TEXT");
    }
    const wireType = readType(text);
    const isBinaryType = wireType === PacketType.BINARY_EVENT || wireType === PacketType.BINARY_ACK;
    if (!isBinaryType) {
      return readPacket(text, 1, wireType, wireType, this.settings);
    }
    const dash = endOfDigits(text, 1);
    const expected = readAttachments(text, dash, this.settings.maxAttachments);
    const type = wireType === PacketType.BINARY_EVENT ? PacketType.EVENT : PacketType.ACK;
    const packet = readPacket(text, dash + 1, type, wireType, this.settings);
    this.unfinished = { packet, expected, attachments: [] };
    this.announce(packet);
    return undefined;
  }

  /** Called with a packet whose attachments are still to come; {@link destroy} refuses them. */
  protected announce(_packet: Packet): void {}

  private addBinary(chunk: Binary): Packet | undefined {
    const { unfinished } = this;
    if (unfinished === undefined) {
      throw new ParseError("UNEXPECTED_BINARY");
    }
    const { packet, expected, attachments } = unfinished;
    if (attachments.push(chunk) < expected) {
      return undefined;
    }
    this.unfinished = undefined;
    putAttachments(packet.data, attachments);
    return packet;
  }
}

function withDefaults(options: DecoderOptions): Settings {
  return {
    reviver: options.reviver,
    maxAttachments: options.maxAttachments ?? defaults.maxAttachments,
    maxDepth: options.maxDepth ?? defaults.maxDepth,
    rules: options.rules ?? defaults.rules,
  };
}

const DASH = 45;
const SLASH = 47;
const ZERO = 48;
const NINE = 57;

const types: readonly PacketType[] = [0, 1, 2, 3, 4, 5, 6];

function readType(text: string): PacketType {
  const type = types[text.charCodeAt(0) - ZERO];
  if (type === undefined) {
    throw new ParseError("UNKNOWN_PACKET_TYPE", /^\d/.test(text) ? text.charAt(0) : "NaN");
  }
  return type;
}

/** The index of the first character from `start` on that is no digit. */
function endOfDigits(text: string, start: number): number {
  let at = start;
  let code = text.charCodeAt(at);
  while (code >= ZERO && code <= NINE) {
    code = text.charCodeAt(++at);
  }
  return at;
}

/** `<attachments>-`, the dash expected at `dash`. */
function readAttachments(text: string, dash: number, maximum: number): number {
  const attachments = Number(text.slice(1, dash));
  if (attachments === 0 || text.charCodeAt(dash) !== DASH) {
    throw new ParseError("ILLEGAL_ATTACHMENTS");
  }
  if (attachments > maximum) {
    throw new ParseError("TOO_MANY_ATTACHMENTS", maximum);
  }
  return attachments;
}

/** `[<namespace>,][<id>][<JSON>]`; the namespace may also end the text. */
function readPacket(
  text: string,
  start: number,
  type: PacketType,
  wireType: PacketType,
  settings: Settings,
): Packet {
  let at = start;
  let nsp = "/";
  if (text.charCodeAt(at) === SLASH) {
    const comma = text.indexOf(",", at);
    const end = comma === -1 ? text.length : comma;
    nsp = text.slice(at, end);
    at = end + 1;
  }

  let id: number | undefined;
  const endOfId = endOfDigits(text, at);
  if (endOfId > at) {
    id = Number(text.slice(at, endOfId));
    if (id > Number.MAX_SAFE_INTEGER) {
      throw new ParseError("ILLEGAL_ID");
    }
    at = endOfId;
  }

  // Whole literals: a property that is added later takes memory of its own.
  if (at >= text.length) {
    return id === undefined ? { type, nsp } : { type, nsp, id };
  }
  if (isJSONDeeperThan(text, at, settings.maxDepth)) {
    throw new ParseError("INVALID_PAYLOAD", settings.maxDepth);
  }
  const data = parseJSON(text.slice(at), settings.reviver);
  if (!settings.rules[wireType]!(data)) {
    const isReserved = type === PacketType.EVENT && isReservedEvent(data);
    throw new ParseError(isReserved ? "RESERVED_EVENT" : "INVALID_PAYLOAD");
  }
  return id === undefined ? { type, nsp, data } : { type, nsp, id, data };
}

function parseJSON(text: string, reviver: Reviver | undefined): unknown {
  try {
    return JSON.parse(text, reviver);
  } catch {
    throw new ParseError("INVALID_PAYLOAD");
  }
}

/** Does not call into the chunk: what it is comes from outside. */
function describe(chunk: unknown): string {
  return typeof chunk === "object" ? Object.prototype.toString.call(chunk) : typeof chunk;
}
