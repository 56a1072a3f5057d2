import { internals } from "@tidewire/engine";
import { PacketType } from "@tidewire/parser";
import type { Packet } from "@tidewire/parser";
import createDebug from "debug";
import type { IncomingMessage } from "node:http";
import type { Adapter, Room, SocketId } from "socket.io-adapter";
import { endingOf } from "./auth/errors.ts";
import type { AuthError } from "./auth/errors.ts";
import { Expiries } from "./auth/expiries.ts";
import type { ExpiryDate, ExpiryOptions } from "./auth/expiries.ts";
import { BroadcastOperator } from "./broadcast-operator.ts";
import { RoomTargets } from "./broadcasting-emitter.ts";
import type { Broadcast } from "./broadcasting-emitter.ts";
import type { Client } from "./client.ts";
import { LazyHandshake } from "./connection/handshake.ts";
import type { Handshake } from "./connection/handshake.ts";
import { bufferedAmountOf } from "./connection/empty-buffers.ts";
import type { Connection, WriteOptions } from "./connection/port.ts";
import { waitingOf } from "./connection/waiting.ts";
import type { WaitingFlags } from "./connection/waiting.ts";
import { assertNotReserved, createError, rethrow } from "./errors.ts";
import { registerTimedAck, replyOnce } from "./events/acks.ts";
import type { AckCallback, FailableAck } from "./events/acks.ts";
import { AnyListeners } from "./events/any-listeners.ts";
import type { AnyListener } from "./events/any-listeners.ts";
import type { Middleware } from "./events/middleware.ts";
import { SOCKET_RESERVED_EVENTS } from "./events/reserved.ts";
import type {
  AllButLast,
  DecorateAcknowledgements,
  DefaultEventsMap,
  EventNames,
  EventNamesWithAck,
  EventParams,
  EventsMap,
  FirstNonErrorArg,
  Last,
  Untyped,
} from "./events/typed-events.ts";
import { notices, traceAck, traceEvent, tracing } from "./events/tracing.ts";
import { ackOf } from "./events/user-code.ts";
import type { InvalidEvent } from "./events/contract.ts";
import { LimitError } from "./limits/errors.ts";
import type { Namespace } from "./namespace.ts";
import type { DisconnectReason } from "./reasons.ts";
import { directDelivery, RecordedDelivery } from "./recovery/delivery.ts";
import type { Delivery } from "./recovery/delivery.ts";
import type { RestoredState } from "./recovery/states.ts";
import type { Server } from "./server.ts";
import { queueMicrotask } from "./timers.ts";

const debug = createDebug("socket.io:socket");

// Read once, because exports of other packages are accessors.
const { generateId } = internals;
const { CONNECT, DISCONNECT, EVENT, ACK, CONNECT_ERROR, BINARY_EVENT, BINARY_ACK } = PacketType;

/** The options of most packets. */
const plainly: WriteOptions = Object.freeze({ compress: true });

/** An incoming event: its name, then its arguments. */
export type Event = [string, ...Untyped[]];

/** The modifiers of the next event. */
export type SocketFlags = WaitingFlags & {
  /** gives up waiting for the answer */
  signal?: AbortSignal;
};

/** The events that a socket emits itself. */
export interface SocketReservedEventsMap {
  disconnect: (reason: DisconnectReason, description?: Untyped) => void;
  disconnecting: (reason: DisconnectReason, description?: Untyped) => void;
  error: (err: Error) => void;
}

/** Stands for data that nobody has read or written yet. */
const unset = Symbol("unset");

function ignore(): void {}

