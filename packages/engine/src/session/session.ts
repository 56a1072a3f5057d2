import type { EnginePacketType } from "@tidewire/parser";
import { AsyncResource } from "node:async_hooks";
import { PingTimeoutError, SlowConsumerError, TransportError } from "../errors.ts";
import type { RequestSource } from "../host/host.ts";
import { nextTick } from "../host/timers.ts";
import { toIncomingMessage } from "../http/query.ts";
import type { EngineRequest } from "../http/query.ts";
import { beforeListener, hasListeners, QuietEmitter } from "../loop/quiet-emitter.ts";
import { safeCall, safeEmit } from "../loop/safe-call.ts";
import type { Heartbeat, HeartbeatHandlers } from "../protocol/heartbeat.ts";
import type { PacketList } from "../protocol/packet-list.ts";
import { Message, NOOP, PING, PONG, toData } from "../protocol/packet.ts";
import type { OutgoingPacket, PacketOptions } from "../protocol/packet.ts";
import type { CloseReason } from "../reasons.ts";
import type { Transport, TransportHandlers } from "../transport/transport.ts";
import { Backlog } from "./backlog.ts";
import type { FlushHandlers } from "./flush-queue.ts";
import { SelectiveQueue } from "./selective-queue.ts";
import { openPacket } from "./handshake.ts";
import type { ReadyState, SendCallback, SendOptions, SessionHandlers, SessionOwner } from "./types.ts";
import { Upgrade } from "./upgrade.ts";

/** What the engine does to its sessions, and applications do not. */
export interface SessionControl {
  /** Called when the application knows the session: sends the handshake, and what listeners have sent. */
  opened(session: Session): void;
  /**
   * Begins to probe another transport.
   *
   * @param refused - called with the reason if the probe fails and the session goes on
   */
  probe(session: Session, transport: Transport, refused: (context: Record<string, unknown>) => void): void;
  /**
   * Queues the messages of an event. While the transport takes nothing, they replace the earlier ones of the same key, which are not
   * sent.
   */
  sendNewest(session: Session, key: string, messages: readonly Message[]): void;
  /**
   * Queues the messages of an event, which may be lost: when more than `maxBackpressure` waits, the oldest of such messages are
   * dropped before the session is ended.
   */
  sendDroppable(session: Session, messages: readonly Message[]): void;
  /** Sends the next ping of the heartbeat now; returns whether it was sent. */
  ping(session: Session): boolean;
}

/**
 * The connection of one client: engine.io's `Socket`. It has one transport at a time, and may change it.
 *
 * Events: `message(data)` and `data(data)`, `packet(packet)` before a packet is handled, `packetCreate(packet)` before one is
 * queued, `flush(packets)`, `drain()`, `heartbeat()`, `upgrading(transport)`, `upgrade(transport)` and, exactly once,
 * `close(reason, description)`. What a listener throws surfaces as an uncaught exception.
 */
export class Session extends QuietEmitter {
  /** Called `sid` on the wire. */
  readonly id: string;
  /** The engine. */
  readonly server: SessionOwner;
  /** The IP address of the client, as Node writes it; empty for WebTransport. */
  readonly remoteAddress: string;
  transport: Transport;
  readyState: ReadyState = "open";
  /** Whether the session has changed its transport. */
  upgraded: boolean = false;
  /** The handshake request; null for WebTransport. It may be set to null, or deleted, to save its memory. */
  declare request: EngineRequest;
  /** The layer above sets these in its listener of `connection`. They are called before the events `message` and `close`. */
  handlers: SessionHandlers | undefined = undefined;
  #source: RequestSource | undefined;
  #request: EngineRequest | null | undefined = undefined;
  readonly #heartbeat: Heartbeat;
  /** When the last packet came, or the session began, on the clock of the loop. */
  #heardAt: number;
  #upgrade: Upgrade | undefined = undefined;
  /** Whether a packet is being handled whose answers leave when that is done. */
  #isReading = false;
  #isFlushing = false;
  /** Whether the session is in the flush queue, or is about to be flushed by the engine, which has just opened it. */
  #isScheduled = true;
  /** The packets that wait: a list that other sessions hold as well, or an array of its own. */
  #waiting: PacketList<OutgoingPacket> | OutgoingPacket[] | undefined = undefined;
  /** How much waits while the transport takes no packets. */
  #backlog: Backlog | undefined = undefined;
  /** Callbacks of `send` whose packets have not been written. */
  #callbacks: SendCallback[] | undefined = undefined;

