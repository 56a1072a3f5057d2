import type { EnginePacket, ParseError } from "@tidewire/parser";
import { EventEmitter } from "node:events";
import { PingTimeoutError, SlowConsumerError, TransportError } from "./errors.ts";
import type { Flushable } from "./flush-queue.ts";
import type { Heartbeat, HeartbeatTarget } from "./heartbeat.ts";
import type { RequestSource } from "./host/host.ts";
import { Message, NOOP, OutgoingPacket, PING, PONG, toData } from "./message.ts";
import type { PacketOptions } from "./message.ts";
import type { Protocol } from "./protocol/protocol.ts";
import { viewOf } from "./query.ts";
import type { EngineRequest } from "./query.ts";
import type { CloseReason } from "./reasons.ts";
import type {
  ReadyState,
  SendCallback,
  SendOptions,
  SessionHandlers,
  SessionOwner,
} from "./session-types.ts";
import type { Transport, TransportHandlers } from "./transport/transport.ts";
import { guard, tell } from "./tell.ts";
import { Upgrade } from "./upgrade.ts";
import type { UpgradingSession } from "./upgrade.ts";

/**
 * One connection: engine.io's `Socket`. It outlives its transports, of which it has one at a time.
 *
 * Events, for those who listen: `open`, `packet`, `packetCreate`, `data` and `message`, `flush`, `drain`, `heartbeat`,
 * `upgrading`, `upgrade` and, exactly once, `close(reason, description)`.
 */
