/**
 * The contract of a host, which owns sockets and speaks HTTP and WebSocket framing. uWebSockets.js, node:http and memory are
 * peers behind it: nothing above knows which one it runs on, and a host knows nothing of Engine.IO.
 */
import type { IncomingHttpHeaders, IncomingMessage, OutgoingHttpHeaders, ServerResponse } from "node:http";
import type { AnswerHead } from "./answer-head.ts";

/** The headers that the engine reads of plain requests, such as polls. A host need not copy others unless it must. */
export const PLAIN_HEADERS = ["origin", "content-type", "user-agent", "accept-encoding"] as const;

export type PlainHeader = (typeof PLAIN_HEADERS)[number];

/** A request as data, copied out of the host before anything asynchronous happens. */
export interface RequestHead {
  /** In capitals. */
  readonly method: string;
  /** Path and query, as on the request line. */
  readonly url: string;
  /** Lower-case names; repeated headers are joined as Node joins them. A host may create the record on first use. */
  readonly headers: IncomingHttpHeaders;
  /** As Node writes it: `127.0.0.1`, `::ffff:127.0.0.1`, `2001:db8::1`. */
  readonly remoteAddress: string;
  /** Whether it came over TLS. */
  readonly secure: boolean;
  /** Returns one header, without the record of all. */
  header(name: PlainHeader): string | undefined;
}

/** A head with all its headers. */
export interface WholeHead extends RequestHead {
  /** @param name - in lower case; not `set-cookie`, which is a list */
  header(name: string): string | undefined;
}

/** A request that outlives its exchange: sessions keep it for `session.request`. */
export interface RequestSource {
  readonly head: RequestHead;
  /** The request that middlewares, `allowRequest` and applications see. Hosts may create it on first use. */
  readonly message: IncomingMessage;
}

/** A request that is answered once: the common part of plain requests and upgrades. */
export interface Exchange {
  readonly request: RequestSource;
  /** The response for middlewares. For an upgrade: headers set on it go out with the 101. */
  readonly response: ServerResponse;
  /** Whether it was answered or the client has gone: nothing can be sent any more. */
  readonly ended: boolean;
  /** Called once if the client goes away before the whole answer has left the host. */
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

/** How long a client may read nothing of an answer before its connection is dropped, in ms. */
export const STALL_TIMEOUT = 30_000;

export type BodyError = "too large" | "aborted";

/** One HTTP request, to be answered once. */
export interface HttpExchange extends Exchange {
  /** Reads a body of at most `limit` bytes. Calls back once; the bytes may be gone when the callback returns. */
  readBody(limit: number, done: (error: BodyError | undefined, body: Buffer) => void): void;
  /**
   * Answers in one write, with the headers that were set on `response`. `Connection: close` closes the connection afterwards.
   * Does nothing once ended.
   */
  respond(status: number, headers: OutgoingHttpHeaders, body?: string | Buffer): void;
  /** The same as `respond(200, head.headers(length), body)`, without the cost of headers that must be checked and formatted. */
  answer(head: AnswerHead, body: string | Buffer): void;
  /** What the answer travels on, if another process passes it on to the client. Once that is closed, nobody knows whether it did. */
  readonly carrier: { readonly isOpen: boolean } | undefined;
  /** Drops the connection. */
  destroy(): void;
}

/** One WebSocket upgrade request, to be accepted or rejected once. */
export interface UpgradeExchange extends Exchange {
  /** Whether it is not a valid WebSocket handshake and can only be rejected. */
  readonly malformed: boolean;
  /** Whether `accept` may be called now; otherwise `prepare` comes first. */
  readonly isReady: boolean;
  /**
   * Makes sure that `accept` may be called later. Calls back when it may: at once, or later unless the exchange has ended. For
   * whoever accepts, or may accept, after `onUpgrade` has returned.
   */
  prepare(callback: () => void): void;
  /** Ends the time in which middlewares may set headers, and returns those they have set, for the 101. */
  commitHeaders(): OutgoingHttpHeaders;
  /** Completes the upgrade with exactly these headers. `open` is called with the port, unless the client has gone. */
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
   * Whether frames that are sent between `onMessage` and the return of `onReadEnd` leave together, so that an answer costs no
   * system call of its own.
   */
  readonly corksReads: boolean;
  /** Bytes accepted by `send` that the kernel has not accepted yet. */
  readonly bufferedAmount: number;
  /** Whether `send` copies bytes that it does not write immediately. */
  readonly copies: boolean;
  /**
   * Sends one frame, text or binary. Never drops one: bytes that the kernel does not accept are buffered.
   *
   * @param packet - identifies the frame: the same object for all receivers of the same frame
   * @returns whether `bufferedAmount` is known to be 0, so that nobody has to ask. Says nothing of frames in a cork
   */
  send(data: string | Buffer, binary: boolean, compress: boolean, packet: object): boolean;
  /** Runs `batch.write()`; the frames it sends leave in one system call. */
  cork(batch: { write(): void }): void;
  /**
   * Stops reading until `resume()`, so that the client has to wait. Messages that were read before still arrive.
   *
   * @returns false on a host that cannot pause
   */
  pause(): boolean;
  resume(): void;
  /** Starts the closing handshake, after the buffered frames. */
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
  /**
   * Takes messages as bytes, text too, where the host has them as such; all others come to `onMessage`. Only for who passes them on:
   * the bytes are gone when it returns.
   */
  onBytes?(data: Uint8Array, isBinary: boolean): void;
  /** All messages that were received together have been handed over. */
  onReadEnd(): void;
  /** The host itself has answered a control frame of the client, with this many bytes. */
  onAnswered(bytes: number): void;
  /** `bufferedAmount` has fallen back to 0. */
  onDrain(): void;
  /** `onClose` follows. */
  onError(kind: WebSocketErrorKind, error: Error): void;
  /** Exactly once, last. 1006 where there was no closing handshake. */
  onClose(code: number, reason: string): void;
}

/** Who answers the requests that a host receives. */
export interface HostTarget {
  /** Largest message or body in bytes. */
  readonly maxPayload: number;
  /**
   * Whether anybody may look at all headers of a plain request. Otherwise the host may copy only the method, the URL and
   * {@link PLAIN_HEADERS}.
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
  /** Accepts no more connections. Servers of Node can only close, once the connections that are open have ended. */
  stopListening?(): void;
}
