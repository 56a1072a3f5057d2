import type { Message, Session } from "@tidewire/engine";
import type { Binary } from "@tidewire/parser";
import type { EventEmitter } from "node:events";
import type { IncomingMessage } from "node:http";
import type { Untyped } from "../events/typed-events.ts";

/** A Socket.IO packet as the parser has encoded it: its text, then its attachments. */
export type EncodedPacket = readonly unknown[];

/** How a packet is to be written. */
export interface WriteOptions {
  /** whether the transport may compress it; true by default */
  compress?: boolean | undefined;
  /** whether it is dropped if the connection cannot take it at once */
  volatile?: boolean | undefined;
  /** how it waits if the connection cannot take it at once; like any other by default */
  waits?: Waiting | undefined;
  /** whether it is already encoded, because it goes to several receivers */
  preEncoded?: boolean | undefined;
  /** its WebSocket frame, from adapters that create one */
  wsPreEncodedFrame?: unknown;
}

/** How a packet waits for a connection that cannot take it at once. */
export interface Waiting {
  /** Whether it may be lost: engines that cannot let it wait drop it. */
  readonly mayBeLost: boolean;
  /** Lets its messages wait. */
  queue(session: Session, messages: readonly Message[]): void;
}

/** The transport of a connection. */
export interface ConnectionTransport extends EventEmitter {
  /** `polling`, `websocket` or `webtransport` */
  readonly name: string;
  /** whether it can take a packet at once */
  readonly writable: boolean;
}

/**
 * A connection of an engine: a `Session` of `@tidewire/engine`, a `Socket` of `engine.io`, or an object like them.
 *
 * @example
 * socket.conn.send("a message of Engine.IO");
 * socket.conn.write("the same");
 * socket.conn.close();
 */
export interface Connection extends EventEmitter {
  readonly id: string;
  /** revision of the Engine.IO protocol: 3 or 4 */
  readonly protocol: number;
  readonly readyState: string;
  readonly remoteAddress: string;
  readonly transport: ConnectionTransport;
  /** whether another transport is being probed */
  readonly upgrading: boolean;
  /** whether the transport has been changed */
  readonly upgraded: boolean;
  /** the packets that wait to be sent */
  readonly writeBuffer: unknown[];
  /** bytes that have not left yet; not every engine counts them */
  readonly bufferedAmount?: number;
  /** the request that opened the connection; gone once the application has removed it */
  request: IncomingMessage;
  /** the source from which the engine creates the request; undefined once the application has replaced or removed it */
  readonly requestSource?: object | undefined;
  send(data: Untyped, options?: WriteOptions, callback?: (transport: Untyped) => void): unknown;
  write(data: Untyped, options?: WriteOptions, callback?: (transport: Untyped) => void): unknown;
  close(discard?: boolean): void;
}

/** What a connection calls. */
export interface ConnectionListener {
  onMessage(data: string | Binary): void;
  /** Called where an engine reports an error before it closes the connection; sessions of `@tidewire/engine` close only. */
  onError(error: Error): void;
  /** Called once. */
  onClose(reason: string, description?: unknown): void;
}

/** The way from a client to its connection. */
export interface ConnectionPort<Conn extends Connection = Connection> {
  /** Writes one packet. Returns false if it is dropped, because the connection cannot take it at once. */
  write(conn: Conn, packet: EncodedPacket, options: WriteOptions): boolean;
  /** Stops calling the listener. */
  release(conn: Conn): void;
}

/** An engine as `io.bind()` takes it: it emits `connection` for each new connection. */
export interface BindableEngine {
  on(event: "connection", listener: (conn: Untyped) => void): unknown;
  close(): unknown;
}
