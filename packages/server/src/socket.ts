import { PacketType } from "@tidewire/parser";
import type { Packet } from "@tidewire/parser";
import createDebug from "debug";
import type { IncomingMessage } from "node:http";
import type { Adapter, SocketId } from "socket.io-adapter";
import type { Client } from "./client.ts";
import type { Connection } from "./connection/port.ts";
import { rethrowLater } from "./errors.ts";
import { Arrival } from "./connection/handshake.ts";
import type { Handshake } from "./connection/handshake.ts";
import { generateId } from "./ids.ts";
import type { Namespace } from "./namespace.ts";
import { recoverableReasons } from "./reasons.ts";
import type { DisconnectReason } from "./reasons.ts";
import type { Server } from "./server.ts";
import type { RestoredSession } from "./recovery/sessions.ts";
import { persistSession } from "./recovery/store.ts";
import { ReceivingSocket } from "./socket-receiving.ts";
import type { Callable } from "./events/user-code.ts";
import type {
  DecorateAcknowledgements,
  DefaultEventsMap,
  EventsMap,
  Untyped,
} from "./events/typed-events.ts";

const debug = createDebug("socket.io:socket");

// Exports of other packages are got through accessors: not for each packet.
const { CONNECT, DISCONNECT, EVENT, ACK, CONNECT_ERROR, BINARY_EVENT, BINARY_ACK } = PacketType;

/** The events a socket emits itself. */
export interface SocketReservedEventsMap {
  disconnect: (reason: DisconnectReason, description?: Untyped) => void;
  disconnecting: (reason: DisconnectReason, description?: Untyped) => void;
  error: (err: Error) => void;
}

function ignore(): void {}

/** Sockets whose listeners of `disconnecting` are being called: these may disconnect them, too. */
const leaving = new WeakSet<object>();

/**
 * A client in a namespace. It sends to and receives from this one client; `to`, `broadcast` and the like start a chain
 * that reaches the others.
 *
 * @example
 * io.on("connection", (socket) => {
 *   console.log(`socket ${socket.id} connected`);
 *
 *   socket.emit("hello", "world");
 *   socket.on("ping", (callback) => callback("pong"));
 *
 *   socket.join("room-101");
 *   socket.to("room-101").emit("joined", socket.id);
 *
 *   socket.on("disconnect", (reason) => console.log(`socket ${socket.id} left: ${reason}`));
 * });
 */
export class Socket<
  ListenEvents extends EventsMap = DefaultEventsMap,
  EmitEvents extends EventsMap = ListenEvents,
  ServerSideEvents extends EventsMap = DefaultEventsMap,
  SocketData = Untyped,
