import createDebug from "debug";
import type { Adapter, SocketId } from "socket.io-adapter";
import { isOver } from "./auth/expiries.ts";
import { REVALIDATE, revalidate, revalidateFor } from "./auth/revalidation.ts";
import { promiseOfResponses } from "./events/acks.ts";
import type { AckCallback } from "./events/acks.ts";
import type { InvalidEvent } from "./events/contract.ts";
import { BroadcastOperator } from "./broadcast-operator.ts";
import { CarryingSocket } from "./carrying-socket.ts";
import type { Client } from "./client.ts";
import type { ConnectAttempt } from "./connection/connect-attempts.ts";
import type { Auth } from "./connection/dialect.ts";
import type { Carriage } from "./context/carriage.ts";
import { BroadcastingEmitter } from "./broadcasting-emitter.ts";
import type { Broadcast } from "./broadcasting-emitter.ts";
import { assertNotReserved, createError } from "./errors.ts";
import type { ExtendedError } from "./extended-error.ts";
import type { Middleware } from "./events/middleware.ts";
import { NAMESPACE_RESERVED_EVENTS } from "./events/reserved.ts";
import type { Server } from "./server.ts";
import type { RestoredState } from "./recovery/states.ts";
import { RecoveryStore } from "./recovery/store.ts";
import type { LimitReport } from "./limits/report.ts";
import { Socket } from "./socket.ts";
import { tracing } from "./events/tracing.ts";
import { ackOf, whenSettled } from "./events/user-code.ts";
import type {
  AllButLast,
  DecorateAcknowledgementsWithTimeoutAndMultipleResponses,
  DefaultEventsMap,
  EventNames,
  EventNamesWithAck,
  EventNamesWithoutAck,
  EventParams,
  EventsMap,
  FirstNonErrorArg,
  Last,
  RemoveAcknowledgements,
  Untyped,
} from "./events/typed-events.ts";
import { nextTick } from "./timers.ts";

const debug = createDebug("socket.io:namespace");

// The official package exports them from here.
export type { ExtendedError };
export { NAMESPACE_RESERVED_EVENTS as RESERVED_EVENTS };

/** The events that a namespace emits itself. */
export interface NamespaceReservedEventsMap<
  ListenEvents extends EventsMap,
  EmitEvents extends EventsMap,
  ServerSideEvents extends EventsMap,
  SocketData,
> {
  connect: (socket: Socket<ListenEvents, EmitEvents, ServerSideEvents, SocketData>) => void;
  connection: (socket: Socket<ListenEvents, EmitEvents, ServerSideEvents, SocketData>) => void;
}

/** The events that the root namespace, and with it the server, emits itself. */
export interface ServerReservedEventsMap<
  ListenEvents extends EventsMap,
  EmitEvents extends EventsMap,
  ServerSideEvents extends EventsMap,
  SocketData,
> extends NamespaceReservedEventsMap<ListenEvents, EmitEvents, ServerSideEvents, SocketData> {
  new_namespace: (namespace: Namespace<ListenEvents, EmitEvents, ServerSideEvents, SocketData>) => void;
  limit_exceeded: (report: LimitReport) => void;
  /** An event does not match the {@link ServerOptions.contract}. */
  invalid_event: (
    report: InvalidEvent<Socket<ListenEvents, EmitEvents, ServerSideEvents, SocketData>>,
  ) => void;
  /** {@link Server.drain} was called; the clients are still connected. */
  drain: () => void;
}

const nothing: readonly never[] = [];

/** The parent of a namespace, as its child uses it. */
interface ChildOwner {
  readonly _carriage: Carriage | undefined;
  _childEmptied(child: object): void;
  _removeChild(child: object): void;
}

