/** Codes of refused requests: `connection_error` events and HTTP error bodies carry them. */
export const ConnectionErrorCode = {
  UNKNOWN_TRANSPORT: 0,
  UNKNOWN_SID: 1,
  BAD_HANDSHAKE_METHOD: 2,
  BAD_REQUEST: 3,
  FORBIDDEN: 4,
  UNSUPPORTED_PROTOCOL_VERSION: 5,
} as const;

export type ConnectionErrorCode = (typeof ConnectionErrorCode)[keyof typeof ConnectionErrorCode];

/** The text a client reads for each code, unless `allowRequest` gave its own. */
export const connectionErrorMessages: Readonly<Record<ConnectionErrorCode, string>> = {
  0: "Transport unknown",
  1: "Session ID unknown",
  2: "Bad handshake method",
  3: "Bad request",
  4: "Forbidden",
  5: "Unsupported protocol version",
};

/** What the operator learns about a refused request, in the `connection_error` event. */
export interface ConnectionError {
  /** The request as middlewares see it. */
  req: unknown;
  code: ConnectionErrorCode;
  message: string;
  /** What was wrong with it, e.g. `{ sid }` or `{ name: "TRANSPORT_MISMATCH", … }`. */
  context: Record<string, unknown> | undefined;
}

/** Every way a transport can fail, with the message the operator reads. */
export const transportErrors = {
  POLL_OVERLAP: "overlap from client",
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

/** The description of a session that ended abnormally, but for a `parse error`, which has a `ParseError`. */
export class TransportError extends Error {
  override readonly name: string = "TransportError";
  /** As on the official server's errors. */
  readonly type: string = "TransportError";
  readonly code: TransportErrorCode;
  /** The underlying error or value, where there is one. */
  readonly description: unknown;

  constructor(code: TransportErrorCode, detail?: { message?: string; description?: unknown }) {
    super(detail?.message ?? transportErrors[code]);
    this.code = code;
    this.description = detail?.description;
  }
}

/** Ends a session whose client sent more at once than `maxHttpBufferSize`. */
export class PayloadTooLargeError extends TransportError {
  /** The option `maxHttpBufferSize`, in bytes. */
  readonly limit: number;

  /** @param description - the error of the host */
  constructor(limit: number, description: unknown) {
    super("PAYLOAD_TOO_LARGE", { description });
    this.limit = limit;
  }
}

/** Describes a `transport close` by a WebSocket that did not end as one does that is done. */
export class WebSocketClosedError extends TransportError {
  /** The code of the client's close frame; 1006 if there was none. */
  readonly wsCode: number;
  /** What the client, or the host, said beside it; mostly nothing. */
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

/** Describes a `transport close` by a WebTransport session that did not end as one does that is done. */
export class WebTransportClosedError extends TransportError {
  /** The code the client closed its session with; undefined if it did not say. */
  readonly closeCode: number | undefined;
  /** What the client said beside it. */
  readonly closeReason: string;

  /** @param description - the error of the host, where there is one */
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
  /** How long ago the client's last packet came, or its session began. */
  readonly silentFor: number;

  constructor(pingInterval: number, pingTimeout: number, silentFor: number) {
    super("PING_TIMEOUT");
    this.pingInterval = pingInterval;
    this.pingTimeout = pingTimeout;
    this.silentFor = silentFor;
  }
}

/** Ends a session whose client reads slower than the server writes to it. */
export class SlowConsumerError extends TransportError {
  /** Bytes waiting for this client, ours and the host's together, with 128 for each packet of ours. */
  readonly bufferedBytes: number;
  /** The option `maxBackpressure`, in bytes. */
  readonly limit: number;

  constructor(bufferedBytes: number, limit: number) {
    super("SLOW_CONSUMER");
    this.bufferedBytes = bufferedBytes;
    this.limit = limit;
  }
}

/** Ends a session whose client sends faster than its messages are handled. */
export class FastProducerError extends TransportError {
  /** Bytes that wait to be handled. */
  readonly waitingBytes: number;
  /** The option `maxReceiveBacklog`, in bytes. */
  readonly limit: number;

  constructor(waitingBytes: number, limit: number) {
    super("FAST_PRODUCER");
    this.waitingBytes = waitingBytes;
    this.limit = limit;
  }
}
