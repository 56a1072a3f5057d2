/** The codes of refused requests, in `connection_error` events and in HTTP error bodies. */
export const ConnectionErrorCode = {
  UNKNOWN_TRANSPORT: 0,
  UNKNOWN_SID: 1,
  BAD_HANDSHAKE_METHOD: 2,
  BAD_REQUEST: 3,
  FORBIDDEN: 4,
  UNSUPPORTED_PROTOCOL_VERSION: 5,
} as const;

export type ConnectionErrorCode = (typeof ConnectionErrorCode)[keyof typeof ConnectionErrorCode];

/** The text that the client gets for each code, unless `allowRequest` gives its own. */
export const connectionErrorMessages: Readonly<Record<ConnectionErrorCode, string>> = {
  0: "Transport unknown",
  1: "Session ID unknown",
  2: "Bad handshake method",
  3: "Bad request",
  4: "Forbidden",
  5: "Unsupported protocol version",
};

/** The argument of `connection_error`: describes a refused request. */
export interface ConnectionError {
  /** The request, as middlewares get it. */
  req: unknown;
  code: ConnectionErrorCode;
  message: string;
  /** Details, such as `{ sid }` or `{ name: "TRANSPORT_MISMATCH", … }`. */
  context: Record<string, unknown> | undefined;
}

/** Every error of the engine that is not the end of a session, with its message. */
export const engineMessages = {
  NO_APP: "attachApp() needs an App or SSLApp of uWebSockets.js; attach() takes a server of Node.js",
  INVALID_ID: "generateId() must return a string that is not empty",
  FOREIGN_ID: "generateId() must return an id that begins with engine.idPrefix",
  ID_IN_USE: "generateId() returned the id of another session",
} as const;

export type EngineErrorCode = keyof typeof engineMessages;

const typeErrors: ReadonlySet<EngineErrorCode> = new Set<EngineErrorCode>(["NO_APP", "INVALID_ID"]);

/** Creates the error of a code. */
export function createError(code: EngineErrorCode): Error {
  const message = engineMessages[code];
  return Object.assign(typeErrors.has(code) ? new TypeError(message) : new Error(message), { code });
}

/** Every failure of a transport, with its message. */
export const transportErrors = {
  POLL_OVERLAP: "overlap from client",
  POLL_REPEATED: "a proxy repeated a poll, and the first answer may be lost",
  POST_OVERLAP: "data request overlap from client",
  POLL_ABORTED: "poll connection closed prematurely",
  POST_ABORTED: "data request connection closed prematurely",
  INVALID_CONTENT: "invalid content",
  INVALID_HEARTBEAT_DIRECTION: "invalid heartbeat direction",
  PAYLOAD_TOO_LARGE: "Max payload size exceeded",
  WEBSOCKET_ERROR: "websocket error",
  WEBSOCKET_CLOSED: "the WebSocket closed with an abnormal code",
  WEBTRANSPORT_CLOSED: "the WebTransport session was lost",
  PING_TIMEOUT: "the client's heartbeat did not arrive in time",
  SLOW_CONSUMER: "the client reads more slowly than the server sends; see maxBackpressure",
  FAST_PRODUCER: "the client sends faster than the server handles its messages; see maxReceiveBacklog",
} as const;

export type TransportErrorCode = keyof typeof transportErrors;

/** Describes an abnormal end of a session, except a `parse error`, whose description is a `ParseError`. */
export class TransportError extends Error {
  override readonly name: string = "TransportError";
  /** As on the official server's errors. */
  readonly type: string = "TransportError";
  readonly code: TransportErrorCode;
  /** The underlying error or value, if there is one. */
  readonly description: unknown;

  constructor(code: TransportErrorCode, detail?: { message?: string; description?: unknown }) {
    super(detail?.message ?? transportErrors[code]);
    this.code = code;
    this.description = detail?.description;
  }
}

/** Ends a session whose client sent a message larger than `maxHttpBufferSize`. */
export class PayloadTooLargeError extends TransportError {
  /** The option `maxHttpBufferSize`, in bytes. */
  readonly limit: number;

  /** @param description - the host's error */
  constructor(limit: number, description: unknown) {
    super("PAYLOAD_TOO_LARGE", { description });
    this.limit = limit;
  }
}

/** Describes a `transport close` by a WebSocket that did not close normally. */
export class WebSocketClosedError extends TransportError {
  /** The code of the client's close frame; 1006 if there was none. */
  readonly wsCode: number;
  /** The reason of the close frame, or of the host; usually empty. */
  readonly wsReason: string;

  constructor(wsCode: number, wsReason: string) {
    super("WEBSOCKET_CLOSED", {
      message:
        wsCode === 1006
          ? "the WebSocket closed without a close frame"
          : `the WebSocket closed with code ${wsCode}`,
    });
    this.wsCode = wsCode;
    this.wsReason = wsReason;
  }
}

/** Describes a `transport close` by a WebTransport session that did not close normally. */
export class WebTransportClosedError extends TransportError {
  /** The client's close code; undefined if it sent none. */
  readonly closeCode: number | undefined;
  /** The client's close reason. */
  readonly closeReason: string;

  /** @param detail - `description` is the host's error, if there is one */
  constructor(detail: { message?: string; closeCode?: number; closeReason?: string; description?: unknown }) {
    super("WEBTRANSPORT_CLOSED", detail);
    this.closeCode = detail.closeCode;
    this.closeReason = detail.closeReason ?? "";
  }
}

/** Describes a `ping timeout`. All times are in ms. */
export class PingTimeoutError extends TransportError {
  readonly pingInterval: number;
  readonly pingTimeout: number;
  /** The time since the client's last packet, or since the session began. */
  readonly silentFor: number;

  constructor(pingInterval: number, pingTimeout: number, silentFor: number) {
    super("PING_TIMEOUT");
    this.pingInterval = pingInterval;
    this.pingTimeout = pingTimeout;
    this.silentFor = silentFor;
  }
}

/** Ends a session whose client reads more slowly than the server writes. */
export class SlowConsumerError extends TransportError {
  /** Bytes that wait for this client, in the session and in the host, with 128 for each packet of the session. */
  readonly bufferedBytes: number;
  /** The option `maxBackpressure`, in bytes. */
  readonly limit: number;

  constructor(bufferedBytes: number, limit: number) {
    super("SLOW_CONSUMER");
    this.bufferedBytes = bufferedBytes;
    this.limit = limit;
  }
}

/** Ends a session whose client sends faster than the application handles its messages. */
export class FastProducerError extends TransportError {
  /** Received bytes that are not handled yet. */
  readonly waitingBytes: number;
  /** The option `maxReceiveBacklog`, in bytes. */
  readonly limit: number;

  constructor(waitingBytes: number, limit: number) {
    super("FAST_PRODUCER");
    this.waitingBytes = waitingBytes;
    this.limit = limit;
  }
}
