import { PacketType } from "@tidewire/parser";
import type { Packet } from "@tidewire/parser";
import type { Adapter, BroadcastOptions, Room, SocketId } from "socket.io-adapter";
import { revalidateSockets } from "./auth/revalidation.ts";
import type { WaitingFlags } from "./connection/waiting.ts";
import { CLUSTER_ANSWER_TIMEOUT, promiseOfResponses, ResponseCollector } from "./events/acks.ts";
import type { AckCallback } from "./events/acks.ts";
import { assertNotReserved, createError, isTimeout } from "./errors.ts";
import { RemoteSocket } from "./remote-socket.ts";
import type { SocketDetails } from "./remote-socket.ts";
import { SOCKET_RESERVED_EVENTS } from "./events/reserved.ts";
import { traceAck, tracing } from "./events/tracing.ts";
import { ackOf } from "./events/user-code.ts";
import { queueMicrotask } from "./timers.ts";
import type {
  AllButLast,
  DecorateAcknowledgements,
  EventNames,
  EventNamesWithError,
  EventParams,
  EventsMap,
  FirstNonErrorArg,
  Last,
  TypedEventBroadcaster,
} from "./events/typed-events.ts";

// The official package exports it from here.
export type { RemoteSocket };

/** The modifiers of an operator. */
export type OperatorFlags = WaitingFlags & {
  /** whether it reaches one socket, so that acknowledgements take one response instead of a list */
  expectSingleResponse?: boolean;
  /** gives up waiting for answers */
  signal?: AbortSignal;
};

/** The namespace of an adapter. An application may have created the adapter for an object without these members. */
interface OperatedNamespace {
  readonly name?: string;
  readonly server?: Parameters<typeof ackOf>[0] & {
    readonly _ackTimeout?: number | undefined;
    readonly _counters?: { broadcasts: number; acksTimedOut: number };
  };
  _forgetAck?(id: number): void;
}

/** Those of parent namespaces cannot. */
interface RevalidatingAdapter {
  revalidateSockets?(): never;
}

/** Adapters of other packages cannot count. */
interface CountingAdapter {
  count?(target: BroadcastOptions): Promise<number> | number;
}

/**
 * Chooses sockets of a namespace, and acts on all of them. Operators are immutable: every step of a chain returns a new one,
 * which can be kept and used again.
 *
 * @example
 * io.to("room-101").except("room-102").volatile.emit("hello", "world");
 *
 * const admins = io.to("admins");
 * admins.emit("one");
 * admins.emit("two");
 */
export class BroadcastOperator<
  EmitEvents extends EventsMap,
  SocketData,
