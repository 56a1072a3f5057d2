/**
 * What a host is: the part that owns sockets and speaks HTTP and WebSocket framing. uWebSockets.js, node:http and memory are
 * peers behind this contract; nothing above it knows which one it runs on, and a host knows nothing of Engine.IO.
 */
import type { IncomingHttpHeaders, OutgoingHttpHeaders } from "node:http";

/** A request as data, copied out of the host before anything asynchronous happens. */
export interface RequestHead {
  /** In capitals. */
  readonly method: string;
  /** Path and query, as on the request line. */
  readonly url: string;
  /** Lower-case names; repeated headers are joined as Node joins them. Hosts may make the record when it is asked for. */
  readonly headers: IncomingHttpHeaders;
  /** As Node writes it: `127.0.0.1`, `::ffff:127.0.0.1`, `2001:db8::1`. */
  readonly remoteAddress: string;
  /** Whether it came over TLS. */
  readonly secure: boolean;
  /** One of the headers, without the record of all of them; not for `set-cookie`, which is a list. */
  header(name: string): string | undefined;
}

/** The request that middlewares, `allowRequest` and applications see: an `IncomingMessage`, or a view with its members. */
export interface RequestView extends NodeJS.EventEmitter {
  method?: string | undefined;
  url?: string | undefined;
  headers: IncomingHttpHeaders;
  /** The parsed query. */
  _query?: Record<string, string>;
  /** Of a view: keeps working under another prototype. An application of Express gives it its own. */
  keepMembers?(): void;
  [property: string]: unknown;
}

/** The response that middlewares see: a `ServerResponse`, or a view with its members. */
export interface ResponseView extends NodeJS.EventEmitter {
  statusCode: number;
  readonly headersSent: boolean;
  readonly writableEnded: boolean;
  setHeader(name: string, value: number | string | readonly string[]): unknown;
  getHeader(name: string): number | string | string[] | undefined;
  removeHeader(name: string): void;
  writeHead(status: number, headers?: OutgoingHttpHeaders): unknown;
  end(body?: string | Uint8Array): unknown;
  /** As that of the request. */
  keepMembers?(): void;
}

/** A request that outlives its exchange: sessions keep it for `session.request`. The view is made on first use. */
export interface RequestSource {
  readonly head: RequestHead;
  readonly view: RequestView;
}

/** What a plain request and an upgrade request have in common. */
export interface Exchange {
  readonly request: RequestSource;
  /** The response for middlewares. For an upgrade: headers set on it go out with the 101. */
  readonly response: ResponseView;
  /** Whether it was answered, or the client has gone. Nothing can be sent any more. */
  readonly ended: boolean;
  /** Called once if the client goes away before the answer has left the host whole. */
  onAbort: (() => void) | undefined;
}

/** A host, as a server attaches to it. */
export interface Host {
  /** Hands everything that the host receives to the target. Called once. */
  bind(target: HostTarget): void;
  /** Ends connections that no request needs. All sessions have been closed; the host goes on listening. */
  close?(): void;
  /** Drops the connections that delay the end of a closing server, except for requests of the application. */
  cut?(): void;
}

/** How long a closing server waits for the last answers and close frames, in ms. */
export const CLOSE_GRACE = 1000;

/** How long a client may take nothing of an answer that is under way before its connection is dropped, in ms. */
export const STALL_TIMEOUT = 30_000;

export type BodyError = "too large" | "aborted";

/** One HTTP request, to be answered once. */
export interface HttpExchange extends Exchange {
  /** Reads the body, at most `limit` bytes of it. Calls back once; the bytes may be gone after that call. */
  readBody(limit: number, done: (error: BodyError | undefined, body: Buffer) => void): void;
  /**
   * Answers in one write. Headers set on `response` go out too. `Connection: close` closes the connection behind it. Does nothing
   * once ended.
   */
  respond(status: number, headers: OutgoingHttpHeaders, body?: string | Buffer): void;
  /** Drops the connection. */
  destroy(): void;
}

