/** What is wrong with the input, and the text that says so. Official texts are kept to the letter. */
export const parseErrors = {
  // Engine.IO: the official parsers have one text for everything.
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

/** The reason of a {@link ParseError}, one per kind of malformed input. */
export type ParseErrorCode = keyof typeof parseErrors;

/** The only error the decoders of this package throw, whatever the input. */
export class ParseError extends Error {
  override readonly name = "ParseError";
  readonly code: ParseErrorCode;
  /** What would have been allowed, if the input broke a limit: bytes, packets, attachments, or levels of a payload. */
  declare readonly limit?: number;

  /** @param detail - appended to the message of the code, for those that end in a value; or the limit */
  constructor(code: ParseErrorCode, detail: string | number = "") {
    super(typeof detail === "number" ? parseErrors[code] : parseErrors[code] + detail);
    this.code = code;
    if (typeof detail === "number") this.limit = detail;
  }
}