> implements TypedEventBroadcaster<EmitEvents> {
  private readonly adapter: Adapter;
  private readonly rooms: Set<Room>;
  private readonly exceptRooms: Set<Room>;
  private readonly flags: OperatorFlags;

  constructor(
    adapter: Adapter,
    rooms: Set<Room> = new Set(),
    exceptRooms: Set<Room> = new Set(),
    flags: OperatorFlags = {},
  ) {
    this.adapter = adapter;
    this.rooms = rooms;
    this.exceptRooms = exceptRooms;
    this.flags = flags;
  }

  /**
   * Adds the members of a room. A socket in several of the rooms is reached once.
   *
   * @example
   * io.to("room-101").emit("foo", "bar");
   * io.to(["room-101", "room-102"]).emit("foo", "bar");
   * io.to("room-101").to("room-102").emit("foo", "bar");
   */
  to(room: Room | Room[]): BroadcastOperator<EmitEvents, SocketData> {
    return new BroadcastOperator(this.adapter, plus(this.rooms, room), this.exceptRooms, this.flags);
  }

  /**
   * The same as {@link to}, which reads better before methods other than `emit`.
   *
   * @example
   * io.in("room-101").disconnectSockets();
   */
  in(room: Room | Room[]): BroadcastOperator<EmitEvents, SocketData> {
    return this.to(room);
  }

  /**
   * Excludes the members of a room.
   *
   * @example
   * io.except("room-101").emit("foo", "bar");
   * io.to("room-101").except(["room-102", "room-103"]).emit("foo", "bar");
   */
  except(room: Room | Room[]): BroadcastOperator<EmitEvents, SocketData> {
    return new BroadcastOperator(this.adapter, this.rooms, plus(this.exceptRooms, room), this.flags);
  }

  /**
   * Sets whether the packet may be compressed, if the transport compresses.
   *
   * @example
   * io.compress(false).emit("hello");
   */
  compress(compress: boolean): BroadcastOperator<EmitEvents, SocketData> {
    return this.with({ compress });
  }

  /**
   * Makes the packet volatile: it is dropped for each receiver that cannot take it at once, because it reads slowly or has no
   * long-polling request open.
   *
   * @example
   * io.volatile.emit("position", x, y);
   */
  get volatile(): BroadcastOperator<EmitEvents, SocketData> {
    return this.with({ volatile: true });
  }

  /**
   * Conflates the event with others of the same key: of those that wait for a client that reads slowly, only the newest is
   * sent. A client that reads at once gets every one.
   * @param key - of this namespace, such as the symbol of a price
   *
   * @example
   * io.to("prices").conflate("EURUSD").emit("price", "EURUSD", 1.0847);
   */
  conflate(key: string): BroadcastOperator<EmitEvents, SocketData> {
    return this.with({ conflate: key });
  }

  /**
   * Reaches only sockets of this server, not those of the other servers of the cluster.
   *
   * @example
   * io.local.emit("foo", "bar");
   */
  get local(): BroadcastOperator<EmitEvents, SocketData> {
    return this.with({ local: true });
  }

  /**
   * Limits the time for the answers of the receivers. Without a limit, the callback waits for every receiver, and in a cluster at
   * most for a minute.
   * @param timeout - in ms
   *
   * @example
   * io.timeout(1000).emit("some-event", (err, responses) => {
   *   // err: not all have answered in time; responses: one per client that has
   * });
   */
  timeout(timeout: number): BroadcastOperator<DecorateAcknowledgements<EmitEvents>, SocketData> {
    return this.with({ timeout });
  }

  /**
   * Gives up waiting for the answers of the receivers when the signal is aborted. The error is the reason of the signal; a callback
   * gets the answers that have come, too.
   *
   * @example
   * const responses = await io.signal(AbortSignal.timeout(1000)).emitWithAck("some-event");
   */
  signal(signal: AbortSignal): BroadcastOperator<DecorateAcknowledgements<EmitEvents>, SocketData> {
    return this.with({ signal });
  }

  /**
   * Sends an event to all chosen sockets. If the last argument is a function, every receiver is asked for an answer.
   *
   * @example
   * io.to("room-101").emit("hello", 1, "2", { 3: ["4"], 5: Uint8Array.from([6]) });
   *
   * @returns always true
   * @throws Error if the event name is reserved
   */
  emit<Ev extends EventNames<EmitEvents>>(ev: Ev, ...args: EventParams<EmitEvents, Ev>): boolean {
    assertNotReserved(SOCKET_RESERVED_EVENTS, ev);
    const data: unknown[] = [ev, ...args];
    // The adapter sets the namespace.
    const packet: Packet = { type: PacketType.EVENT, data, nsp: "" };
    const counters = this.namespace.server?._counters;
    if (counters !== undefined) counters.broadcasts++;
    if (tracing.broadcast.hasSubscribers) this.traceSending(packet, data);
    else this.send(packet, data);
    return true;
  }

  private send(packet: Packet, data: unknown[]): void {
    const last = data[data.length - 1];
    if (typeof last === "function") {
      data.pop();
      this.emitAndCollect(packet, this.guarded(last as AckCallback, data[0] as string | symbol));
    } else {
      this.adapter.broadcast(packet, this.target);
    }
  }

  private traceSending(packet: Packet, data: unknown[]): void {
    const [event, ...args] = data;
    const { rooms, exceptRooms: except } = this;
    const { name: namespace = "", server } = this.namespace;
    const trace = { server, namespace, event: String(event), args, rooms, except };
    tracing.broadcast.traceSync(() => this.send(packet, data), trace);
  }

  private emitAndCollect(packet: Packet, ack: AckCallback): void {
    const { adapter } = this;
    // A signal means nothing to other servers.
    const { signal, ...flags } = this.flags;
    const { _ackTimeout, _counters } = this.namespace.server ?? {};
    const timeout = flags.timeout ?? _ackTimeout;
    const abort = (): void => collector.fail(signal?.reason);
    const collector = new ResponseCollector(
      (error, responses) => {
        signal?.removeEventListener("abort", abort);
        if (isTimeout(error) && _counters !== undefined) _counters.acksTimedOut++;
        if (error !== null && packet.id !== undefined) this.namespace._forgetAck?.(packet.id);
        const result = flags.expectSingleResponse ? (error === null ? responses[0] : null) : responses;
        ack.call(this, error, result);
      },
      timeout === Infinity ? undefined : timeout,
    );
    if (signal?.aborted) {
      queueMicrotask(abort);
      return;
    }
    signal?.addEventListener("abort", abort);
    const target = { ...this.target, flags: { timeout: CLUSTER_ANSWER_TIMEOUT, ...flags } };
    adapter.broadcastWithAck(packet, target, collector.addClientCount, collector.addResponse);
    adapter.serverCount().then(
      (count) => collector.expectServers(count),
      (error: unknown) => collector.fail(error),
    );
  }

  private guarded(ack: AckCallback, event: string | symbol): AckCallback {
    const { server } = this.namespace;
    const called = server?._userCode === undefined ? ack : ackOf(server, ack, event, undefined, this);
    if (!tracing.ack.hasSubscribers) return called;
    const trace = { socket: undefined, namespace: this.namespace.name ?? "", event: String(event) };
    return traceAck(trace, true, called);
  }

  private get namespace(): OperatedNamespace {
    return this.adapter.nsp as OperatedNamespace;
  }

  /**
   * Sends an event and waits for the answers of all receivers.
   *
   * @example
   * try {
   *   const responses = await io.timeout(1000).emitWithAck("some-event");
   * } catch (e) {
   *   // not all have answered in time; those that have are in e.responses
   * }
   *
   * @returns one response per client
   */
  emitWithAck<Ev extends EventNamesWithError<EmitEvents>>(
    ev: Ev,
    ...args: AllButLast<EventParams<EmitEvents, Ev>>
  ): Promise<FirstNonErrorArg<Last<EventParams<EmitEvents, Ev>>>> {
    return promiseOfResponses(
      (callback) => this.emit(ev, ...([...args, callback] as EventParams<EmitEvents, Ev>)),
      this.flags.signal,
    );
  }

  /**
   * Returns the ids of the chosen sockets.
   * @deprecated use {@link fetchSockets}
   *
   * @example
   * const ids = await io.in("room1").allSockets();
   */
  allSockets(): Promise<Set<SocketId>> {
    if (!this.adapter) {
      throw createError("NO_ADAPTER");
    }
    return this.adapter.sockets(this.rooms);
  }

  /**
   * Returns the chosen sockets, on every server of the cluster.
   *
   * @example
   * for (const socket of await io.in("room1").fetchSockets()) {
   *   console.log(socket.id, socket.handshake, socket.rooms, socket.data);
   *   socket.emit("hello");
   *   socket.disconnect();
   * }
   */
  async fetchSockets(): Promise<RemoteSocket<EmitEvents, SocketData>[]> {
    const sockets = (await this.adapter.fetchSockets(this.target)) as SocketDetails<SocketData>[];
    return sockets.map((socket) =>
      isLocal(socket) ? socket : new RemoteSocket(this.only(socket.id), socket),
    );
  }

  /**
   * Counts the chosen sockets, on every server of the cluster.
   *
   * @example
   * const online = await io.in("room-101").count();
   */
  async count(): Promise<number> {
    const adapter: Adapter & CountingAdapter = this.adapter;
    if (adapter.count !== undefined) return adapter.count(this.target);
    return (await adapter.fetchSockets(this.target)).length;
  }

  /** Returns an operator for one socket, whose acknowledgements are like those of a local socket. */
  private only(id: SocketId): BroadcastOperator<EmitEvents, SocketData> {
    return new BroadcastOperator(this.adapter, new Set([id]), new Set(), { expectSingleResponse: true });
  }

  /**
   * Makes the chosen sockets join rooms.
   *
   * @example
   * io.in("room1").socketsJoin(["room2", "room3"]);
   */
  socketsJoin(room: Room | Room[]): void {
    this.adapter.addSockets(this.target, asArray(room));
  }

  /**
   * Makes the chosen sockets leave rooms.
   *
   * @example
   * io.in("room1").socketsLeave("room2");
   */
  socketsLeave(room: Room | Room[]): void {
    this.adapter.delSockets(this.target, asArray(room));
  }

  /**
   * Disconnects the chosen sockets from their namespace.
   * @param close - whether to close their connections, which they share with other namespaces
   *
   * @example
   * io.in("room1").disconnectSockets(true);
   */
  disconnectSockets(close: boolean = false): void {
    this.adapter.disconnectSockets(this.target, close);
  }

  /**
   * Calls the middlewares of the namespace again with each of the chosen sockets, on every server of the cluster, and disconnects
   * those that are refused: see `socket.revalidate()`.
   *
   * @example
   * io.in(`user:${id}`).revalidateSockets();
   *
   * @throws Error on a parent namespace, because another server of the cluster may have other children
   */
  revalidateSockets(): void {
    const adapter: Adapter & RevalidatingAdapter = this.adapter;
    adapter.revalidateSockets?.();
    void revalidateSockets(adapter, this.target);
  }

  private get target(): BroadcastOptions {
    return { rooms: this.rooms, except: this.exceptRooms, flags: this.flags };
  }

  private with<Events extends EventsMap>(flags: OperatorFlags): BroadcastOperator<Events, SocketData> {
    return new BroadcastOperator(this.adapter, this.rooms, this.exceptRooms, { ...this.flags, ...flags });
  }
}

function plus(rooms: Set<Room>, more: Room | Room[]): Set<Room> {
  const all = new Set(rooms);
  for (const room of asArray(more)) {
    all.add(room);
  }
  return all;
}

function asArray(room: Room | Room[]): Room[] {
  return Array.isArray(room) ? room : [room];
}

/** Sockets of this server are given as they are; they have far more than a RemoteSocket. */
function isLocal<EmitEvents extends EventsMap, SocketData>(
  socket: SocketDetails<SocketData>,
): socket is RemoteSocket<EmitEvents, SocketData> {
  return "server" in socket && Boolean(socket.server);
}
