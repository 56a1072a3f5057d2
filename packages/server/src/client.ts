import { internals } from "@tidewire/engine";
import type { Session } from "@tidewire/engine";
import { PacketType } from "@tidewire/parser";
import type { Binary, ChunkDecoder, Packet } from "@tidewire/parser";
import createDebug from "debug";
import type { IncomingMessage } from "node:http";
import { ConnectAttempt, ConnectAttempts, MAX_EARLY_PACKETS } from "./connection/connect-attempts.ts";
import type {
  Connection,
  ConnectionListener,
  ConnectionPort,
  EncodedPacket,
  WriteOptions,
} from "./connection/port.ts";
import { dialectOf } from "./connection/dialect.ts";
import type { Auth, ConnectTarget, Dialect } from "./connection/dialect.ts";
import { rethrow } from "./errors.ts";
import { directPort } from "./connection/session-port.ts";
import { openPort } from "./connection/open-port.ts";
import { badPacket, misplacedPacket, SocketPacketError } from "./connection/packet-errors.ts";
import { SocketMaps } from "./connection/socket-maps.ts";
import type { Decoders, RateCode, RatedReceiver } from "./limits/decoders.ts";
import { LimitError } from "./limits/errors.ts";
import type { LimitErrorCode } from "./limits/errors.ts";
import type { ResolvedLimits } from "./limits/options.ts";
import type { ResolvedRate } from "./limits/rates.ts";
import type { ServerRefusal } from "./limits/report.ts";
import type { DisconnectReason } from "./reasons.ts";
import { ReplacedError } from "./recovery/replaced-error.ts";
import type { ErrorOrigin, UserCode } from "./events/user-code.ts";
import { setImmediate } from "./timers.ts";

const debug = createDebug("socket.io:client");
const { SessionAudience } = internals;

// Read once, because exports of other packages are accessors.
const { ACK, BINARY_ACK, CONNECT, CONNECT_ERROR } = PacketType;

/** A socket, as its connection uses it. */
export interface ClientSocket {
  readonly id: string;
  readonly nsp: { readonly name: string };
  readonly connected: boolean;
  _onpacket(packet: Packet): void;
  _onerror(error: Error): void;
  _refuseEvent(packet: Packet, error: LimitError): void;
  _onclose(reason: DisconnectReason, description?: unknown): unknown;
  disconnect(close?: boolean): unknown;
}

/** A namespace, as a connection uses it. */
export interface ClientNamespace {
  readonly name: string;
  /** How many clients are about to get a socket. */
  _arriving: number;
  _add(client: Client, auth: Auth, attempt: ConnectAttempt): Promise<void> | void;
}

/** The server, as a connection uses it. */
export interface ClientServer {
  readonly _nsps: ReadonlyMap<string, ClientNamespace>;
  readonly _limits: Pick<ResolvedLimits, "namespaces" | "namespacesPerConnection">;
  readonly _decoders: Decoders;
  readonly _limitMonitor: Pick<internals.LimitMonitor<ServerRefusal>, "exceeded">;
  readonly encoder: { encode(packet: Packet): unknown[] };
  /** in ms */
  readonly _connectTimeout: number;
  readonly _clock: internals.Clock;
  readonly _counters: { deliveries: number };
  readonly _userCode: UserCode;
  readonly _checkedEvents:
    | {
        finish(sockets: readonly ClientSocket[], done: () => void): boolean;
        rejoin(socket: ClientSocket, join: () => void): boolean;
      }
    | undefined;
  _checkNamespace(
    name: string,
    auth: Auth,
    decided: (nsp: ClientNamespace | false | "exhausted") => void,
    isWanted: () => boolean,
  ): void;
}

/**
 * One connection and the sockets that share it, one per namespace. The type parameters have no effect; applications may write
 * those of the official class.
 */
export class Client<
  _ListenEvents = unknown,
  _EmitEvents = unknown,
  _ServerSideEvents = unknown,
  _SocketData = unknown,