> extends ReceivingSocket<ListenEvents, EmitEvents, SocketReservedEventsMap, SocketData> {
  readonly nsp: Namespace<ListenEvents, EmitEvents, ServerSideEvents, SocketData>;
  readonly client: Client;
  readonly server: Server<ListenEvents, EmitEvents, ServerSideEvents, SocketData>;
  readonly adapter: Adapter;
  /** Identifies the socket, in this namespace and for this connection only. */
  readonly id: SocketId;
  /** Whether the state of an earlier connection was found again. */
  readonly recovered: boolean;
  /** Whether the socket is in its namespace now. */
  connected: boolean = false;
  /** Identifies the session for connection state recovery; known to the client only. */
  private readonly pid: string | undefined;
  private restored: RestoredSession | undefined = undefined;
  private left = false;
  // Made on first use: most sockets of a quiet server need none of them.
  private ownHandshake: Handshake | Arrival;
  private ownData: SocketData | undefined = undefined;

  constructor(
    nsp: Namespace<ListenEvents, EmitEvents, ServerSideEvents, SocketData>,
    client: Client,
    auth: Handshake["auth"],
    previousSession?: RestoredSession,
  ) {
    super();
    this.nsp = nsp;
    this.client = client;
    this.server = nsp.server;
    this.adapter = nsp.adapter;
    this.recovered = previousSession !== undefined;
    if (previousSession !== undefined) {
      this.id = previousSession.sid;
      this.pid = previousSession.pid;
      this.restore(previousSession);
    } else {
      this.id = client.dialect.socketId(nsp.name, client.id, generateId);
      this.pid = this.server._opts.connectionStateRecovery ? generateId() : undefined;
    }
    this.ownHandshake = new Arrival(client.conn, auth);
    // An "error" that nobody listens to must not end the process: clients can send one.
    this.on("error", ignore);
  }

  private restore(session: RestoredSession): void {
    this.restored = session;
    this.ownData = session.data as SocketData;
    for (const room of session.rooms) {
      // Its own room is joined with the namespace.
      if (room !== this.id) void this.join(room);
    }
  }

  private sendMissed(): void {
    const { restored } = this;
    this.restored = undefined;
    if (restored?.missedEncoded !== undefined) {
      for (const encoded of restored.missedEncoded) this.client._packet([...encoded], { preEncoded: true });
    } else {
      for (const data of restored?.missedPackets ?? []) this.packet({ type: PacketType.EVENT, data });
    }
  }

  /** How the socket came in: headers, query, credentials… */
  get handshake(): Handshake {
    const { ownHandshake } = this;
    if (!(ownHandshake instanceof Arrival)) return ownHandshake;
    return (this.ownHandshake = this.buildHandshake(ownHandshake));
  }

  set handshake(handshake: Handshake) {
    this.ownHandshake = handshake;
  }

  /** Makes {@link handshake}. */
  private buildHandshake(arrival: Arrival): Handshake {
    return arrival.toHandshake(this.conn);
  }

  /** Anything the application wants to remember; other servers of a cluster see it through `fetchSockets()`. */
  get data(): SocketData {
    return (this.ownData ??= {} as SocketData);
  }

  set data(data: SocketData) {
    this.ownData = data;
  }

  /** Whether the socket is not in its namespace. */
  get disconnected(): boolean {
    return !this.connected;
  }

  /** The request that opened the connection. */
  get request(): IncomingMessage {
    return this.client.request;
  }

  /** The connection, shared with the sockets of the same client in other namespaces. */
  get conn(): Connection {
    return this.client.conn;
  }

  /**
   * Limits the time for the answer to the next event.
   * @param timeout - in ms
   *
   * @example
   * socket.timeout(1000).emit("question", (err, answer) => {});
   */
  timeout(
    timeout: number,
  ): Socket<ListenEvents, DecorateAcknowledgements<EmitEvents>, ServerSideEvents, SocketData> {
    // With its type it cannot be in SendingSocket, where the other modifiers are.
    this.flags.timeout = timeout;
    return this;
  }

  /** Called by the namespace when the middlewares have let the socket in: CONNECT goes out before anything new. */
  _onconnect(): void {
    this.connected = true;
    // Not until now: what was sent while middlewares ran was missed, too.
    this.sendMissed();
    this.joinOwnRoom();
    const data = this.client.dialect.acceptance(this.id, this.pid);
    this.packet(data === undefined ? { type: PacketType.CONNECT } : { type: PacketType.CONNECT, data });
    if (this.pid !== undefined) this.sendHeld();
  }

  /** Called with each packet for this socket. */
  _onpacket(packet: Packet): void {
    switch (packet.type) {
      case EVENT:
      case BINARY_EVENT:
        this.onevent(packet);
        break;
      case ACK:
      case BINARY_ACK:
        this.onack(packet);
        break;
      case DISCONNECT:
        this.ondisconnect();
        break;
      case CONNECT:
      case CONNECT_ERROR:
        break;
    }
  }

  private ondisconnect(): void {
    this._onclose("client namespace disconnect");
  }

  /** Emits `error`: the connection failed, the client broke the protocol, or a middleware of {@link use} refused. */
  _onerror(error: Error): void {
    if (this.server._userCode.isGuarded) {
      this.callGuarded("error", this.rawListeners("error") as Callable[], [error]);
    } else {
      this.emitReserved("error", error);
    }
  }

  /** The only way out of the namespace, for whatever reason; later calls do nothing. */
  _onclose(reason: DisconnectReason, description?: unknown): this | undefined {
    if (!this.connected || leaving.has(this)) return this;
    debug("closing socket %s - reason %s", this.id, reason);
    leaving.add(this);
    this.announce("disconnecting", reason, description);
    leaving.delete(this);
    if (this.pid !== undefined && recoverableReasons.has(reason)) {
      const { id: sid, pid, data } = this;
      persistSession(this.adapter, { sid, pid, rooms: [...this.rooms], data });
    }
    this._cleanup();
    this.client._remove(this);
    this.connected = false;
    this.announce("disconnect", reason, description);
    return undefined;
  }

  /** A throwing listener must not keep the socket half in its namespace. */
  private announce(ev: "disconnect" | "disconnecting", reason: DisconnectReason, description: unknown): void {
    const { _userCode: userCode } = this.server;
    if (userCode.isGuarded) {
      return this.callGuarded(ev, this.rawListeners(ev) as Callable[], [reason, description]);
    }
    try {
      this.emitReserved(ev, reason, description);
    } catch (error) {
      rethrowLater(error);
    }
  }

  /** Leaves all rooms and the namespace for good. */
  _cleanup(): void {
    // Once: later its id may be that of the socket that has taken its place.
    if (this.left) return;
    this.leaveAll();
    this.nsp._remove(this);
    this.left = true;
  }

  /** What identifies the session, if it can be recovered. */
  get _pid(): string | undefined {
    return this.pid;
  }

  /** Whether it has left for good, or never will join. */
  get _gone(): boolean {
    return this.left;
  }

  /** Gives way to the same client, which has come back before this connection was known to be dead. */
  _giveWayTo(client: Client): void {
    if (this.client === client) {
      this._onclose("transport close");
    } else {
      this.client._replaced();
    }
    // If it was still waiting for its middlewares, the connection did not know it.
    this._cleanup();
  }

  /** Refuses the socket: sends CONNECT_ERROR. */
  _error(data: unknown): void {
    this.packet({ type: PacketType.CONNECT_ERROR, data });
  }

  /**
   * Leaves the namespace.
   * @param close - whether to close the connection it shares with other namespaces, too
   *
   * @example
   * socket.disconnect(true);
   */
  disconnect(close: boolean = false): this {
    if (!this.connected) return this;
    if (close) {
      this.client._disconnect();
    } else if (!leaving.has(this)) {
      this.packet({ type: PacketType.DISCONNECT });
      this._onclose("server namespace disconnect");
    }
    return this;
  }
}
