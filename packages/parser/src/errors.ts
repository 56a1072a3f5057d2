/** The kinds of invalid input, with their messages. The official messages are unchanged. */
export const parseErrors = {
  // Engine.IO: the official parsers have one message for everything.
  EMPTY_PACKET: "parser error",
  UNKNOWN_ENGINE_PACKET_TYPE: "parser error",
  ILLEGAL_PAYLOAD_LENGTH: "parser error",
  ILLEGAL_UTF8: "parser error",
  PAYLOAD_TOO_LARGE: "payload too large",
  TOO_MANY_PACKETS: "too many packets",
  // Socket.IO
  UNKNOWN_PACKET_TYPE: "unknown packet type ",
  ILLEGAL_ATTACHMENTS: "Illegal attachments",
  TOO_MANY_ATTACHMENTS: "too many attachments",
  ILLEGAL_ID: "Illegal id",
  INVALID_PAYLOAD: "invalid payload",
  RESERVED_EVENT: "invalid payload",
  ILLEGAL_PLACEHOLDER: "illegal attachments",
  UNEXPECTED_TEXT: "got plaintext data when reconstructing a packet",
  UNEXPECTED_BINARY: "got binary data when not reconstructing a packet",
  UNKNOWN_CHUNK: "Unknown type: ",
} as const;

/** What cannot be encoded, and why. */
export const encodeErrors = {
  BLOB: "a Blob cannot be sent from the server: send `await blob.arrayBuffer()` instead",
} as const;

/** Creates the error of an event with a Blob. */
export function blobError(): TypeError & { readonly code: "BLOB" } {
  return Object.assign(new TypeError(encodeErrors.BLOB), { code: "BLOB" } as const);
}

/** The reason of a {@link ParseError}, one per kind of malformed input. */
export type ParseErrorCode = keyof typeof parseErrors;

/** The only error that the decoders of this package throw. */
export class ParseError extends Error {
  override readonly name = "ParseError";
  readonly code: ParseErrorCode;
  /** The limit that the input exceeds, if it does: in bytes, packets, attachments, or levels of a payload. */
  declare readonly limit?: number;

  /** @param detail - a string is appended to the message; a number is the limit */
  constructor(code: ParseErrorCode, detail: string | number = "") {
    super(typeof detail === "number" ? parseErrors[code] : parseErrors[code] + detail);
    this.code = code;
    if (typeof detail === "number") this.limit = detail;
  }
}