>
  implements ConnectionListener, RatedReceiver
{
  readonly conn: Connection;
  readonly server: ClientServer;
  readonly decoder: ChunkDecoder;
  /** @internal */
  readonly dialect: Dialect;
  /** runs until the client has joined a namespace */
  connectTimeout: internals.Timeout | undefined = undefined;
  private port!: ConnectionPort;
  /** The socket of a client that has one. The maps are created for a second, or for an application that looks at them. */
  private joined: ClientSocket | SocketMaps<ClientSocket> | undefined = undefined;
  private destroyed = false;
  /** The violation of the protocol for which the connection is being closed. */
  private violation: SocketPacketError | undefined = undefined;
  /** Namespaces left within this turn, for which packets that arrived with the cause are not a violation. */
  private justLeft: Set<string> | undefined = undefined;
  /** The CONNECTs that are being decided, if any. */
  private attempts: ConnectAttempts | undefined = undefined;

  constructor(server: ClientServer, conn: Connection) {
    this.server = server;
    this.conn = conn;
    this.dialect = dialectOf(conn.protocol);
    this.decoder = server._decoders.create(this);
    this.setup();
  }

  get id(): string {
    return this.conn.id;
  }

  get encoder(): ClientServer["encoder"] {
    return this.server.encoder;
  }

  /** The request that opened the connection. */
  get request(): IncomingMessage {
    return this.conn.request;
  }

  /** The sockets of the connection, by id. */
  get sockets(): Map<string, ClientSocket> {
    return this.createMaps().byId;
  }

  /** The sockets of the connection, by the name of their namespace. */
  get nsps(): Map<string, ClientSocket> {
    return this.createMaps().byNamespace;
  }

  private createMaps(): SocketMaps<ClientSocket> {
    const { joined } = this;
    if (joined instanceof SocketMaps) return joined;
    const maps = new SocketMaps<ClientSocket>();
    if (joined !== undefined) maps.add(joined);
    this.joined = maps;
    return maps;
  }

  private addSocket(socket: ClientSocket): void {
    if (this.joined === undefined) {
      this.joined = socket;
    } else {
      this.createMaps().add(socket);
      this._leaveAudiences();
    }
  }

  private removeSocket(socket: ClientSocket): boolean {
    const { joined } = this;
    if (joined instanceof SocketMaps) return joined.remove(socket);
    if (joined !== socket) return false;
    this.joined = undefined;
    return true;
  }

  private socketIn(namespace: string): ClientSocket | undefined {
    const { joined } = this;
    if (joined instanceof SocketMaps) return joined.byNamespace.get(namespace);
    return joined?.nsp.name === namespace ? joined : undefined;
  }

  /** @internal A copy, because the sockets are removed while it is read. */
  get _allSockets(): ClientSocket[] {
    const { joined } = this;
    if (joined instanceof SocketMaps) return [...joined.byId.values()];
    return joined === undefined ? [] : [joined];
  }

  private forgetSockets(): void {
    if (this.joined instanceof SocketMaps) this.joined.byId.clear();
    else this.joined = undefined;
  }

  /** Starts to listen to the connection. */
  private setup(): void {
    this.port = openPort(this.conn, this);
    this.connectTimeout = new internals.Timeout(() => {
      debug("no namespace joined yet, close the client");
      this.close();
    });
    this.server._clock.schedule(this.connectTimeout, this.server._connectTimeout);
  }

  private forgetDeadline(): void {
    if (this.connectTimeout === undefined) return;
    this.server._clock.cancel(this.connectTimeout);
    this.connectTimeout = undefined;
  }

  /** Handles the request to join a namespace, which may have to be created first. */
  connect(name: string, auth: Auth = {}): void {
    const { readyState } = this.conn;
    // Nothing would end the attempt.
    if (this.destroyed || readyState === "closing" || readyState === "closed") return;
    if (this.hasTooMany(name)) {
      this.refuseFor("TOO_MANY_NAMESPACES", name, this.server._limits.namespacesPerConnection);
      return;
    }
    const attempt = new ConnectAttempt(name);
    this.attempts ??= new ConnectAttempts();
    const existing = this.server._nsps.get(name);
    if (existing !== undefined) {
      return this.doConnect(existing, auth, attempt);
    }
    this.attempts.begin(attempt);
    const decided = (nsp: ClientNamespace | false | "exhausted"): void => {
      if (!attempt.isWanted) return;
      if (typeof nsp === "object") return this.doConnect(nsp, auth, attempt);
      this._refuse(attempt);
      if (nsp === "exhausted") {
        this.refuseFor("NAMESPACES_EXHAUSTED", name, this.server._limits.namespaces);
        return;
      }
      debug("creation of namespace %s was denied", name);
      this._packet({ type: PacketType.CONNECT_ERROR, nsp: name, data: { message: "Invalid namespace" } });
    };
    this.server._checkNamespace(name, auth, decided, () => attempt.isWanted);
  }

  /** Whether the connection may not join one more namespace. */
  private hasTooMany(name: string): boolean {
    const { joined } = this;
    const count = joined instanceof SocketMaps ? joined.byId.size : Number(joined !== undefined);
    const joining = this.attempts?.undecided ?? 0;
    return (
      count + joining >= this.server._limits.namespacesPerConnection &&
      // A second CONNECT replaces the first.
      this.attempts?.get(name) === undefined
    );
  }

  /** Refuses a CONNECT that a limit does not allow. */
  private refuseFor(code: LimitErrorCode, namespace: string, limit: number): void {
    debug("%s: %s", code, namespace);
    this.rememberLeaving(namespace);
    const data = this.dialect.refusal(new LimitError(code, limit));
    this._packet({ type: PacketType.CONNECT_ERROR, nsp: namespace, data });
    this.server._limitMonitor.exceeded({ code, limit, namespace, conn: this.conn });
  }

  /** Handles the request to join an existing namespace. */
  private doConnect(nsp: ClientNamespace, auth: Auth, attempt: ConnectAttempt): void {
    // Keeps a child namespace that would otherwise be removed with the socket that this one replaces.
    nsp._arriving++;
    try {
      this.attempts?.begin(attempt);
      // A middleware that throws surfaces as an unhandled rejection, as on the official server.
      void nsp._add(this, auth, attempt);
    } finally {
      nsp._arriving--;
    }
  }

  /** Called with each socket that may join, before its listeners are called: a close from here on closes it too. */
  _accept(attempt: ConnectAttempt, socket: ClientSocket): void {
    attempt.socket = undefined;
    this.addSocket(socket);
    this.forgetDeadline();
  }

  /** Called when `connection` listeners have returned promises: events wait until {@link _welcome}. */
  _holdEvents(attempt: ConnectAttempt): void {
    this.attempts?.holdJoined(attempt);
  }

  /** Called after the `connection` listeners: passes the packets that arrived too early to the socket. */
  _welcome(attempt: ConnectAttempt, socket: ClientSocket): void {
    const { packets } = attempt;
    // Counts up, because a listener may cause more packets.
    for (let i = 0; i < packets.length && socket.connected; i++) this.passOn(packets[i]!, socket);
    this.endAttempt(attempt);
  }

  /** Called when the client may not join: drops the packets that arrived too early, and those that arrive within this turn. */
  _refuse(attempt: ConnectAttempt): void {
    debug("%d packets for %s are dropped: it is not joined", attempt.packets.length, attempt.name);
    this.endAttempt(attempt);
    this.rememberLeaving(attempt.name);
  }

  private endAttempt(attempt: ConnectAttempt): void {
    this.attempts?.end(attempt);
    if (this.attempts?.size === 0) this.attempts = undefined;
  }

  /** Leaves all namespaces and closes the connection. */
  _disconnect(): void {
    for (const socket of this._allSockets) {
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
      // Not with nextTick, because on uWebSockets.js ticks run between the messages of one read.
      setImmediate(() => (this.justLeft = undefined));
    }
    this.justLeft.add(name);
  }

  /** Closes the connection and the sockets that still use it. */
  close(): void {
    this.closeFor("forced server close");
  }

  /** Ends a connection whose client has come back on another one before the heartbeat found this one dead. */
  _replaced(): void {
    const { conn } = this;
    this.end("transport close", new ReplacedError());
    // Nothing can be sent to a client that is gone.
    conn.close(true);
  }

  private closeFor(reason: DisconnectReason): void {
    if (this.conn.readyState === "open") {
      this.conn.close();
      this.end(reason);
    }
  }

  /** Encodes a packet and writes it, unless the connection is closing. */
  _packet(packet: Packet | unknown[], options: WriteOptions = {}): void {
    if (this.conn.readyState === "open") {
      // Older adapters write encoded packets this way.
      const encoded = options.preEncoded ? (packet as unknown[]) : this.encoder.encode(packet as Packet);
      this.writeToEngine(encoded, options);
    }
  }

  /** Writes an encoded packet. Adapters call it for each receiver of a broadcast, with the same array and options. */
  writeToEngine(encodedPackets: EncodedPacket | string | Buffer, options: WriteOptions): void {
    const parts = Array.isArray(encodedPackets) ? encodedPackets : [encodedPackets];
    const isTaken = this.port.write(this.conn, parts, options);
    if (isTaken && options.preEncoded) this.server._counters.deliveries++;
  }

  /** The session, if broadcasts may reach it as part of an audience, and nobody has put a method of their own in between. */
  get _session(): Session | undefined {
    if (this.port !== directPort || this.writeToEngine !== Client.prototype.writeToEngine) return undefined;
    const session = this.conn as unknown as Session;
    return SessionAudience.accepts(session) ? session : undefined;
  }

  get _hasOneSocket(): boolean {
    return this.joined !== undefined && !(this.joined instanceof SocketMaps);
  }

  /** What was true when an audience was made no longer is. */
  _leaveAudiences(): void {
    if (this.port === directPort) SessionAudience.invalidate(this.conn as unknown as Session);
  }

  /** @internal Called with each message of the connection. */
  onMessage(data: string | Binary): void {
    if (this.destroyed) return;
    this.attempts?.receive(sizeOf(data));
    try {
      const packet = this.decoder.add(data);
      if (packet !== undefined) this.ondecoded(packet);
    } catch (error) {
      debug("invalid packet format");
      this.violation ??= badPacket(data, error);
      const { parseCode: code, limit } = this.violation;
      if (code === "TOO_MANY_ATTACHMENTS" && limit !== undefined) {
        this.server._limitMonitor.exceeded({ code, limit, conn: this.conn });
      }
      this.onError(error as Error);
    }
  }

  /** Called with each complete packet; decoders of other parsers call it too. */
  ondecoded(packet: Packet): void {
    if (this.destroyed) return;
    const { type } = packet;
    const namespace = this.dialect.namespaceOf(packet);
    if (this.attempts !== undefined && this.holds(this.attempts, packet, namespace)) return;
    const socket = this.socketIn(namespace);
    const wantsIn = type === CONNECT;
    if (wantsIn && socket !== undefined && this.joinsLater(socket, packet)) return;
    if (wantsIn && socket === undefined) {
      this.justLeft?.delete(namespace);
      this.tryConnect(namespace, this._parseNamespace(packet).authPayload);
    } else if (socket !== undefined && !wantsIn && type !== CONNECT_ERROR) {
      this.passOn(packet, socket);
    } else if (wantsIn || this.justLeft?.has(namespace) !== true) {
      debug("invalid state (packet type: %s)", type);
      this.violation = misplacedPacket(packet, namespace, socket !== undefined);
      this.closeFor("forced close");
    }
  }

  /** Whether the client has told the socket to leave, which it is about to do: then the CONNECT waits for that. */
  private joinsLater(socket: ClientSocket, packet: Packet): boolean {
    const rejoin = (): void => {
      try {
        this.ondecoded(packet);
      } catch (error) {
        this.onError(error as Error);
      }
    };
    return this.server._checkedEvents?.rejoin(socket, rejoin) === true;
  }

  /** Called with each packet whose attachments are still to come, so that none are held for a packet that is not allowed. */
  onannounced(packet: Packet): void {
    const namespace = this.dialect.namespaceOf(packet);
    const isExpected =
      this.socketIn(namespace) !== undefined ||
      this.attempts?.get(namespace) !== undefined ||
      this.justLeft?.has(namespace) === true;
    if (this.destroyed || isExpected) return;
    this.violation = misplacedPacket(packet, namespace, false);
    this.closeFor("forced close");
  }

  /** @internal Called with each packet beyond a rate, which is not passed on. */
  _onOverRate(packet: Packet, code: RateCode, { rate: limit, over }: ResolvedRate): void {
    if (this.destroyed) return;
    const namespace = this.dialect.namespaceOf(packet);
    this.server._limitMonitor.exceeded({ code, limit, namespace, conn: this.conn });
    if (over === "disconnect") {
      this.violation = new SocketPacketError(code, { kind: PacketType[packet.type], namespace, limit });
      this.closeFor("forced close");
    } else if (over === "error") {
      this.socketIn(namespace)?._refuseEvent(packet, new LimitError(code, limit));
    }
  }

  private passOn(packet: Packet, socket: ClientSocket): void {
    try {
      socket._onpacket(packet);
    } catch (error) {
      this.server._userCode.report(error, originOf(packet, socket));
    }
  }

  /** Whether the packet has to wait for the decision about its namespace. */
  private holds(attempts: ConnectAttempts, packet: Packet, namespace: string): boolean {
    const bytes = attempts.takeSize();
    const attempt = attempts.get(namespace);
    if (attempt === undefined || packet.type === CONNECT || packet.type === CONNECT_ERROR) return false;
    // The listener may wait for this answer.
    if (attempt.isJoined && (packet.type === ACK || packet.type === BINARY_ACK)) return false;
    if (!attempts.hold(attempt, packet, bytes)) {
      const kind = PacketType[packet.type];
      this.violation = new SocketPacketError("TOO_MANY_EARLY_PACKETS", {
        kind,
        namespace,
        limit: MAX_EARLY_PACKETS,
      });
      this.closeFor("forced close");
    }
    return true;
  }

  private tryConnect(namespace: string, auth: Auth): void {
    try {
      this.connect(namespace, auth);
    } catch (error) {
      // Closes the connection, as on the official server.
      this.server._userCode.reportThrown(error, {
        source: "connection",
        event: undefined,
        socket: undefined,
      });
      this.violation = new SocketPacketError("CONNECT_FAILED", { kind: "CONNECT", namespace, cause: error });
      throw error;
    }
  }

  /** Returns the namespace that a packet is for, and the credentials of a CONNECT. */
  _parseNamespace(packet: Packet): ConnectTarget {
    return this.dialect.target(packet);
  }

  /** @internal Called when the client has broken the protocol, or the connection has failed. */
  onError(error: Error): void {
    for (const socket of this._allSockets) {
      try {
        socket._onerror(error);
      } catch (thrown) {
        rethrow(thrown);
      }
    }
    this.conn.close();
    // At once, even if packets wait to be sent, so that the reason is that of the violation.
    if (this.violation !== undefined && !this.destroyed) this.end("forced close");
  }

  /** @internal Called once when the connection is closed, by either side. */
  onClose(reason: string, description: unknown = this.violation): void {
    const end = (): void => this.end(reason, description);
    // What a client sent before it left is still handled.
    const isLater =
      reason !== "forced close" && this.server._checkedEvents?.finish(this._allSockets, end) === true;
    if (!isLater) end();
  }

  /** Closes the sockets: nothing can be sent any more. */
  private end(reason: string, description: unknown = this.violation): void {
    this.destroy();
    for (const socket of this._allSockets) {
      try {
        socket._onclose(reason as DisconnectReason, description);
      } catch (error) {
        rethrow(error);
      }
    }
    this.forgetSockets();
    this.attempts?.endAll();
    this.attempts = undefined;
    this.decoder.destroy();
  }

  /** Stops listening to the connection. */
  private destroy(): void {
    this.destroyed = true;
    this.port.release(this.conn);
    this.forgetDeadline();
  }

  // The handlers under their official names.

  /** Takes a message as if it had come from the connection. */
  ondata(data: string | Binary): void {
    this.onMessage(data);
  }

  /** Closes the connection as after this error. */
  onerror(error: Error): void {
    this.onError(error);
  }

  /** Closes the sockets as after the end of the connection. */
  onclose(reason: string, description?: unknown): void {
    this.onClose(reason, description);
  }
}

function sizeOf(data: string | Binary): number {
  return typeof data === "string" ? data.length : data.byteLength;
}

function originOf(packet: Packet, socket: ClientSocket): ErrorOrigin<ClientSocket> {
  const isEvent = packet.type === PacketType.EVENT || packet.type === PacketType.BINARY_EVENT;
  const event = isEvent && Array.isArray(packet.data) ? String(packet.data[0]) : undefined;
  return { source: isEvent ? "listener" : "acknowledgement", event, socket };
}
