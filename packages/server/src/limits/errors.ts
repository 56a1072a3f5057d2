/** Every limit of the server, with the message for clients and operators. */
export const limitErrors = {
  TOO_MANY_NAMESPACES: "Too many namespaces on this connection",
  NAMESPACES_EXHAUSTED: "Too many namespaces on this server",
  TOO_MANY_ROOMS: "Too many rooms of this socket",
  TOO_MANY_EVENTS: "Too many events",
  TOO_MANY_BYTES: "Too much data",
} as const;

/** Identifies a limit of the server. */
export type LimitErrorCode = keyof typeof limitErrors;

/** Refuses what a limit does not allow. */
export class LimitError extends Error {
  override readonly name: string = "LimitError";
  readonly code: LimitErrorCode;
  /** The value of the option. */
  readonly limit: number;
  /** For the client, as `error.data` of its `connect_error`. */
  readonly data: { readonly code: LimitErrorCode; readonly limit: number };

  constructor(code: LimitErrorCode, limit: number) {
    super(limitErrors[code]);
    this.code = code;
    this.limit = limit;
    this.data = { code, limit };
  }
}
