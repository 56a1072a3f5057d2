import { Deadline } from "@tidewire/engine";
import type { Clock } from "@tidewire/engine";
import { createDecoder, PacketType } from "@tidewire/parser";
import type { Binary, ChunkDecoder, Packet, Parser } from "@tidewire/parser";
import createDebug from "debug";
import type { IncomingMessage } from "node:http";
import { ClientSockets } from "./connection/client-sockets.ts";
import type {
  Connection,
  ConnectionListener,
  ConnectionPort,
  EncodedPacket,
  WriteOptions,
} from "./connection/port.ts";
import { dialectOf } from "./connection/dialect.ts";
import type { Auth, ConnectTarget, Dialect } from "./connection/dialect.ts";
import { rethrowLater } from "./errors.ts";
import { openPort } from "./connection/open-port.ts";
import { badPacket, misplacedPacket, SocketPacketError } from "./connection/packet-errors.ts";
import type { DisconnectReason } from "./reasons.ts";
import { ReplacedError } from "./recovery/replaced-error.ts";
import type { ErrorOrigin, UserCode } from "./events/user-code.ts";

const debug = createDebug("socket.io:client");

// Exports of other packages are got through accessors: not for each packet.
const { CONNECT, CONNECT_ERROR } = PacketType;

/** What a connection needs of the sockets that share it. */
export interface ClientSocket {
  readonly id: string;
  readonly nsp: { readonly name: string };
  _onpacket(packet: Packet): void;
  _onerror(error: Error): void;
  _onclose(reason: DisconnectReason, description?: unknown): unknown;
  disconnect(close?: boolean): unknown;
}

/** What a connection needs of a namespace. */
export interface ClientNamespace {
  readonly name: string;
  _add(client: Client, auth: Auth, accepted: (socket: ClientSocket) => void): Promise<void> | void;
}

/** What a connection needs of the server. */
export interface ClientServer {
  readonly _nsps: ReadonlyMap<string, unknown>;
  readonly _parser: Parser;
  readonly encoder: { encode(packet: Packet): unknown[] };
  /** in ms */
  readonly _connectTimeout: number;
  readonly _clock: Clock;
  readonly _userCode: UserCode;
  of(name: string): ClientNamespace;
  _checkNamespace(name: string, auth: Auth, decided: (nsp: object | false) => void): void;
}

/** Closes a connection that has joined no namespace in time. */
class JoinDeadline extends Deadline {
  private readonly client: { close(): void };

  constructor(client: { close(): void }) {
    super();
    this.client = client;
  }

  expire(): void {
    debug("no namespace joined yet, close the client");
    this.client.close();
  }
}

/** One connection and the sockets, one per namespace, that share it. */
export class Client extends ClientSockets<ClientSocket> implements ConnectionListener {
  readonly conn: Connection;
  readonly id: string;
  readonly server: ClientServer;
  readonly encoder: ClientServer["encoder"];
  readonly decoder: ChunkDecoder;
  /** @internal */
  readonly dialect: Dialect;
  /** runs until a namespace is joined */
  connectTimeout: Deadline | undefined = undefined;
  private port!: ConnectionPort;
  private destroyed = false;
  /** What the client did for which its connection is being closed. */
  private violation: SocketPacketError | undefined = undefined;
  /** Namespaces left within this turn: packets that had come with the cause of it are no violation. */
  private justLeft: Set<string> | undefined = undefined;

  constructor(server: ClientServer, conn: Connection) {
    super();
    this.server = server;
    this.conn = conn;
    this.id = conn.id;
    this.dialect = dialectOf(conn.protocol);
    this.encoder = server.encoder;
    this.decoder = createDecoder(server._parser, this);
    this.setup();
  }

  /** The request that opened the connection. */
  get request(): IncomingMessage {
    return this.conn.request;
  }

  /** Starts to listen to the connection. */
  private setup(): void {
    this.port = openPort(this.conn, this);
    this.connectTimeout = new JoinDeadline(this);
    this.server._clock.schedule(this.connectTimeout, this.server._connectTimeout);
  }

  private forgetDeadline(): void {
    if (this.connectTimeout === undefined) return;
    this.server._clock.cancel(this.connectTimeout);
    this.connectTimeout = undefined;
  }

  /** Asks to join a namespace, which may have to be created first. */
  connect(name: string, auth: Auth = {}): void {
    if (this.server._nsps.has(name)) {
      return this.doConnect(name, auth);
    }
    this.server._checkNamespace(name, auth, (nsp) => {
      if (nsp) {
        return this.doConnect(name, auth);
      }
      debug("creation of namespace %s was denied", name);
      this._packet({ type: PacketType.CONNECT_ERROR, nsp: name, data: { message: "Invalid namespace" } });
    });
  }

  /** Asks to join an existing namespace. */
  private doConnect(name: string, auth: Auth): void {
    const nsp = this.server.of(name);
    // A middleware that throws surfaces as an unhandled rejection, as on the official server.
    void nsp._add(this, auth, (socket) => {
      this.addSocket(socket);
      this.forgetDeadline();
    });
  }

  /** Leaves all namespaces and closes the connection. */
  _disconnect(): void {
    for (const socket of this.allSockets) {
      socket.disconnect();
    }
    this.forgetSockets();
    this.close();
  }