/** One WebSocket upgrade request, to be accepted or rejected once. */
export interface UpgradeExchange extends Exchange {
  /** Whether it lacks what a WebSocket handshake must have; it can only be rejected then. */
  readonly malformed: boolean;
  /** Fixes the head, and gives the headers that middlewares have set, for the 101. */
  commitHeaders(): OutgoingHttpHeaders;
  /** Completes the upgrade with these headers and no others. `open` is called with the port, unless the client has gone. */
  accept(headers: OutgoingHttpHeaders, open: (port: WebSocketPort) => WebSocketHandlers): void;
  /** Answers with a plain HTTP error and closes the connection. */
  reject(status: number, body: string): void;
}

/** The way down to one open WebSocket. */
export interface WebSocketPort {
  readonly remoteAddress: string;
  /** The host's own object, for `transport.socket`. */
  readonly socket: unknown;
  /**
   * Whether the host gathers what is sent from `onMessage` until `onReadEnd` has returned, so that an answer costs no system
   * call of its own.
   */
  readonly corksReads: boolean;
  /** Bytes accepted by `send` that the kernel has not taken yet. */
  readonly bufferedAmount: number;
  /** Whether `send` copies the bytes that it does not write at once. */
  readonly copies: boolean;
  /**
   * Sends one frame, text or binary. Never drops: what the kernel does not take is buffered.
   *
   * @param packet - what the frame is made of: the same object where several receivers get the same frame
   */
  send(data: string | Buffer, binary: boolean, compress: boolean, packet: object): void;
  /** Runs `batch.write()`; the frames it sends leave in one system call. */
  cork(batch: { write(): void }): void;
  /**
   * Stops reading, so that the client has to wait, until `resume()`. What was read already still comes.
   *
   * @returns false on a host that cannot
   */
  pause(): boolean;
  resume(): void;
  /** Starts the closing handshake, after what is buffered. */
  close(code?: number, reason?: string): void;
  /** Drops the connection. */
  terminate(): void;
}

/** Why a WebSocket has failed: by a message larger than `maxPayload`, by a client that breaks the protocol, or below it. */
export type WebSocketErrorKind = "too large" | "protocol" | "socket";

/** What a host calls on the owner of a WebSocket, synchronously from its own callbacks. */
export interface WebSocketHandlers {
  /** Text as string, binary as a Buffer of its own. */
  onMessage(data: string | Buffer): void;
  /** What was received together has been handed over: one message or several. */
  onReadEnd(): void;
  /** The host has answered a control frame of the client by itself, with that many bytes. */
  onAnswered(bytes: number): void;
  /** `bufferedAmount` has fallen back to 0. */
  onDrain(): void;
  /** `onClose` follows. */
  onError(kind: WebSocketErrorKind, error: Error): void;
  /** Exactly once, last. 1006 where there was no closing handshake. */
  onClose(code: number, reason: string): void;
}

/** The headers that are read of every plain request. */
export const READ_HEADERS = ["origin", "content-type", "user-agent", "accept-encoding"] as const;

/** Who answers what a host receives. */
export interface HostTarget {
  /** Largest message or body in bytes. */
  readonly maxPayload: number;
  /**
   * Whether anybody may look at a plain request in full. Otherwise the host need not copy more of its head than method, URL
   * and {@link READ_HEADERS}.
   */
  needsWholeHead(url: string): boolean;
  onRequest(exchange: HttpExchange): void;
  onUpgrade(exchange: UpgradeExchange): void;
}

/** The part of `http.Server` that both hosts offer as `httpServer`. */
export interface HttpServerLike extends NodeJS.EventEmitter {
  readonly listening: boolean;
  address(): { address: string; family: string; port: number } | string | null;
  close(callback?: (error?: Error) => void): unknown;
  closeIdleConnections?(): void;
}