/**
 * A client in a namespace. A socket sends to this client and receives from it; `to()`, `broadcast` and the like start a chain that
 * reaches other clients.
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
> extends RoomTargets<ListenEvents, EmitEvents, SocketReservedEventsMap, EmitEvents, SocketData> {
  /** The namespace that the socket is in. */
  readonly nsp: Namespace<ListenEvents, EmitEvents, ServerSideEvents, SocketData>;
  /** The connection with its sockets of all namespaces. */
  readonly client: Client;
  /** The adapter of the namespace, which keeps the rooms. */
  readonly adapter: Adapter;
  /** Identifies the socket in this namespace, as long as its connection lasts. */
  readonly id: SocketId;
  /** Whether the state of an earlier connection was recovered. */
  readonly recovered: boolean;
  /** Whether the socket is in its namespace now. */
  connected: boolean = false;
  /** @internal */
  protected delivery: Delivery;
  /** Set once, because `disconnecting` listeners and listeners of the adapter may disconnect the socket too. */
  private departure: "leaving" | "gone" | undefined = undefined;
  // Created on first use, because an idle socket does not need them.
  private ownHandshake: Handshake | LazyHandshake;
  private ownData: SocketData | typeof unset = unset;
  private ownAcks: Map<number, AckCallback> | undefined = undefined;
  private ownFlags: SocketFlags | undefined = undefined;
  private ownMiddlewares: Middleware<Event>[] | undefined = undefined;
  private ownAnyListeners: AnyListeners | undefined = undefined;

  constructor(
    nsp: Namespace<ListenEvents, EmitEvents, ServerSideEvents, SocketData>,
    client: Client,
    auth: Handshake["auth"],
    restored?: RestoredState,
  ) {
    super();
    this.nsp = nsp;
    this.client = client;
    this.adapter = nsp.adapter;
    this.recovered = restored !== undefined;
    this.id = restored?.sid ?? client.dialect.socketId(nsp.name, client.id, generateId);
    const recovers = this.server._opts.connectionStateRecovery && nsp._recoveryStore.isInUse;
    this.delivery = recovers
      ? new RecordedDelivery(nsp._recoveryStore, restored?.pid ?? generateId(), restored)
      : directDelivery;
    if (restored !== undefined) this.restore(restored);
    this.ownHandshake = new LazyHandshake(client.conn, auth);
    // Without a listener an "error" would end the process, and clients can send one.
    this.on("error", ignore);
  }

  private restore(state: RestoredState): void {
    this.ownData = state.data as SocketData;
    if (state.expiresAt !== undefined) this.expiresAt(state.expiresAt);
    for (const room of state.rooms) {
      // The socket joins its own room together with the namespace.
      if (room !== this.id) void this.join(room);
    }
  }

  /** How the client connected: headers, query, credentials. The application may write to it. */
  get handshake(): Handshake {
    const { ownHandshake } = this;
    if (!(ownHandshake instanceof LazyHandshake)) return ownHandshake;
    return (this.ownHandshake = this.buildHandshake(ownHandshake));
  }

  set handshake(handshake: Handshake) {
    this.ownHandshake = handshake;
  }

  /** Creates {@link handshake}. */
  private buildHandshake(arrival: LazyHandshake): Handshake {
    return arrival.toHandshake(this.conn);
  }

  /** @internal When the socket was created, in ms since 1970. */
  get _issued(): number {
    return this.ownHandshake.issued;
  }

  /** Data of the application; other servers of a cluster see it through `fetchSockets()`. */
  get data(): SocketData {
    if (this.ownData === unset) this.ownData = {} as SocketData;
    return this.ownData;
  }

  set data(data: SocketData) {
    this.ownData = data;
  }

  /** Whether the socket is not in its namespace. */
  get disconnected(): boolean {
    return !this.connected;
  }

  /** The acknowledgements that have not arrived yet, by packet id. */
  get acks(): Map<number, AckCallback> {
    return (this.ownAcks ??= new Map());
  }

  set acks(acks: Map<number, AckCallback>) {
    this.ownAcks = acks;
  }

  /** The flags of the next `emit()`. */
  get flags(): SocketFlags {
    return (this.ownFlags ??= {});
  }

  set flags(flags: SocketFlags) {
    this.ownFlags = flags;
  }

  private takeFlags(): SocketFlags | undefined {
    const flags = this.ownFlags;
    this.ownFlags = undefined;
    return flags;
  }

  /** The middlewares of {@link use}. */
  get fns(): Middleware<Event>[] {
    return (this.ownMiddlewares ??= []);
  }

  set fns(middlewares: Middleware<Event>[]) {
    this.ownMiddlewares = middlewares;
  }

  /** The server of the namespace. */
  get server(): Server<ListenEvents, EmitEvents, ServerSideEvents, SocketData> {
    return this.nsp.server;
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
   * Sends an event to the client. If the last argument is a function, the client is asked for an answer.
   *
   * @example
   * socket.emit("hello", 1, "2", { 3: ["4"], 5: Uint8Array.from([6]) });
   * socket.emit("question", (answer) => {});
   *
   * @returns always true
   * @throws Error if the event name is reserved
   */
  override emit<Ev extends EventNames<EmitEvents>>(ev: Ev, ...args: EventParams<EmitEvents, Ev>): boolean {
    assertNotReserved(SOCKET_RESERVED_EVENTS, ev);
    const data: unknown[] = [ev, ...args];
    if (notices.emit.hasSubscribers) this.publishEmit(ev, args);
    const packet: Packet = { type: EVENT, nsp: this.nsp.name, data };
    const last = data[data.length - 1];
    if (typeof last === "function") {
      data.pop();
      packet.id = this.nsp._ids++;
      const ack = ackOf(this.server, last as AckCallback, ev, this);
      const traced = tracing.ack.hasSubscribers ? this.traced(ack, ev) : ack;
      if (!this.registerAckCallback(packet.id, traced)) return true;
    }
    this.delivery.emit(this, packet, this.takeFlags());
    return true;
  }

  private publishEmit(event: string | symbol, args: readonly unknown[]): void {
    notices.emit.publish({ socket: this, namespace: this.nsp.name, event: String(event), args });
  }

  /**
   * Sends an event and waits for the answer, without limit unless `timeout()`, `signal()` or the option `ackTimeout` sets one.
   *
   * @example
   * const answer = await socket.timeout(1000).emitWithAck("question");
   */
  emitWithAck<Ev extends EventNamesWithAck<EmitEvents>>(
    ev: Ev,
    ...args: AllButLast<EventParams<EmitEvents, Ev>>
  ): Promise<FirstNonErrorArg<Last<EventParams<EmitEvents, Ev>>>> {
    if (this.server._opts.rejectAcksOnDisconnect) this.flags.timeout ??= this.server._ackTimeout ?? Infinity;
    const takesError = this.takesError;
    return new Promise((resolve, reject) => {
      const ack: AckCallback = takesError
        ? (error, answer) => (error ? reject(error as Error) : resolve(answer))
        : (answer) => resolve(answer);
      this.emit(ev, ...([...args, ack] as EventParams<EmitEvents, Ev>));
    });
  }

  /** Whether the callback of the next event takes an error first. */
  private get takesError(): boolean {
    const { ownFlags } = this;
    return (
      ownFlags?.timeout !== undefined ||
      ownFlags?.signal !== undefined ||
      this.server._ackTimeout !== undefined
    );
  }

  private traced(ack: AckCallback, event: string | symbol): AckCallback {
    const trace = { socket: this, namespace: this.nsp.name, event: String(event) };
    return traceAck(trace, this.takesError, ack);
  }

  /** Returns false if nobody waits for the answer any more. */
  private registerAckCallback(id: number, ack: AckCallback): boolean {
    if (!this.takesError) {
      this.acks.set(id, ack);
      return true;
    }
    const { timeout = this.server._ackTimeout ?? Infinity, signal } = this.ownFlags ?? {};
    const isLost = this._gone && this.server._opts.rejectAcksOnDisconnect;
    if (signal?.aborted || isLost) {
      this.takeFlags();
      const error: unknown = signal?.aborted ? signal.reason : createError("SOCKET_DISCONNECTED");
      queueMicrotask(() => ack.call(this, error));
      return false;
    }
    // It means nothing to adapters and engines.
    if (signal !== undefined) delete this.flags.signal;
    registerTimedAck(this, id, ack, timeout, signal);
    return true;
  }

  /** Gives up the answers that its client will not send any more. */
  private failAcks(): void {
    if (this.ownAcks === undefined || !this.server._opts.rejectAcksOnDisconnect) return;
    const acks: FailableAck[] = [...this.ownAcks.values()];
    for (const ack of acks) ack.fail?.(createError("SOCKET_DISCONNECTED"));
  }

  /** @internal How many answers it waits for. */
  get _pendingAcks(): number {
    return this.ownAcks?.size ?? 0;
  }

  /** @internal Removes the acknowledgement of this id without calling it. */
  _forgetAck(id: number): void {
    this.ownAcks?.delete(id);
  }

  /** Passes an answer to its callback. */
  private onack(packet: Packet): void {
    const ack = packet.id === undefined ? undefined : this.ownAcks?.get(packet.id);
    if (typeof ack === "function") {
      this.acks.delete(packet.id as number);
      ack.apply(this, packet.data as unknown[]);
    } else {
      debug("bad ack %s", packet.id);
    }
  }

  /**
   * Writes a packet to the client. Adapters and middlewares may call it before the socket is connected.
   *
   * @example
   * socket.packet({ type: PacketType.EVENT, data: ["hello"] });
   */
  packet(packet: Omit<Packet, "nsp"> & { nsp?: string }, options: WriteOptions = plainly): void {
    packet.nsp = this.nsp.name;
    if (options !== plainly) {
      options.compress = options.compress !== false;
      this.chooseWaiting(packet, options);
    }
    this.client._packet(packet as Packet, options);
  }

  private chooseWaiting(packet: Omit<Packet, "nsp">, options: WriteOptions & { conflate?: string }): void {
    options.waits = waitingOf(options, this.nsp.name, packet, this.server._slowConsumer);
    if (options.waits !== undefined) options.volatile = false;
  }

  /**
   * Sets whether the next packet may be compressed.
   *
   * @example
   * socket.compress(false).emit("hello");
   */
  compress(compress: boolean): this {
    this.flags.compress = compress;
    return this;
  }

  /**
   * Makes the next packet volatile: it is dropped if the client cannot take it at once.
   *
   * @example
   * socket.volatile.emit("position", x, y);
   */
  get volatile(): this {
    this.flags.volatile = true;
    return this;
  }

  /**
   * Conflates the next event with others of the same key: of those that wait for a client that reads slowly, only the newest is
   * sent. A client that reads at once gets every one.
   * @param key - of this namespace, such as the symbol of a price
   *
   * @example
   * socket.conflate("EURUSD").emit("price", "EURUSD", 1.0847);
   */
  conflate(key: string): this {
    this.flags.conflate = key;
    return this;
  }

  /**
   * How many bytes wait for the client on the connection, which the socket shares with those of other namespaces: in the server, and
   * in the buffers of its host, but not in the kernel.
   *
   * @example
   * if (socket.bufferedAmount > 1_000_000) slowDown();
   */
  get bufferedAmount(): number {
    return bufferedAmountOf(this.conn);
  }

  /**
   * Waits until nothing is left to be sent on the connection.
   *
   * @example
   * for (const chunk of file) {
   *   socket.emit("chunk", chunk);
   *   await socket.drained();
   * }
   *
   * @throws Error (`SOCKET_DISCONNECTED`) if the connection ends before
   */
  drained(): Promise<void> {
    return this.server._emptyBuffers.of(this.conn);
  }

  /**
   * Starts a chain that reaches every client of the namespace except this one.
   *
   * @example
   * socket.broadcast.emit("foo", "bar");
   */
  get broadcast(): Broadcast<EmitEvents, SocketData> {
    return this.newBroadcastOperator();
  }

  /**
   * Gives up waiting for the answer to the next event when the signal is aborted. As after `timeout()`, the callback takes an error
   * first, which is the reason of the signal. An event is not sent if its signal is aborted already.
   *
   * @example
   * const aborter = new AbortController();
   * const answer = await socket.signal(aborter.signal).emitWithAck("question");
   */
  signal(
    signal: AbortSignal,
  ): Socket<ListenEvents, DecorateAcknowledgements<EmitEvents>, ServerSideEvents, SocketData> {
    this.flags.signal = signal;
    return this;
  }

  /**
   * Limits the time for the answer to the next event.
   * @param timeout - in ms; Infinity for no limit
   *
   * @example
   * socket.timeout(1000).emit("question", (err, answer) => {});
   */
  timeout(
    timeout: number,
  ): Socket<ListenEvents, DecorateAcknowledgements<EmitEvents>, ServerSideEvents, SocketData> {
    this.flags.timeout = timeout;
    return this;
  }

  protected override newBroadcastOperator(): Broadcast<EmitEvents, SocketData> {
    return new BroadcastOperator(this.adapter, new Set(), new Set([this.id]), this.takeFlags() ?? {});
  }

  /** The rooms the socket is in; its id is one of them. */
  get rooms(): Set<Room> {
    return this.adapter.socketRooms(this.id) ?? new Set();
  }

  /**
   * Joins rooms. Only adapters that have to tell other servers return a promise. Beyond `limits.roomsPerSocket`, it joins none of
   * them, and the socket emits `error`.
   *
   * @example
   * socket.join("room1");
   * await socket.join(["room1", "room2"]);
   */
  join(rooms: Room | Room[]): Promise<void> | void {
    if (this._gone) return;
    const joined = new Set(Array.isArray(rooms) ? rooms : [rooms]);
    if (this.server._limits.roomsPerSocket !== Infinity && this.refusesRooms(joined)) return;
    return this.adapter.addAll(this.id, joined);
  }

  /** Whether it may not join these rooms. */
  private refusesRooms(rooms: ReadonlySet<Room>): boolean {
    const { roomsPerSocket: limit } = this.server._limits;
    const all = new Set([...this.rooms, ...rooms]);
    all.delete(this.id);
    if (all.size <= limit || all.size === this.rooms.size - Number(this.rooms.has(this.id))) return false;
    const error = new LimitError("TOO_MANY_ROOMS", limit);
    const { conn, nsp } = this;
    this.server._limitMonitor.exceeded({ code: error.code, limit, conn, socket: this, namespace: nsp.name });
    this._onerror(error);
    return true;
  }

  /**
   * Leaves a room.
   *
   * @example
   * socket.leave("room1");
   */
  leave(room: Room): Promise<void> | void {
    return this.adapter.del(this.id, room);
  }

  /**
   * Leaves all rooms, its own too; then only broadcasts to the whole namespace reach the socket.
   *
   * @example
   * socket.leaveAll();
   */
  leaveAll(): void {
    this.adapter.delAll(this.id);
  }

  /** Reports what a listener of the adapter throws, which must not leave the socket half in its namespace. */
  private joinOwnRoom(): void {
    try {
      void this.join(this.id);
    } catch (error) {
      this.server._userCode.report(error, { source: "connection", event: undefined, socket: this });
    }
  }

  private get anyListeners(): AnyListeners {
    return (this.ownAnyListeners ??= new AnyListeners());
  }

  /**
   * Adds a listener of every incoming event.
   *
   * @example
   * socket.onAny((event, ...args) => console.log(`got ${event}`));
   */
  onAny(listener: AnyListener): this {
    this.anyListeners.incoming.add(listener);
    return this;
  }

  /**
   * Adds a listener of every incoming event, before the others.
   *
   * @example
   * socket.prependAny((event, ...args) => console.log(`got ${event}`));
   */
  prependAny(listener: AnyListener): this {
    this.anyListeners.incoming.prepend(listener);
    return this;
  }

  /**
   * Removes a listener of every incoming event, or all of them.
   *
   * @example
   * socket.offAny(listener);
   * socket.offAny();
   */
  offAny(listener?: AnyListener): this {
    this.ownAnyListeners?.incoming.remove(listener);
    return this;
  }

  /**
   * Returns the listeners of every incoming event.
   *
   * @example
   * socket.listenersAny().length;
   */
  listenersAny(): AnyListener[] {
    return this.ownAnyListeners?.incoming.list ?? [];
  }

  /**
   * Adds a listener of every event sent to this client, alone or in a broadcast.
   *
   * @example
   * socket.onAnyOutgoing((event, ...args) => console.log(`sent ${event}`));
   */
  onAnyOutgoing(listener: AnyListener): this {
    this.anyListeners.outgoing.add(listener);
    this.client._leaveAudiences();
    return this;
  }

  /**
   * Adds a listener of every event sent, before the others.
   *
   * @example
   * socket.prependAnyOutgoing((event, ...args) => console.log(`sent ${event}`));
   */
  prependAnyOutgoing(listener: AnyListener): this {
    this.anyListeners.outgoing.prepend(listener);
    this.client._leaveAudiences();
    return this;
  }

  /**
   * Removes a listener of every event sent, or all of them.
   *
   * @example
   * socket.offAnyOutgoing(listener);
   * socket.offAnyOutgoing();
   */
  offAnyOutgoing(listener?: AnyListener): this {
    this.ownAnyListeners?.outgoing.remove(listener);
    return this;
  }

  /**
   * Returns the listeners of every event sent.
   *
   * @example
   * socket.listenersAnyOutgoing().length;
   */
  listenersAnyOutgoing(): AnyListener[] {
    return this.ownAnyListeners?.outgoing.list ?? [];
  }

  /** @internal */
  get hasOutgoingListeners(): boolean {
    return this.ownAnyListeners !== undefined && this.ownAnyListeners.outgoing.list.length > 0;
  }

  /**
   * Calls the listeners of {@link onAnyOutgoing}; adapters call it for each receiver of a broadcast.
   *
   * @example
   * socket.notifyOutgoingListeners(packet);
   */
  notifyOutgoingListeners(packet: Packet): void {
    // A packet from another node decodes its data when it is read.
    const list = this.ownAnyListeners?.outgoing.list;
    if (list === undefined || list.length === 0) return;
    this.server._userCode.callAny(list, this, packet.data as Event);
  }

  /**
   * Called with each event. Packages replace it to see events before the listeners do.
   *
   * @example
   * const { onevent } = socket;
   * socket.onevent = (packet) => {
   *   console.log(packet.data);
   *   onevent.call(socket, packet);
   * };
   */
  onevent(packet: Packet): void {
    const event = (packet.data ?? []) as Event;
    if (packet.id !== undefined && packet.id !== null) {
      event.push(this.ack(packet.id));
    }
    const list = this.ownAnyListeners?.incoming.list;
    if (list !== undefined) this.server._userCode.callAny(list, this, event);
    this.dispatch(event);
  }

  /**
   * Returns the function that answers the event of this id.
   *
   * @example
   * socket.ack(packet.id)("the answer");
   */
  ack(id: number): AckCallback {
    return replyOnce(this, id);
  }

  private dispatch(event: Event): void {
    if (this.ownMiddlewares === undefined) {
      return this.callListeners(event);
    }
    this.run(event, (error) => {
      // A middleware calls this, and must not catch what a listener throws.
      try {
        if (error) {
          this._onerror(error);
        } else {
          this.callListeners(event);
        }
      } catch (thrown) {
        this.server._userCode.report(thrown, { source: "listener", event: String(event[0]), socket: this });
      }
    });
  }

  private callListeners(event: Event): void {
    if (this.connected) {
      if (this.server._unheardEvents !== undefined) this.warnIfUnheard(event[0]);
      if (tracing.event.hasSubscribers) this.traceListeners(event);
      else this.server._userCode.emit(this, event, "listener", this);
    } else {
      debug("ignore packet received after disconnection");
    }
  }

  private traceListeners(event: Event): void {
    const [name, ...args] = event;
    traceEvent({ socket: this, namespace: this.nsp.name, event: String(name), args }, () =>
      this.server._userCode.emitAndCollect(this, event, "listener", this),
    );
  }

  private warnIfUnheard(event: string): void {
    const isHeard = this.listenerCount(event) > 0 || this.listenersAny().length > 0;
    // Packages that replace it have listeners of their own.
    const isOurs = this.onevent === Socket.prototype.onevent;
    if (!isHeard && isOurs) this.server._unheardEvents?.warn(event, this.nsp.name);
  }

  /**
   * Adds a middleware, which is called with every incoming event. It calls `next()` to pass the event on, or `next(error)` to
   * refuse it, which emits `error` on this socket.
   *
   * @example
   * socket.use(([event, ...args], next) => {
   *   next(isAllowed(event) ? undefined : new Error("not allowed"));
   * });
   */
  use(fn: (event: Event, next: (err?: Error) => void) => void): this {
    this.fns.push(fn);
    return this;
  }

  private run(event: Event, done: (error?: Error) => void): void {
    const origin = { source: "socket middleware", event: String(event[0]), socket: this } as const;
    // An event whose middleware has failed is dropped.
    this.server._userCode.runMiddlewares(this.fns, event, origin, ignore, done);
  }

  /** Called by the namespace once the middlewares have admitted the socket: sends CONNECT before any new packet. */
  _onconnect(): void {
    this.connected = true;
    this.delivery.connecting(this);
    const data = this.client.dialect.acceptance(this.id, this.pid);
    this.packet(data === undefined ? { type: CONNECT } : { type: CONNECT, data });
    // A listener of the adapter may send events, or disconnect the socket.
    this.joinOwnRoom();
    this.delivery.connected(this);
    this.server._expiries?.joined(this);
  }

  /** Called with each packet for this socket. */
  _onpacket(packet: Packet): void {
    switch (packet.type) {
      case EVENT:
      case BINARY_EVENT:
        if (this.server._checkedEvents === undefined) this.onevent(packet);
        else this.server._checkedEvents.receive(this, packet);
        break;
      case ACK:
      case BINARY_ACK:
        this.onack(packet);
        break;
      case DISCONNECT:
        if (this.server._checkedEvents?.leave(this, () => this.ondisconnect()) !== true) this.ondisconnect();
        break;
      case CONNECT:
      case CONNECT_ERROR:
        break;
    }
  }

  private ondisconnect(): void {
    this._onclose("client namespace disconnect");
  }

  /** Emits `error`, because the connection failed, the client violated the protocol, or a middleware of {@link use} refused. */
  _onerror(error: Error): void {
    this.server._userCode.emit(this, ["error", error], "listener", this);
  }

  /** @internal Says that an event does not match the contract. */
  _sendInvalid(report: Omit<InvalidEvent, "socket">): void {
    this.emit("invalid", ...([report] as Untyped));
  }

  /** @internal Refuses an event because of a limit: says so to both sides. */
  _refuseEvent({ id }: Packet, error: LimitError): void {
    const { code, message, limit } = error;
    if (id !== undefined && id !== null) this.ack(id)({ error: { code, message, limit } });
    this._onerror(error);
  }

  /** Leaves the namespace, for any reason and only here; later calls do nothing. */
  _onclose(reason: DisconnectReason, description?: unknown): this | undefined {
    if (!this.connected || this.departure !== undefined) return this;
    debug("closing socket %s - reason %s", this.id, reason);
    this.departure = "leaving";
    this.server._counters.disconnected(reason, description);
    this.announce("disconnecting", reason, description);
    this.delivery.leaving(this, reason);
    this._cleanup();
    this.client._remove(this);
    this.connected = false;
    if (notices.disconnect.hasSubscribers) this.publishDisconnect(reason, description);
    this.announce("disconnect", reason, description);
    this.failAcks();
    return undefined;
  }

  private publishDisconnect(reason: DisconnectReason, description: unknown): void {
    notices.disconnect.publish({ socket: this, namespace: this.nsp.name, reason, description });
  }

  /** Rethrows later what a listener throws, which must not leave the socket half in its namespace. */
  private announce(ev: "disconnect" | "disconnecting", reason: DisconnectReason, description: unknown): void {
    try {
      this.server._userCode.emit(this, [ev, reason, description], "listener", this);
    } catch (error) {
      rethrow(error);
    }
  }

  /** Leaves all rooms and the namespace for good. */
  _cleanup(): void {
    // Only once, because later another socket may have taken over the id.
    if (this.departure === "gone") return;
    // First, so that no listener of the adapter can make it join again.
    this.departure = "gone";
    try {
      this.leaveAll();
    } catch (error) {
      this.server._userCode.report(error, { source: "connection", event: undefined, socket: this });
    }
    this.nsp._remove(this);
    this.server._expiries?.forget(this);
    // It has never joined.
    if (!this.connected) this.failAcks();
  }

  /** @internal Identifies the recovery state; only the client knows it. */
  get pid(): string | undefined {
    return this.delivery.pid;
  }

  /** @internal Whether it has left for good or will never join. */
  get _gone(): boolean {
    return this.departure === "gone";
  }

  /**
   * @internal Makes way for the same client, which has come back before this connection was known to be dead.
   *
   * @param client - its new connection; undefined if that is to another server
   */
  _giveWayTo(client: Client | undefined): void {
    if (this.client === client) {
      this._onclose("transport close");
    } else {
      this.client._replaced();
    }
    // It may still wait for its middlewares on this connection.
    this._cleanup();
  }

  /** @internal When its credentials end, in ms since 1970; undefined if they do not. */
  get _expiresAt(): number | undefined {
    return this.server._expiries?.timeOf(this);
  }

  /** @internal Sends an event of the server itself, to this connection only: a later one must not recover it. */
  _notify(event: string, argument: object): void {
    const packet: Packet = { type: EVENT, nsp: this.nsp.name, data: [event, argument] };
    directDelivery.emit(this, packet, undefined);
  }

  /** @internal Disconnects the socket because its credentials no longer count, and says so to both sides. */
  _endAuth(error: AuthError): void {
    if (!this.connected || this.departure !== undefined) return;
    this._notify("auth:ended", endingOf(error));
    this.packet({ type: DISCONNECT });
    this._onclose("server namespace disconnect", error);
  }

  /** Sends CONNECT_ERROR. */
  _error(data: unknown): void {
    this.packet({ type: CONNECT_ERROR, data });
  }

  /**
   * Sets when the credentials of the client end. Then the client receives `auth:ended` with the code `AUTH_EXPIRED`, and the socket
   * is disconnected. Before, the client receives `auth:expiring`. A later call replaces the date. A recovered socket has the date of
   * the earlier connection, but not its options.
   *
   * In a middleware, a date that is over refuses the client with `connect_error`.
   *
   * @param date - a Date, or ms since 1970: `exp` of a JWT is in seconds; Infinity for never
   * @throws TypeError (`INVALID_DATE`) if the date is invalid; TypeError or RangeError (`INVALID_OPTION`) for an invalid option
   *
   * @example
   * io.use((socket, next) => {
   *   const { exp } = verify(socket.handshake.auth.token);
   *   socket.expiresAt(exp * 1000, {
   *     warn: 30_000,
   *     refresh: async () => {
   *       const token = await socket.timeout(10_000).emitWithAck("auth:refresh");
   *       await socket.revalidate({ token }); // calls this middleware again
   *     },
   *   });
   *   next();
   * });
   */
  expiresAt(date: ExpiryDate, options: ExpiryOptions<this> = {}): this {
    if (this._gone) return this;
    (this.server._expiries ??= new Expiries(this.server)).set(this, date, options);
    return this;
  }

  /**
   * Calls the middlewares of the namespace again. If one refuses, the client receives `auth:ended` with the code `AUTH_REFUSED` and
   * what `connect_error` would say, and the socket is disconnected. Events are handled meanwhile.
   *
   * @param auth - new credentials, which replace those of the {@link handshake}
   * @returns a promise of whether the socket is still connected. It rejects if a middleware throws and there is no `io.onError()`
   * handler, and the socket is disconnected
   *
   * @example
   * socket.on("auth:refresh", async (auth, done) => done(await socket.revalidate(auth)));
   */
  revalidate(auth?: Handshake["auth"]): Promise<boolean> {
    if (!this.connected) return Promise.resolve(false);
    if (auth !== undefined) this.handshake.auth = auth;
    return this.nsp._revalidate(this);
  }

  /**
   * Leaves the namespace.
   * @param close - whether to close its connection, which it shares with other namespaces
   *
   * @example
   * socket.disconnect(true);
   */
  disconnect(close: boolean = false): this {
    if (!this.connected) return this;
    if (close) {
      this.client._disconnect();
    } else if (this.departure === undefined) {
      this.packet({ type: DISCONNECT });
      this._onclose("server namespace disconnect");
    }
    return this;
  }
}