  /** Forgets a socket that has left its namespace. */
  _remove(socket: ClientSocket): void {
    if (this.removeSocket(socket)) {
      this.rememberLeaving(socket.nsp.name);
    }
  }

  private rememberLeaving(name: string): void {
    if (this.destroyed) return;
    if (this.justLeft === undefined) {
      this.justLeft = new Set();
      // Not by nextTick: on uWebSockets.js ticks run between the messages of one read.
      setImmediate(() => (this.justLeft = undefined));
    }
    this.justLeft.add(name);
  }

  /** Closes the connection under the sockets that still use it. */
  close(): void {
    this.closeFor("forced server close");
  }

  /** Ends a connection whose client has come back on another one, before the heartbeat finds it dead. */
  _replaced(): void {
    const { conn } = this;
    this.onclose("transport close", new ReplacedError());
    // Nothing can be sent to a client that is gone.
    conn.close(true);
  }

  private closeFor(reason: DisconnectReason): void {
    if (this.conn.readyState === "open") {
      this.conn.close();
      this.onclose(reason);
    }
  }

  /** Encodes a packet and writes it; nothing is written to a connection that is closing. */
  _packet(packet: Packet | unknown[], options: WriteOptions = {}): void {
    if (this.conn.readyState === "open") {
      // Adapters of old wrote encoded packets this way.
      const encoded = options.preEncoded ? (packet as unknown[]) : this.encoder.encode(packet as Packet);
      this.writeToEngine(encoded, options);
    }
  }

  /**
   * Writes an encoded packet. Adapters call it once per receiver, with the same array: what is made of the array is made
   * once.
   */
  writeToEngine(encodedPackets: EncodedPacket | string | Buffer, options: WriteOptions): void {
    this.port.write(this.conn, Array.isArray(encodedPackets) ? encodedPackets : [encodedPackets], options);
  }

  /** @internal */
  onMessage(data: string | Buffer): void {
    this.ondata(data);
  }

  /** @internal */
  onClose(reason: string, description?: unknown): void {
    this.onclose(reason, description);
  }

  /** Called with each message of the connection. */
  ondata(data: unknown): void {
    if (this.destroyed) return;
    try {
      this.decoder.add(data as string | Binary);
    } catch (error) {
      debug("invalid packet format");
      this.violation ??= badPacket(data, error);
      this.onerror(error as Error);
    }
  }

  /** Called with each whole packet. */
  ondecoded(packet: Packet): void {
    if (this.destroyed) return;
    const { type } = packet;
    const namespace = this.dialect.namespaceOf(packet);
    const socket = this.socketIn(namespace);
    const wantsIn = type === CONNECT;
    if (wantsIn && socket === undefined) {
      this.justLeft?.delete(namespace);
      this.tryConnect(namespace, this._parseNamespace(packet).authPayload);
    } else if (socket !== undefined && !wantsIn && type !== CONNECT_ERROR) {
      try {
        socket._onpacket(packet);
      } catch (error) {
        this.server._userCode.report(error, originOf(packet, socket));
      }
    } else if (wantsIn || this.justLeft?.has(namespace) !== true) {
      debug("invalid state (packet type: %s)", type);
      this.violation = misplacedPacket(packet, namespace, socket !== undefined);
      this.closeFor("forced close");
    }
  }

  private tryConnect(namespace: string, auth: Auth): void {
    try {
      this.connect(namespace, auth);
    } catch (error) {
      // As on the official server, it costs the connection.
      this.server._userCode.reportThrown(error, {
        source: "connection",
        event: undefined,
        socket: undefined,
      });
      this.violation = new SocketPacketError("CONNECT_FAILED", { kind: "CONNECT", namespace, cause: error });
      throw error;
    }
  }

  /** The namespace a packet is for, and the credentials if it is a CONNECT. */
  _parseNamespace(packet: Packet): ConnectTarget {
    return this.dialect.target(packet);
  }

  /** Called when the client has broken the protocol, or the connection has failed. */
  onerror(error: Error): void {
    for (const socket of this.allSockets) {
      try {
        socket._onerror(error);
      } catch (thrown) {
        rethrowLater(thrown);
      }
    }
    this.conn.close();
    // At once, also when something is still to be sent: one cause, one reason.
    if (this.violation !== undefined && !this.destroyed) this.onclose("forced close");
  }

  /** Called once when the connection is closed, by whomever. */
  onclose(reason: string, description: unknown = this.violation): void {
    this.destroy();
    for (const socket of this.allSockets) {
      try {
        socket._onclose(reason as DisconnectReason, description);
      } catch (error) {
        rethrowLater(error);
      }
    }
    this.forgetSockets();
    this.decoder.destroy();
  }

  /** Stops listening to the connection. */
  private destroy(): void {
    this.destroyed = true;
    this.port.release(this.conn);
    this.forgetDeadline();
  }
}

function originOf(packet: Packet, socket: ClientSocket): ErrorOrigin<ClientSocket> {
  const isEvent = packet.type === PacketType.EVENT || packet.type === PacketType.BINARY_EVENT;
  const event = isEvent && Array.isArray(packet.data) ? String(packet.data[0]) : undefined;
  return { source: isEvent ? "listener" : "acknowledgement", event, socket };
}
