import { ParseError } from "../errors.ts";
import { isBinary, putAttachments } from "./attachments.ts";
import type { Binary } from "./attachments.ts";
import { PacketType, payloadRulesV5 } from "./packet.ts";
import type { Packet, PayloadRules } from "./packet.ts";

/** The second argument of `JSON.parse`. */
export type Reviver = (this: unknown, key: string, value: unknown) => unknown;

export interface DecoderOptions {
  /** passed to `JSON.parse` */
  readonly reviver?: Reviver | undefined;
  /** how many attachments a packet may announce; 10 by default */
  readonly maxAttachments?: number | undefined;
  /** which payloads are legal; those of protocol v5 by default */
  readonly rules?: PayloadRules | undefined;
}

interface Settings {
  readonly reviver: Reviver | undefined;
  readonly maxAttachments: number;
  readonly rules: PayloadRules;
}

const defaults: Settings = { reviver: undefined, maxAttachments: 10, rules: payloadRulesV5 };

/** A packet that waits for its attachments. */
interface Unfinished {
  readonly packet: Packet;
  readonly expected: number;
  readonly attachments: Binary[];
}

/**
 * Takes the messages of one connection, one by one, and returns each packet when it is whole.
 * Shared by all namespaces of the connection.
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
    const packet = decodeText(text, this.settings);
    const expected = packet.attachments;
    if (expected === undefined) {
      return packet;
    }
    delete packet.attachments;
    this.unfinished = { packet, expected, attachments: [] };
    return undefined;
  }

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
    rules: options.rules ?? defaults.rules,
  };
}

const DASH = 45;
const SLASH = 47;
const ZERO = 48;
const NINE = 57;

const isDigit = (code: number): boolean => code >= ZERO && code <= NINE;

/** `<type>[<attachments>-][<namespace>,][<id>][<JSON>]`; the namespace may also end the text. */
function decodeText(text: string, settings: Settings): Packet {
  const wireType = text.charCodeAt(0) - ZERO;
  if (!(wireType >= PacketType.CONNECT && wireType <= PacketType.BINARY_ACK)) {
    throw new ParseError("UNKNOWN_PACKET_TYPE", isDigit(wireType + ZERO) ? text.charAt(0) : "NaN");
  }
  let at = 1;

  let attachments = 0;
  if (wireType >= PacketType.BINARY_EVENT) {
    while (isDigit(text.charCodeAt(at))) {
      attachments = attachments * 10 + text.charCodeAt(at++) - ZERO;
    }
    if (text.charCodeAt(at++) !== DASH || attachments === 0) {
      throw new ParseError("ILLEGAL_ATTACHMENTS");
    }
    if (attachments > settings.maxAttachments) {
      throw new ParseError("TOO_MANY_ATTACHMENTS");
    }
  }

  let nsp = "/";
  if (text.charCodeAt(at) === SLASH) {
    const comma = text.indexOf(",", at);
    const end = comma === -1 ? text.length : comma;
    nsp = text.slice(at, end);
    at = end + 1;
  }

  const type = (attachments === 0 ? wireType : wireType - 3) as PacketType;
  const packet: Packet = { type, nsp };
  if (attachments !== 0) {
    packet.attachments = attachments;
  }

  if (isDigit(text.charCodeAt(at))) {
    let id = 0;
    while (isDigit(text.charCodeAt(at))) {
      id = id * 10 + text.charCodeAt(at++) - ZERO;
    }
    if (id > Number.MAX_SAFE_INTEGER) {
      throw new ParseError("ILLEGAL_ID");
    }
    packet.id = id;
  }

  if (at < text.length) {
    const data = parseJSON(text.slice(at), settings.reviver);
    if (!settings.rules[wireType]!(data)) {
      throw new ParseError("INVALID_PAYLOAD");
    }
    packet.data = data;
  }
  return packet;
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
