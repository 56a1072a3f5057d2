import { PacketType } from "@tidewire/parser";
import type { Packet } from "@tidewire/parser";
import createDebug from "debug";
import type { Adapter, BroadcastFlags, SocketId } from "socket.io-adapter";
import { registerTimedAck } from "./events/acks.ts";
import type { AckCallback } from "./events/acks.ts";
import { BroadcastOperator } from "./broadcast-operator.ts";
import { CatchAllEmitter } from "./events/any-listeners.ts";
import type { WriteOptions } from "./connection/port.ts";
import type { Broadcast } from "./broadcasting-emitter.ts";
import { assertNotReserved } from "./errors.ts";
import { SOCKET_RESERVED_EVENTS } from "./events/reserved.ts";
import type {
  AllButLast,
  EventNames,
  EventNamesWithAck,
  EventParams,
  EventsMap,
  FirstNonErrorArg,
  Last,
} from "./events/typed-events.ts";
import type { UserCode } from "./events/user-code.ts";

const debug = createDebug("socket.io:socket");

/** How most packets are written. */
const plainly: WriteOptions = Object.freeze({ compress: true });

/** What middlewares have emitted to sockets that can be recovered, and are in no room yet. Few ever are. */
const heldPackets = new WeakMap<object, (() => void)[]>();

/** A socket, as far as it sends: events, how the next one is sent, and the answers that are waited for. */
export abstract class SendingSocket<
  ListenEvents extends EventsMap,
  EmitEvents extends EventsMap,
  ReservedEvents extends EventsMap,
  SocketData,
> extends CatchAllEmitter<ListenEvents, EmitEvents, ReservedEvents, SocketData> {
  abstract readonly id: SocketId;
  abstract readonly adapter: Adapter;
  abstract readonly nsp: { readonly name: string; _ids: number };
  abstract connected: boolean;
  /** Whether it has left for good, or never will join. */
  abstract readonly _gone: boolean;
  abstract readonly client: { _packet(packet: Packet, options: WriteOptions): void };
  abstract readonly server: {
    readonly _opts: { readonly connectionStateRecovery?: object };
    readonly _userCode: UserCode;
  };
  // Made on first use: most sockets of a quiet server need none of them.
  private ownAcks: Map<number, AckCallback> | undefined = undefined;
  private ownFlags: BroadcastFlags | undefined = undefined;

  /** The acknowledgements that are waited for, by packet id. */
  get acks(): Map<number, AckCallback> {
    return (this.ownAcks ??= new Map());
  }

  /** The modifiers of the next emit. */
  get flags(): BroadcastFlags {
    return (this.ownFlags ??= {});
  }

  set flags(flags: BroadcastFlags) {
    this.ownFlags = flags;
  }

  private takeFlags(): BroadcastFlags | undefined {
    const flags = this.ownFlags;
    this.ownFlags = undefined;
    return flags;
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
    const packet: Packet = { type: PacketType.EVENT, nsp: this.nsp.name, data };
    const last = data[data.length - 1];
    if (typeof last === "function") {
      data.pop();
      packet.id = this.nsp._ids++;
      this.registerAckCallback(packet.id, this.server._userCode.guardAck(last as AckCallback, ev, this));
    }
    const flags = this.takeFlags();
    if (!this.server._opts.connectionStateRecovery) {
      this.notifyOutgoingListeners(packet);
      this.packet(packet, flags);
    } else if (this.connected || this._gone) {
      this.emitToOwnRoom(packet, flags);
    } else {
      const packets = heldPackets.get(this) ?? [];
      heldPackets.set(this, packets);
      packets.push(() => this.emitToOwnRoom(packet, flags));
    }
    return true;
  }

  /** The adapter remembers what it broadcasts. */
  private emitToOwnRoom(packet: Packet, flags: BroadcastFlags = {}): void {
    this.adapter.broadcast(packet, { rooms: new Set([this.id]), except: new Set(), flags });
  }

  /** Sends what had to wait until the socket was in its room. */
  protected sendHeld(): void {
    const packets = heldPackets.get(this);
    heldPackets.delete(this);
    packets?.forEach((send) => send());
  }

  /**
   * Sends an event and waits for the answer: without limit, unless `timeout()` sets one.
   *
   * @example
   * const answer = await socket.timeout(1000).emitWithAck("question");
   */
  emitWithAck<Ev extends EventNamesWithAck<EmitEvents>>(
    ev: Ev,
    ...args: AllButLast<EventParams<EmitEvents, Ev>>
  ): Promise<FirstNonErrorArg<Last<EventParams<EmitEvents, Ev>>>> {
    const timed = this.ownFlags?.timeout !== undefined;
    return new Promise((resolve, reject) => {
      const ack: AckCallback = timed
        ? (error, answer) => (error ? reject(error as Error) : resolve(answer))
        : (answer) => resolve(answer);
      this.emit(ev, ...([...args, ack] as EventParams<EmitEvents, Ev>));
    });
  }

  private registerAckCallback(id: number, ack: AckCallback): void {
    const timeout = this.ownFlags?.timeout;
    if (timeout === undefined) {
      this.acks.set(id, ack);
    } else {
      registerTimedAck(this, id, ack, timeout);
    }
  }

  /** Hands an answer to what waits for it. */
  protected onack(packet: Packet): void {
    const ack = packet.id === undefined ? undefined : this.ownAcks?.get(packet.id);
    if (typeof ack === "function") {
      this.acks.delete(packet.id as number);
      ack.apply(this, packet.data as unknown[]);
    } else {
      debug("bad ack %s", packet.id);
    }
  }

  /** Writes a packet to the client. Adapters and middlewares may call it before the socket is connected. */
  packet(packet: Omit<Packet, "nsp"> & { nsp?: string }, options: WriteOptions = plainly): void {
    packet.nsp = this.nsp.name;
    if (options !== plainly) options.compress = options.compress !== false;
    this.client._packet(packet as Packet, options);
  }

  /**
   * Whether the next packet may be compressed.
   *
   * @example
   * socket.compress(false).emit("hello");
   */
  compress(compress: boolean): this {
    this.flags.compress = compress;
    return this;
  }

  /**
   * The next packet is dropped if the client cannot take it at once.
   *
   * @example
   * socket.volatile.emit("position", x, y);
   */
  get volatile(): this {
    this.flags.volatile = true;
    return this;
  }

  /**
   * Starts a chain that reaches everyone but this socket.
   *
   * @example
   * socket.broadcast.emit("foo", "bar");
   */
  get broadcast(): Broadcast<EmitEvents, SocketData> {
    return this.newBroadcastOperator();
  }

  protected override newBroadcastOperator(): Broadcast<EmitEvents, SocketData> {
    return new BroadcastOperator(this.adapter, new Set(), new Set([this.id]), this.takeFlags() ?? {});
  }
}