  /** An own property of each session, so that it can be deleted. All share its accessors; the request is created on first use. */
  static readonly #requestProperty: PropertyDescriptor & ThisType<Session> = {
    get() {
      if (this.#request === undefined && this.#source !== undefined) return toIncomingMessage(this.#source);
      return this.#request;
    },
    set(request: EngineRequest | null | undefined) {
      this.#request = request;
      this.#source = undefined;
    },
    enumerable: true,
    configurable: true,
  };

  /**
   * Opens a session: queues the handshake packet and starts the heartbeat.
   *
   * @param isGreeted - whether the client has got its handshake packet
   */
  constructor(
    id: string,
    owner: SessionOwner,
    transport: Transport,
    source: RequestSource | undefined,
    isGreeted: boolean = false,
  ) {
    super();
    this.id = id;
    this.server = owner;
    this.transport = transport;
    this.#source = source;
    Object.defineProperty(this, "request", Session.#requestProperty);
    if (source === undefined) this.#request = null;
    this.remoteAddress = source?.head.remoteAddress ?? "";
    this.#heartbeat = transport.wireProtocol.createHeartbeat(this, Session.#heartbeatHandlers);
    this.#heardAt = Math.round(owner.loop.now());
    transport.sid = id;
    transport.attach(this, Session.#transportHandlers);
    if (!isGreeted) this.#greet();
    this.#heartbeat.start();
  }

  #greet(): void {
    const { initialPacket } = this.server.opts;
    this.#queue(openPacket(this.id, this.transport.name, this.server));
    if (initialPacket) this.sendMessage(new Message(initialPacket));
  }

  /** The Engine.IO protocol version: 3 or 4. */
  get protocol(): 3 | 4 {
    return this.transport.wireProtocol.version;
  }

  /** Whether another transport is being probed. */
  get upgrading(): boolean {
    return this.#upgrade !== undefined;
  }

  /** Whether a packet sent now leaves within this tick. Volatile packets are dropped when it does not. */
  get writable(): boolean {
    return this.transport.writable && this.#isOpen();
  }

  /** @internal The source of the request, until the request is replaced or removed. */
  get requestSource(): RequestSource | undefined {
    return Object.hasOwn(this, "request") ? this.#source : undefined;
  }

  /** Packets that wait for the next flush, or for a transport that takes them. */
  get writeBuffer(): OutgoingPacket[] {
    this.#settle();
    // The caller may change it, now or later.
    this.server.broadcasts.isTouched = true;
    const waiting = this.#waiting;
    if (Array.isArray(waiting)) return waiting;
    const own = waiting === undefined ? [] : [...waiting.packets];
    this.#waiting = own;
    return own;
  }

  set writeBuffer(packets: OutgoingPacket[]) {
    this.#settle();
    this.server.broadcasts.isTouched = true;
    this.#waiting = packets;
  }

  /** Bytes sent to the client that have not left yet: those of `writeBuffer`, and those that the host holds. */
  get bufferedAmount(): number {
    this.#settle();
    let bytes = this.transport.bufferedAmount;
    for (const packet of this.#packets()) bytes += packet.byteLength;
    return bytes;
  }

  /**
   * Queues a message. It leaves when the packet being handled has been handled, or at the end of the tick. The application may
   * write into its buffer again: what it held is sent.
   *
   * @param data - a string, or binary as Buffer, ArrayBuffer or view
   * @param callback - called with the transport once the message was handed to the host, in the async context of the caller
   *
   * @example
   * session.send("hello");
   * session.send(Buffer.from([1, 2, 3]), { compress: false }, () => console.log("sent"));
   */
  send(data: unknown, options?: SendOptions | SendCallback, callback?: SendCallback): this {
    const given = typeof options === "object" ? options : undefined;
    const packetOptions: PacketOptions = { ...given, compress: given?.compress !== false };
    const done = typeof options === "function" ? options : callback;
    if (done && this.readyState === "open") (this.#callbacks ??= []).push(bound(done));
    this.sendMessage(new Message(toData(data), packetOptions));
    return this;
  }

  /**
   * The same as {@link send}.
   *
   * @example
   * session.write("hello");
   */
  write(data: unknown, options?: SendOptions | SendCallback, callback?: SendCallback): this {
    return this.send(data, options, callback);
  }

  /**
   * Queues a message that may go to other sessions too: it is encoded once for all of them.
   *
   * @param isShared - whether it does: sessions that wait for the same messages then hold one list of them
   *
   * @example
   * const message = new Message("hello");
   * for (const session of sessions) session.sendMessage(message, true);
   */
  sendMessage(message: Message, isShared: boolean = false): void {
    this.#queue(message, isShared ? message : undefined);
  }

  /** Returns the queue of what waits, if the transport takes nothing now. */
  #selectiveQueue(): SelectiveQueue | undefined {
    this.#settle();
    if (!this.#isOpen() || this.transport.writable) return undefined;
    const queue = SelectiveQueue.holding(this.#packets());
    this.#waiting = queue;
    return queue;
  }

  /**
   * Ends the session with `forced close`, after what is queued was sent.
   *
   * @param discard - do not wait for a transport that takes no packets now
   *
   * @example
   * session.close();
   */
  close(discard?: boolean): void {
    if (discard && (this.readyState === "open" || this.readyState === "closing")) {
      this.#flush();
      this.transport.discard();
      this.#closeTransport();
      // Also when the transport was closing already, and waits for a poll.
      this.#end("forced close");
      return;
    }
    if (!this.#isOpen()) return;
    this.#flush();
    // A listener of the flush may have closed the session.
    if (!this.#isOpen()) return;
    this.readyState = "closing";
    this.server.broadcasts.block(this);
    if (this.#hasWaiting()) return;
    if (this.transport.bufferedAmount === 0) this.#closeTransport();
    // What was gathered while a packet was handled leaves the host afterwards: it will report when that has happened.
    else this.transport.writable = false;
  }

  /** @internal These are emitted for each broadcast, too: audiences that hold the session are out of date. */
  [beforeListener](event: string | symbol): void {
    if (event === "packetCreate" || event === "flush" || event === "drain") this.#leaveAudiences();
  }

  /** @internal */
  static readonly control: SessionControl = {
    opened(session) {
      session.#isScheduled = false;
      session.#flush();
    },
    probe(session, transport, refused) {
      session.#probe(transport, refused);
    },
    sendNewest(session, key, messages) {
      const replaced = session.#selectiveQueue()?.replace(key, messages) ?? [];
      for (const { byteLength } of replaced) session.#backlog?.remove(byteLength);
      for (const message of messages) session.#queue(message);
    },
    sendDroppable(session, messages) {
      const queue = session.#selectiveQueue();
      queue?.allowLoss(messages);
      for (const message of messages) {
        session.#queue(message);
        // If nothing older could go, the event itself was dropped to make room for a part of it.
        if (queue?.mayLose(messages) === false) return;
      }
    },
    ping(session) {
      return session.#isOpen() && !session.upgrading && session.#heartbeat.advance();
    },
  };

  /** @internal */
  static readonly flushHandlers: FlushHandlers<Session> = {
    flush(session) {
      session.#isScheduled = false;
      session.#flush();
    },
    deliver(session, messages) {
      if (!session.#isOpen()) return;
      if (!session.#isReading && session.#isUnwatched()) {
        session.#backlog = undefined;
        if (!session.transport.send(messages)) session.server.broadcasts.block(session);
      } else {
        this.queue(session, messages, 0);
      }
    },
    queue(session, messages, first) {
      for (let i = first; i < messages.length && session.#isOpen(); i++) {
        session.#enqueue(messages[i]!, messages[i]);
      }
    },
    stalled(session) {
      session.transport.writable = false;
      session.server.broadcasts.block(session);
    },
    areWatched({ server }) {
      return server.listenerCount("flush") > 0 || server.listenerCount("drain") > 0;
    },
  };

  static readonly #transportHandlers: TransportHandlers<Session> = {
    onPacket(session, packet) {
      if (!session.#isOpen()) return;
      const { server } = session;
      session.#heardAt = server.clock.recent();
      // Where the host's cork is open the answer rides it; elsewhere, and for a parked poll, it waits for the pass.
      if (!session.#isReading && session.transport.corksReads) session.#beginRead();
      if (hasListeners(session, "packet")) {
        safeEmit(session, server.loop, "packet", packet);
        if (session.#isClosed()) return;
      }
      if (packet.type !== "message") {
        session.#onControl(packet.type);
        return;
      }
      session.#heartbeat.onActivity();
      try {
        session.handlers?.onMessage(packet.data ?? "");
      } catch (error) {
        server.loop.rethrow(error);
      }
      if (hasListeners(session, "data")) safeEmit(session, server.loop, "data", packet.data);
      if (hasListeners(session, "message")) safeEmit(session, server.loop, "message", packet.data);
    },
    onReadEnd(session) {
      if (!session.#isReading) return;
      session.#isReading = false;
      session.server.broadcasts.reading = undefined;
      session.#flush();
    },
    onAnswerHeld(session, bytes) {
      session.#block();
      const { opts, flushQueue } = session.server;
      if (opts.maxBackpressure === 0) return;
      session.#backlog ??= new Backlog(flushQueue.turn);
      session.#endIfSlow(session.#backlog.addAnswer(bytes), session.#backlog);
    },
    onStalled(session) {
      session.#block();
    },
    onDrainListener(session) {
      session.#leaveAudiences();
    },
    onWritable(session) {
      if (session.#isOpen()) session.server.broadcasts.unblock(session);
      session.#settle();
      if (session.#hasWaiting()) session.#flush();
      else if (session.transport.name !== "polling") session.#onDrained();
    },
    onParseError(session, error) {
      // It changes nothing once an orderly close is under way.
      if (session.readyState !== "closing") session.#end("parse error", error);
    },
    onError(session, error) {
      session.#end("transport error", error);
    },
    onClose(session, error) {
      session.#end("transport close", error);
    },
  };

  static readonly #heartbeatHandlers: HeartbeatHandlers<Session> = {
    isBehind(session) {
      return session.server.turns.backlogOf(session.transport) !== undefined;
    },
    sendPing(session) {
      // In the context of the session: it may end a client that does not read.
      session.server.contexts.run(session, () => session.#queue(PING));
    },
    sendPong(session) {
      session.#queue(PONG);
    },
    onHeartbeat(session) {
      // Deleting a property calls nothing, so it is looked for here.
      if (!Object.hasOwn(session, "request")) session.#source = undefined;
      if (hasListeners(session, "heartbeat")) safeEmit(session, session.server.loop, "heartbeat");
    },
    onPingTimeout(session) {
      const { contexts, loop, opts } = session.server;
      const silentFor = Math.round(loop.now() - session.#heardAt);
      const error = new PingTimeoutError(opts.pingInterval, opts.pingTimeout, silentFor);
      contexts.run(session, () => session.#end("ping timeout", error));
    },
    onWrongDirection(session) {
      session.#end("transport error", new TransportError("INVALID_HEARTBEAT_DIRECTION"));
    },
  };

  #onControl(type: EnginePacketType): void {
    if (type === "ping") this.#heartbeat.onPing();
    else if (type === "pong") this.#heartbeat.onPong();
    else this.#heartbeat.onActivity();
  }

  #isOpen(): boolean {
    return this.readyState === "open";
  }

  #isClosed(): boolean {
    return this.readyState === "closed";
  }

  #hasWaiting(): boolean {
    const waiting = this.#waiting;
    return waiting !== undefined && !(Array.isArray(waiting) && waiting.length === 0);
  }

  #packets(): readonly OutgoingPacket[] {
    const waiting = this.#waiting;
    return Array.isArray(waiting) ? waiting : (waiting?.packets ?? []);
  }

  #forgetWaiting(): void {
    this.#waiting = undefined;
    this.#backlog = undefined;
    this.#callbacks = undefined;
  }

  /** Queues what broadcasts have for this session. Whatever depends on the queue, or changes it, calls it first. */
  #settle(): void {
    const { broadcasts } = this.server;
    if (broadcasts.isWaiting) broadcasts.settle(this);
  }

  /** The transport takes nothing now: what broadcasts have for this session waits in it. */
  #block(): void {
    this.server.broadcasts.block(this);
    this.#settle();
  }

  #leaveAudiences(): void {
    this.#settle();
    this.server.broadcasts.epoch++;
  }

  /** What waits already leaves with the answers. */
  #beginRead(): void {
    this.#settle();
    this.#isReading = true;
    this.server.broadcasts.reading = this;
  }

  #queue(packet: OutgoingPacket, shared?: Message): void {
    this.#settle();
    if (!this.#isOpen()) return;
    if (hasListeners(this, "packetCreate")) safeEmit(this, this.server.loop, "packetCreate", packet);
    this.#enqueue(packet, shared);
  }

  #enqueue(packet: OutgoingPacket, shared?: Message): void {
    if (this.#isReading && this.#isUnwatched()) {
      // The host's cork is open, and gathers what leaves.
      if (!this.transport.sendWhileReading(packet)) this.server.broadcasts.block(this);
      return;
    }
    packet.keep();
    const waiting = this.#waiting;
    if (Array.isArray(waiting)) waiting.push(packet);
    else if (shared === undefined)
      this.#waiting = waiting === undefined ? [packet] : [...waiting.packets, packet];
    else this.#waiting = waiting === undefined ? shared.alone : waiting.plus(shared);
    if (!this.transport.writable) {
      this.#hold(packet.byteLength);
    } else if (!this.#isReading && !this.#isScheduled) {
      this.#isScheduled = true;
      this.server.flushQueue.add(this);
    }
  }

  /** Whether a packet would be flushed alone, and nobody listens to that. */
  #isUnwatched(): boolean {
    return (
      !this.#hasWaiting() &&
      this.#callbacks === undefined &&
      this.transport.writable &&
      !hasListeners(this, "flush") &&
      !hasListeners(this, "drain") &&
      this.server.listenerCount("flush") === 0 &&
      this.server.listenerCount("drain") === 0
    );
  }

  /**
   * Counts what the transport does not take yet, and gives up a client that has let it grow past the limit. What left while
   * nothing waited is not held against the client, nor is a burst: a message or a burst of any size reaches a client that reads.
   */
  #hold(bytes: number): void {
    const { opts, flushQueue } = this.server;
    if (opts.maxBackpressure === 0) return;
    const { turn } = flushQueue;
    this.#backlog ??= new Backlog(turn);
    this.#endIfSlow(this.#backlog.add(bytes, turn), this.#backlog);
  }

  #endIfSlow(bytes: number, backlog: Backlog): void {
    const limit = this.server.opts.maxBackpressure;
    if (bytes <= limit || this.#makeRoom(bytes, limit, backlog)) return;
    this.server.counters.slowConsumers++;
    const total = backlog.total(this.transport.bufferedAmount);
    this.#end("transport error", new SlowConsumerError(total, limit));
  }

  /** Drops what may be lost until no more than the limit waits; returns whether that was enough. */
  #makeRoom(bytes: number, limit: number, backlog: Backlog): boolean {
    const waiting = this.#waiting;
    if (!(waiting instanceof SelectiveQueue)) return false;
    let left = bytes;
    let dropped: readonly OutgoingPacket[] | undefined;
    while (left > limit && (dropped = waiting.dropOldest()) !== undefined) {
      for (const { byteLength } of dropped) left = backlog.remove(byteLength);
    }
    return left <= limit;
  }

  /** Hands everything queued to the transport, if it takes packets. */
  #flush(): void {
    this.#settle();
    if (this.#isFlushing || !this.#canFlush()) return;
    const { server } = this;
    this.#isFlushing = true;
    if (hasListeners(this, "flush")) safeEmit(this, this.server.loop, "flush", this.writeBuffer);
    if (server.listenerCount("flush") > 0) safeEmit(server, server.loop, "flush", this, this.writeBuffer);
    this.#isFlushing = false;
    // A listener may have ended the session.
    if (!this.#canFlush()) return;
    const packets = this.#packets();
    const callbacks = this.#callbacks;
    this.#forgetWaiting();
    const { transport } = this;
    const hasLeft = transport.send(packets);
    if (callbacks !== undefined) for (const callback of callbacks) safeCall(server.loop, callback, transport);
    // A WebSocket that could not pass everything on calls `onWritable` when it has.
    if (hasLeft) this.#onDrained();
    else server.broadcasts.block(this);
  }

  #canFlush(): boolean {
    return this.#hasWaiting() && this.transport.writable && !this.#isClosed();
  }

  #onDrained(): void {
    const { server } = this;
    if (!this.#hasWaiting()) this.#backlog = undefined;
    if (hasListeners(this, "drain")) safeEmit(this, this.server.loop, "drain");
    if (server.listenerCount("drain") > 0) safeEmit(server, server.loop, "drain", this);
    if (this.readyState === "closing" && !this.#hasWaiting()) this.#closeTransport();
  }

  #probe(transport: Transport, refused: (context: Record<string, unknown>) => void): void {
    const { clock, counters, loop, opts } = this.server;
    const startedAt = loop.now();
    transport.sid = this.id;
    this.#upgrade = new Upgrade(transport, clock, opts, {
      onProbed: () => {
        if (hasListeners(this, "upgrading")) safeEmit(this, this.server.loop, "upgrading", transport);
      },
      onPollDue: () => this.#releasePoll(),
      onUpgraded: () => {
        counters.upgraded++;
        counters.upgradeTime += loop.now() - startedAt;
        this.#changeTo(transport);
      },
      onAborted: () => {
        counters.upgradesFailed++;
        this.#upgrade = undefined;
        this.#heartbeat.resume();
      },
      onFailed: (reason, error) =>
        refused({ name: "UPGRADE_FAILURE", sid: this.id, transport: transport.name, reason, error }),
    });
  }

  /** Lets a parked poll return, so that the client can finish its upgrade. */
  #releasePoll(): void {
    if (this.transport.name !== "polling" || !this.transport.writable) return;
    if (this.#hasWaiting()) this.#flush();
    else this.transport.send([NOOP]);
  }

  #changeTo(transport: Transport): void {
    const former = this.transport;
    if (former.name !== "polling") this.#leaveAudiences();
    this.#upgrade = undefined;
    this.upgraded = true;
    this.transport = transport;
    transport.attach(this, Session.#transportHandlers);
    former.detach();
    former.discard();
    former.close();
    this.#heartbeat.resume();
    this.server.upgraded(this);
    if (hasListeners(this, "upgrade")) safeEmit(this, this.server.loop, "upgrade", transport);
    this.#flush();
    if (this.readyState === "closing" && !this.#hasWaiting()) this.#closeTransport();
  }

  #closeTransport(): void {
    this.transport.close(() => this.#end("forced close"));
  }

  /** Every session ends here, from whatever state, once. */
  #end(reason: CloseReason, description?: unknown): void {
    this.#settle();
    if (this.#isClosed()) return;
    this.readyState = "closed";
    this.server.broadcasts.block(this);
    this.#upgrade?.abort();
    this.#heartbeat.stop();
    this.transport.detach();
    this.transport.discard();
    this.transport.close();
    this.server.forget(this);
    const { handlers } = this;
    if (handlers !== undefined) safeCall(this.server.loop, () => handlers.onClose(reason, description));
    if (hasListeners(this, "close")) safeEmit(this, this.server.loop, "close", reason, description);
    this.server.broadcasts.forget(this);
    // Listeners of `close` may still look at what was not sent.
    if (this.#hasWaiting()) nextTick(() => this.#forgetWaiting());
  }
}

/** The callback in the async context of the caller: the pass in which it is called serves many. */
function bound(callback: SendCallback): SendCallback {
  const context = new AsyncResource("TIDEWIRE");
  return (transport) => context.runInAsyncScope(callback, undefined, transport);
}