export class Session
  extends EventEmitter
  implements TransportHandlers, HeartbeatTarget, UpgradingSession, Flushable
{
  readonly id: string;
  readonly server: SessionOwner;
  readonly remoteAddress: string;
  /** The handshake request; null for WebTransport. It may be set to null, or deleted, to save its memory. */
  declare request: EngineRequest;
  transport: Transport;
  readyState: ReadyState = "opening";
  /** Whether the transport has been changed. */
  upgraded: boolean = false;
  /** Packets waiting for the next flush, or for a transport that takes them. */
  writeBuffer: OutgoingPacket[] = [];
  /** Set by the layer above in its `connection` listener. */
  handlers: SessionHandlers | undefined = undefined;
  /** @internal */ flushScheduled: boolean = false;
  readonly #dialect: Protocol;
  readonly #heartbeat: Heartbeat;
  #source: RequestSource | undefined;
  #request: EngineRequest | null | undefined = undefined;
  #upgrade: Upgrade | undefined = undefined;
  /** A packet is being handled whose answers leave when that is done. */
  #dispatching = false;
  /** Listeners of `flush` are being told. */
  #flushing = false;
  /** Bytes in `writeBuffer` while the transport does not take packets. */
  #waitingBytes = 0;
  /** When the last packet came, or the session began, on the clock of the loop. */
  #heardAt: number;
  /** Callbacks of `send` whose packets have not been written. */
  #callbacks: SendCallback[] | undefined = undefined;

  /** An own property of each session, so that it can be deleted; shared, and the view of the request made when asked for. */
  static readonly #requestProperty: PropertyDescriptor & ThisType<Session> = {
    get() {
      if (this.#request === undefined && this.#source !== undefined) return viewOf(this.#source);
      return this.#request;
    },
    set(request: EngineRequest | null | undefined) {
      this.#request = request;
      this.#source = undefined;
    },
    enumerable: true,
    configurable: true,
  };

  constructor(id: string, owner: SessionOwner, transport: Transport, source: RequestSource | undefined) {
    super();
    this.id = id;
    this.server = owner;
    this.transport = transport;
    this.#source = source;
    Object.defineProperty(this, "request", Session.#requestProperty);
    if (source === undefined) this.#request = null;
    this.remoteAddress = source?.head.remoteAddress ?? "";
    this.#dialect = transport.dialect;
    const { pingInterval, pingTimeout } = owner.opts;
    this.#heartbeat = this.#dialect.createHeartbeat(this, owner.clock, pingInterval, pingTimeout);
    this.#heardAt = owner.loop.now();
    transport.sid = id;
    transport.handlers = this;
  }

  /** The Engine.IO protocol version: 3 or 4. */
  get protocol(): 3 | 4 {
    return this.#dialect.version;
  }

  /** Whether another transport is being probed. */
  get upgrading(): boolean {
    return this.#upgrade !== undefined;
  }

  /** Whether a packet sent now leaves within this tick. Volatile packets are dropped when it does not. */
  get writable(): boolean {
    return this.transport.writable && this.readyState === "open";
  }

  /** Bytes sent to the client that have not left yet: those of `writeBuffer`, and those that the host holds. */
  get bufferedAmount(): number {
    let bytes = this.transport.bufferedAmount;
    for (const packet of this.writeBuffer) bytes += packet.byteLength;
    return bytes;
  }

  /** @internal Begins the protocol: the handshake packet, then the heartbeat. */
  open(): void {
    const { opts } = this.server;
    this.readyState = "open";
    const handshake = {
      sid: this.id,
      upgrades: this.server.upgrades(this.transport.name),
      pingInterval: opts.pingInterval,
      pingTimeout: opts.pingTimeout,
      maxPayload: opts.maxHttpBufferSize,
    };
    this.#queue(new OutgoingPacket("open", JSON.stringify(handshake)));
    if (opts.initialPacket) this.sendMessage(new Message(opts.initialPacket));
    if (this.listenerCount("open") > 0) this.#tell("open");
    this.#heartbeat.start();
  }

  /**
   * Queues a message; it leaves at the end of the dispatch under way, or of the tick.
   *
   * @param data - a string, or binary as Buffer, ArrayBuffer or view
   * @param callback - called with the transport once the message was handed to the host
   */
  send(data: unknown, options?: SendOptions | SendCallback, callback?: SendCallback): this {
    const given = typeof options === "object" ? options : undefined;
    const packetOptions: PacketOptions = { ...given, compress: given?.compress !== false };
    const done = typeof options === "function" ? options : callback;
    if (done && this.readyState === "open") (this.#callbacks ??= []).push(done);
    this.sendMessage(new Message(toData(data), packetOptions));
    return this;
  }

  /** The same as {@link send}. */
  write(data: unknown, options?: SendOptions | SendCallback, callback?: SendCallback): this {
    return this.send(data, options, callback);
  }

  /** Queues a message that may go to other sessions too: it is encoded once for all of them. */
  sendMessage(message: Message): void {
    this.#queue(message);
  }

  sendPing(): void {
    this.#queue(PING);
  }

  sendPong(): void {
    this.#queue(PONG);
  }

  #queue(packet: OutgoingPacket): void {
    if (this.readyState !== "open") return;
    if (this.listenerCount("packetCreate") > 0) this.#tell("packetCreate", packet);
    this.writeBuffer.push(packet);
    if (!this.transport.writable) this.#wait(packet);
    else if (!this.#dispatching) this.server.flushQueue.add(this);
  }

  /**
   * Counts what the transport does not take yet, and gives up on a client that has let it grow past the limit. A batch that
   * left while nothing waited is not held against the client, nor is the message that crosses the limit: one of any size
   * reaches a client that reads.
   */
  #wait(packet: OutgoingPacket): void {
    const limit = this.server.opts.maxBackpressure;
    const isSlow = limit > 0 && this.#waitingBytes > limit;
    this.#waitingBytes += packet.byteLength;
    if (isSlow) this.end("transport error", new SlowConsumerError(this.bufferedAmount, limit));
  }

  /** @internal Hands everything queued to the transport, if it takes packets. */
  flush(): void {
    if (this.#flushing || !this.#canFlush()) return;
    this.#flushing = true;
    if (this.listenerCount("flush") > 0) this.#tell("flush", this.writeBuffer);
    if (this.server.listenerCount("flush") > 0) {
      tell(this.server, this.server.loop, "flush", this, this.writeBuffer);
    }
    this.#flushing = false;
    // A listener may have ended the session.
    if (!this.#canFlush()) return;
    const packets = this.writeBuffer;
    this.writeBuffer = [];
    this.#waitingBytes = 0;
    const callbacks = this.#callbacks;
    this.#callbacks = undefined;
    const { transport } = this;
    transport.send(packets);
    if (callbacks !== undefined)
      for (const callback of callbacks) guard(this.server.loop, callback, transport);
    // A WebSocket that could not pass everything on tells when it has, by `onWritable`.
    if (transport.bufferedAmount === 0) this.#drained();
  }

  #canFlush(): boolean {
    return this.readyState !== "closed" && this.transport.writable && this.writeBuffer.length > 0;
  }

  #tell(event: string, ...args: unknown[]): void {
    tell(this, this.server.loop, event, ...args);
  }

  #deliver(data: string | Buffer): void {
    try {
      this.handlers?.onMessage(data);
    } catch (error) {
      this.server.loop.rethrow(error);
    }
  }

  #drained(): void {
    if (this.listenerCount("drain") > 0) this.#tell("drain");
    if (this.server.listenerCount("drain") > 0) tell(this.server, this.server.loop, "drain", this);
    if (this.readyState === "closing" && this.writeBuffer.length === 0) this.#closeTransport(false);
  }

  /** @internal */
  onPacket(packet: EnginePacket): void {
    if (this.readyState !== "open") return;
    this.#heardAt = this.server.loop.now();
    // Where the host's cork is open the answer rides it; elsewhere, and for a parked poll, it waits for the pass.
    this.#dispatching = this.transport.answersInDispatch;
    if (this.listenerCount("packet") > 0) this.#tell("packet", packet);
    // A listener may have ended the session.
    if ((this.readyState as ReadyState) === "closed") return;
    switch (packet.type) {
      case "message":
        this.#heartbeat.onActivity();
        this.#deliver(packet.data ?? "");
        if (this.listenerCount("data") > 0) this.#tell("data", packet.data);
        if (this.listenerCount("message") > 0) this.#tell("message", packet.data);
        break;
      case "ping":
        this.#heartbeat.onPing();
        break;
      case "pong":
        this.#heartbeat.onPong();
        break;
      default:
        this.#heartbeat.onActivity();
    }
  }

  /** @internal */
  onDispatched(): void {
    if (!this.#dispatching) return;
    this.#dispatching = false;
    this.flush();
  }

  /** @internal */
  onWritable(): void {
    if (this.writeBuffer.length > 0) this.flush();
    else if (this.transport.name !== "polling") this.#drained();
  }

  /** @internal Changes nothing once an orderly close is under way. */
  onParseError(error: ParseError): void {
    if (this.readyState !== "closing") this.end("parse error", error);
  }

  /** @internal */
  onError(error: TransportError): void {
    this.end("transport error", error);
  }

  /** @internal */
  onClose(error?: TransportError): void {
    this.end("transport close", error);
  }

  /** @internal */
  onHeartbeat(): void {
    // Nothing tells that a property was deleted.
    if (this.#source !== undefined && !Object.hasOwn(this, "request")) this.#source = undefined;
    if (this.listenerCount("heartbeat") > 0) this.#tell("heartbeat");
  }

  /** @internal */
  onPingTimeout(): void {
    const { loop, opts } = this.server;
    const silentFor = Math.round(loop.now() - this.#heardAt);
    this.end("ping timeout", new PingTimeoutError(opts.pingInterval, opts.pingTimeout, silentFor));
  }

  /** @internal */
  onWrongDirection(): void {
    this.end("transport error", new TransportError("INVALID_HEARTBEAT_DIRECTION"));
  }

  /**
   * @internal Begins to probe another transport.
   *
   * @param refused - told why, if nothing comes of it and the session goes on
   */
  probe(transport: Transport, refused: (context: Record<string, unknown>) => void): void {
    const { clock, opts } = this.server;
    transport.sid = this.id;
    this.#upgrade = new Upgrade(this, transport, clock, opts.upgradeTimeout, (reason, error) =>
      refused({ name: "UPGRADE_FAILURE", sid: this.id, transport: transport.name, reason, error }),
    );
  }

  /** @internal */
  onProbed(transport: Transport): void {
    if (this.listenerCount("upgrading") > 0) this.#tell("upgrading", transport);
  }

  /** @internal Lets a parked poll return, so that the client can finish its upgrade. */
  releasePoll(): void {
    if (this.transport.name !== "polling" || !this.transport.writable) return;
    if (this.writeBuffer.length > 0) this.flush();
    else this.transport.send([NOOP]);
  }

  /** @internal */
  onUpgraded(transport: Transport): void {
    const former = this.transport;
    this.#upgrade = undefined;
    this.upgraded = true;
    this.transport = transport;
    transport.handlers = this;
    former.handlers = undefined;
    former.discard();
    former.close();
    this.#heartbeat.resume();
    if (this.listenerCount("upgrade") > 0) this.#tell("upgrade", transport);
    this.flush();
    if (this.readyState === "closing" && this.writeBuffer.length === 0) this.#closeTransport(false);
  }

  /** @internal */
  onUpgradeAborted(): void {
    this.#upgrade = undefined;
    this.#heartbeat.resume();
  }

  /**
   * Ends the session with `forced close`, after what is queued was sent.
   *
   * @param discard - do not wait for a transport that takes no packets now
   */
  close(discard?: boolean): void {
    if (discard && (this.readyState === "open" || this.readyState === "closing")) {
      this.flush();
      this.#closeTransport(true);
      // Also when the transport was closing already, and waits for a poll.
      this.end("forced close");
      return;
    }
    if (this.readyState !== "open") return;
    this.flush();
    // Whatever a listener of the flush did, it may have closed the session already.
    if ((this.readyState as ReadyState) !== "open") return;
    this.readyState = "closing";
    if (this.writeBuffer.length === 0 && this.transport.bufferedAmount === 0) this.#closeTransport(false);
  }

  #closeTransport(discard: boolean): void {
    if (discard) this.transport.discard();
    this.transport.close(() => this.end("forced close"));
  }

  /** @internal The one road by which a session ends, from every state, once. */
  end(reason: CloseReason, description?: unknown): void {
    if (this.readyState === "closed") return;
    this.readyState = "closed";
    this.#upgrade?.abort();
    this.#heartbeat.stop();
    this.#callbacks = undefined;
    this.#waitingBytes = 0;
    this.transport.handlers = undefined;
    this.transport.discard();
    this.transport.close();
    this.server.forget(this);
    if (this.handlers) guard(this.server.loop, () => this.handlers?.onClose(reason, description));
    if (this.listenerCount("close") > 0) this.#tell("close", reason, description);
    // Listeners of `close` may still look at what was not sent.
    process.nextTick(() => {
      this.writeBuffer = [];
    });
  }
}