/**
 * A part of the application with its own listeners, middlewares and rooms. A client can join several namespaces over one
 * connection.
 *
 * @example
 * const orders = io.of("/orders");
 *
 * orders.use((socket, next) => {
 *   next(isAllowed(socket.handshake.auth) ? undefined : new Error("forbidden"));
 * });
 * orders.on("connection", (socket) => {
 *   socket.on("order:list", () => {});
 *   socket.join("room1"); // not the room of this name in another namespace
 * });
 */
export class Namespace<
  ListenEvents extends EventsMap = DefaultEventsMap,
  EmitEvents extends EventsMap = ListenEvents,
  ServerSideEvents extends EventsMap = DefaultEventsMap,
  SocketData = Untyped,
> extends BroadcastingEmitter<
  ServerSideEvents,
  RemoveAcknowledgements<EmitEvents>,
  NamespaceReservedEventsMap<ListenEvents, EmitEvents, ServerSideEvents, SocketData>,
  EmitEvents,
  SocketData
> {
  /** Its name, with the leading slash. */
  readonly name: string;
  /** The server that it belongs to. */
  readonly server: Server<ListenEvents, EmitEvents, ServerSideEvents, SocketData>;
  /** The sockets that have joined, by id. */
  readonly sockets: Map<SocketId, Socket<ListenEvents, EmitEvents, ServerSideEvents, SocketData>> = new Map();
  /** The sockets whose middlewares are running, by id. */
  readonly _preConnectSockets: Map<SocketId, Socket<ListenEvents, EmitEvents, ServerSideEvents, SocketData>> =
    new Map();
  /** The middlewares of {@link use}. */
  readonly _fns: Middleware<Socket<ListenEvents, EmitEvents, ServerSideEvents, SocketData>>[] = [];
  /** The sockets that can be recovered, joined or waiting, by pid. */
  private readonly recoverable: Map<string, Socket<ListenEvents, EmitEvents, ServerSideEvents, SocketData>> =
    new Map();
  /** @internal Set by the parent namespace that has created it. */
  _parent: ChildOwner | undefined = undefined;
  /** @internal How its own events carry the context of the application; see {@link _carriage}. */
  _ownCarriage: Carriage | undefined = undefined;
  /** @internal How many clients are about to get a socket. */
  _arriving: number = 0;
  /** The id of the next event that asks for an answer. All sockets share it, so that a broadcast has one id. */
  _ids: number = 0;
  /** The adapter, which keeps the rooms and sends broadcasts. */
  adapter!: Adapter;
  private store: RecoveryStore | undefined = undefined;

  constructor(server: Server<ListenEvents, EmitEvents, ServerSideEvents, SocketData>, name: string) {
    super();
    this.server = server;
    this.name = name;
    this._initAdapter();
  }

  /** Creates the adapter; called again when `io.adapter()` sets another one. */
  _initAdapter(): void {
    this.adapter = this.server._createAdapter(this);
    Promise.resolve(this.adapter.init()).catch((error: unknown) => {
      debug("error while initializing adapter: %s", error);
    });
  }

  /**
   * Adds a middleware, which is called with every socket before it joins. It calls `next()` to admit the socket, or `next(error)`
   * to refuse it, which the client receives as `connect_error`.
   *
   * @example
   * io.of("/orders").use((socket, next) => next());
   */
  use(
    fn: (
      socket: Socket<ListenEvents, EmitEvents, ServerSideEvents, SocketData>,
      next: (err?: ExtendedError) => void,
    ) => void,
  ): this {
    this._fns.push(fn);
    return this;
  }

  private run(
    socket: Socket<ListenEvents, EmitEvents, ServerSideEvents, SocketData>,
    done: (error?: ExtendedError) => void,
  ): void {
    if (this._fns.length === 0) return done();
    const origin = { source: "middleware", event: undefined, socket } as const;
    const failed = (next: (error?: Error) => void): void => next(createError("MIDDLEWARE_FAILED"));
    this.server._userCode.runMiddlewares(this._fns, socket, origin, failed, done);
  }

  /** @internal Lets the middlewares decide again on a socket that has joined. */
  _revalidate(socket: Socket<ListenEvents, EmitEvents, ServerSideEvents, SocketData>): Promise<boolean> {
    return revalidate(socket, (decided) => this.run(socket, decided));
  }

  /**
   * Called with each client that wants to join. Returns a promise if the adapter is asked for a recovery state, or if a
   * middleware has thrown, which rejects it.
   */
  _add(client: Client, auth: Auth, attempt: ConnectAttempt): Promise<void> | void {
    debug("adding socket to nsp %s", this.name);
    const { pid } = auth;
    if (this.server._opts.connectionStateRecovery && typeof pid === "string") {
      return this.addRecovered(client, auth, pid, attempt);
    }
    try {
      this.introduce(this._createSocket(client, auth), attempt);
    } catch (error) {
      return Promise.reject(error);
    }
  }

  /** Lets the middlewares decide on a socket. */
  private introduce(
    socket: Socket<ListenEvents, EmitEvents, ServerSideEvents, SocketData>,
    attempt: ConnectAttempt,
  ): void {
    const { client } = socket;
    // Its client has left, or has sent another CONNECT, while the adapter was asked for its state.
    if (!attempt.isWanted) return socket._cleanup();
    // The end of the attempt ends the socket, even if a middleware never calls `next`.
    attempt.socket = socket;
    this._preConnectSockets.set(socket.id, socket);
    if (socket.pid !== undefined) {
      this.recoverable.set(socket.pid, socket);
    }
    const skipMiddlewares = this.server._opts.connectionStateRecovery?.skipMiddlewares;
    if (skipMiddlewares && socket.recovered && client.conn.readyState === "open") {
      return this._doConnect(socket, attempt);
    }
    const decided = (verdict?: ExtendedError): void => {
      nextTick(() => {
        const error = verdict ?? this.server._expiries?.refusalOf(socket);
        if (socket.connected) {
          debug("next called again - ignoring");
        } else if (client.conn.readyState !== "open" || socket._gone) {
          debug("next called after client was closed - ignoring socket");
          socket._cleanup();
        } else if (error) {
          debug("middleware error, sending CONNECT_ERROR packet to the client");
          client._refuse(attempt);
          socket._error(client.dialect.refusal(error));
        } else {
          this._doConnect(socket, attempt);
        }
      });
    };
    if (!tracing.connect.hasSubscribers) return this.run(socket, decided);
    const trace = { socket, namespace: this.name };
    const run = (done: (error?: ExtendedError) => void): void => this.run(socket, done);
    tracing.connect.traceCallback(run, -1, trace, undefined, decided);
  }

  private async addRecovered(
    client: Client,
    auth: Auth,
    pid: string,
    attempt: ConnectAttempt,
  ): Promise<void> {
    let state: RestoredState | undefined;
    this._arriving++;
    try {
      state = await this.recover(client, pid, auth["offset"]);
    } finally {
      this._arriving--;
    }
    this.introduce(this._createSocket(client, auth, state), attempt);
  }

  private _createSocket(
    client: Client,
    auth: Auth,
    state?: RestoredState,
  ): Socket<ListenEvents, EmitEvents, ServerSideEvents, SocketData> {
    const { _carriage } = this;
    if (_carriage?.isWantedBy(auth) === true) return new CarryingSocket(_carriage, this, client, auth, state);
    return new Socket(this, client, auth, state);
  }

  /** @internal How events carry the context of the application; undefined if they do not. */
  get _carriage(): Carriage | undefined {
    return this._ownCarriage ?? this._parent?._carriage ?? this.server._ownCarriage;
  }

  /** @internal The recovery states that the adapter keeps. */
  get _recoveryStore(): RecoveryStore {
    if (this.store?.adapter !== this.adapter) this.store = new RecoveryStore(this.adapter);
    return this.store;
  }

  /** The state of a client that has come back. It has at most one socket, the latest. */
  private async recover(client: Client, pid: string, offset: unknown): Promise<RestoredState | undefined> {
    let state: RestoredState | undefined;
    do {
      // Persists the state of a socket that is still connected.
      this.recoverable.get(pid)?._giveWayTo(client);
      state = (await this._recoveryStore.restore(pid, offset)) ?? state;
      // Another connection may have been faster while the adapter was asked.
    } while (this.recoverable.has(pid));
    if (state !== undefined && isOver(state.expiresAt)) {
      // The adapter expected a socket of this id.
      this.adapter.delAll(state.sid);
      state = undefined;
    }
    const { _counters } = this.server;
    if (state === undefined) _counters.recoveriesRefused++;
    else _counters.recovered++;
    if (state !== undefined) debug("connection state recovered for sid %s", state.sid);
    return state;
  }

  /**
   * @internal The client of a state has come back to another server: its socket here, if there is one, makes way.
   *
   * @param isKept - whether the socket of this id came back later
   */
  _letGo(pid: string, isKept: (id: SocketId) => boolean = () => false): void {
    const socket = this.recoverable.get(pid);
    if (socket !== undefined && !isKept(socket.id)) socket._giveWayTo(undefined);
  }

  private _doConnect(
    socket: Socket<ListenEvents, EmitEvents, ServerSideEvents, SocketData>,
    attempt: ConnectAttempt,
  ): void {
    const { client } = socket;
    this._preConnectSockets.delete(socket.id);
    this.sockets.set(socket.id, socket);
    client._accept(attempt, socket);
    socket._onconnect();
    let pending: readonly PromiseLike<unknown>[] = nothing;
    try {
      // The connection may have ended with the CONNECT, or a listener of the adapter has disconnected the socket.
      if (socket.connected) pending = this.announce(socket);
    } finally {
      if (pending.length === 0) {
        client._welcome(attempt, socket);
      } else {
        client._holdEvents(attempt);
        whenSettled(pending, () => client._welcome(attempt, socket));
      }
    }
  }

  /** Returns the promises that events have to wait for. */
  private announce(
    socket: Socket<ListenEvents, EmitEvents, ServerSideEvents, SocketData>,
  ): readonly PromiseLike<unknown>[] {
    const { _opts, _userCode } = this.server;
    if (_opts.holdUntilReady) {
      const pending = _userCode.emitAndCollect(this, ["connect", socket], "connection", socket);
      return [...pending, ..._userCode.emitAndCollect(this, ["connection", socket], "connection", socket)];
    }
    _userCode.emit(this, ["connect", socket], "connection", socket);
    _userCode.emit(this, ["connection", socket], "connection", socket);
    return nothing;
  }

  private tell(event: string, args: unknown[]): void {
    this.server._userCode.emit(this, [event, ...args], "listener", undefined);
  }

  /** Removes a socket, whether it has joined or still waits. */
  _remove(socket: Socket<ListenEvents, EmitEvents, ServerSideEvents, SocketData>): void {
    // Another socket may have taken over its id.
    for (const sockets of [this.sockets, this._preConnectSockets]) {
      if (sockets.get(socket.id) === socket) sockets.delete(socket.id);
    }
    if (socket.pid !== undefined && this.recoverable.get(socket.pid) === socket) {
      this.recoverable.delete(socket.pid);
    }
    this._checkWhetherEmpty();
  }

  /** @internal Whether no client is in it or about to join it. */
  get _isEmpty(): boolean {
    // A socket that waits for its middlewares must not join a namespace that no longer exists.
    return this.sockets.size === 0 && this._preConnectSockets.size === 0 && this._arriving === 0;
  }

  /** @internal Tells the parent namespace when no client is left. */
  _checkWhetherEmpty(): void {
    if (this._parent !== undefined && this._isEmpty) this._parent._childEmptied(this);
  }

  /** @internal Removes it from its parent namespace, if it has one and no client is left. */
  _dispose(): void {
    if (this._isEmpty) this._parent?._removeChild(this);
  }

  /**
   * Sends an event to all clients of the namespace.
   *
   * @example
   * io.of("/orders").emit("hello", 1, "2", { 3: ["4"], 5: Uint8Array.from([6]) });
   *
   * @returns always true
   * @throws Error if the event name is reserved
   */
  override emit<Ev extends EventNamesWithoutAck<EmitEvents>>(
    ev: Ev,
    ...args: EventParams<EmitEvents, Ev>
  ): boolean {
    const operator = this.newBroadcastOperator() as BroadcastOperator<Untyped, SocketData>;
    return operator.emit(ev, ...args);
  }

  /**
   * Sends an event to this namespace on the other servers of the cluster. If the last argument is a function, they are
   * asked for an answer.
   *
   * @example
   * io.serverSideEmit("hello", "world");
   * io.on("hello", (arg) => console.log(arg));
   *
   * @returns always true
   * @throws Error if the event name is reserved
   */
  serverSideEmit<Ev extends EventNames<ServerSideEvents>>(
    ev: Ev,
    ...args: EventParams<DecorateAcknowledgementsWithTimeoutAndMultipleResponses<ServerSideEvents>, Ev>
  ): boolean {
    assertNotReserved(NAMESPACE_RESERVED_EVENTS, ev);
    const event: Untyped[] = [ev, ...args];
    const last: unknown = event.at(-1);
    if (typeof last === "function") {
      event[args.length] = ackOf(this.server, last as AckCallback, ev, undefined);
    }
    const { _carriage } = this;
    if (_carriage?.reachesServers === true) _carriage.put(event);
    this.adapter.serverSideEmit(event);
    return true;
  }

  /**
   * Sends an event to this namespace on the other servers of the cluster and waits for their answers.
   *
   * @example
   * const responses = await io.serverSideEmitWithAck("ping");
   *
   * @returns one response per server, without this one; rejects if some have not answered within the time limit of the adapter, with
   * the responses that arrived in `responses` of the error
   */
  serverSideEmitWithAck<Ev extends EventNamesWithAck<ServerSideEvents>>(
    ev: Ev,
    ...args: AllButLast<EventParams<ServerSideEvents, Ev>>
  ): Promise<FirstNonErrorArg<Last<EventParams<ServerSideEvents, Ev>>>[]> {
    return promiseOfResponses((callback) => {
      this.serverSideEmit(ev, ...([...args, callback] as Untyped));
    });
  }

  /** Called by the adapter with an event of another server: its name, its arguments, and possibly a callback. */
  _onServerSideEmit(args: [string, ...Untyped[]]): void {
    if (args[0] === REVALIDATE) return void revalidateFor(this.adapter, args[1]);
    const { _carriage } = this;
    if (_carriage === undefined) this.receiveFromServer(args);
    else _carriage.receive(args, () => this.receiveFromServer(args));
  }

  private receiveFromServer(args: readonly unknown[]): void {
    this.server._checkServerEvent(args, ([event, ...rest]) => this.tell(event as string, rest));
  }

  /** @internal Removes the acknowledgements of the broadcast of this id. */
  _forgetAck(id: number): void {
    for (const socket of this.sockets.values()) socket._forgetAck(id);
  }

  /** @internal Emits `invalid_event`; called on the root namespace. */
  _announceInvalid(report: InvalidEvent): void {
    this.tell("invalid_event", [report]);
  }

  /** @internal Emits `limit_exceeded`; called on the root namespace. */
  _announceLimit(report: LimitReport): void {
    this.tell("limit_exceeded", [report]);
  }

  /** @internal Emits `new_namespace`; called on the root namespace. */
  _announceNamespace(namespace: object): void {
    this.tell("new_namespace", [namespace]);
  }

  /** @internal Emits `drain`; called on the root namespace. */
  _announceDrain(): void {
    this.tell("drain", []);
  }

  protected override newBroadcastOperator(): Broadcast<EmitEvents, SocketData> {
    return new BroadcastOperator(this.adapter);
  }
}
