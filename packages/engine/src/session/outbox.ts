import { AsyncResource } from "node:async_hooks";
import { SlowConsumerError } from "../errors.ts";
import { Backlog } from "./backlog.ts";
import type { Flushable } from "./flush-queue.ts";
import { Message, toData } from "../protocol/packet.ts";
import type { OutgoingPacket, PacketOptions } from "../protocol/packet.ts";
import type { PacketList } from "../protocol/packet-list.ts";
import { hasListeners, QuietEmitter } from "../loop/quiet-emitter.ts";
import type { CloseReason } from "../reasons.ts";
import type { ReadyState, SendCallback, SendOptions, SessionOwner } from "./types.ts";
import { safeCall, safeEmit } from "../loop/safe-call.ts";
import type { Transport } from "../transport/transport.ts";

/** A session, as far as it sends: what waits, how much of it, and the way to the transport. */
export abstract class Outbox extends QuietEmitter implements Flushable {
  readonly server: SessionOwner;
  transport: Transport;
  readyState: ReadyState = "opening";
  /** @internal */ flushScheduled: boolean = false;
  /** A packet is being handled whose answers leave when that is done. */
  protected reading: boolean = false;
  /** Listeners of `flush` are being told. */
  #flushing = false;
  /** What waits: a list that other sessions hold as well, or one of its own; none as long as nothing waits. */
  #shared: PacketList<OutgoingPacket> | undefined = undefined;
  #own: OutgoingPacket[] | undefined = undefined;
  /** How much waits while the transport does not take packets. */
  #backlog: Backlog | undefined = undefined;
  /** Callbacks of `send` whose packets have not been written. */
  #callbacks: SendCallback[] | undefined = undefined;

  constructor(owner: SessionOwner, transport: Transport) {
    super();
    this.server = owner;
    this.transport = transport;
  }

  /** Packets waiting for the next flush, or for a transport that takes them. */
  get writeBuffer(): OutgoingPacket[] {
    if (this.#own === undefined) {
      this.#own = this.#shared === undefined ? [] : [...this.#shared.packets];
      this.#shared = undefined;
    }
    return this.#own;
  }

  set writeBuffer(packets: OutgoingPacket[]) {
    this.#own = packets;
    this.#shared = undefined;
  }

  /** Whether a packet sent now leaves within this tick. Volatile packets are dropped when it does not. */
  get writable(): boolean {
    return this.transport.writable && this.readyState === "open";
  }

  /** Bytes sent to the client that have not left yet: those of `writeBuffer`, and those that the host holds. */
  get bufferedAmount(): number {
    let bytes = this.transport.bufferedAmount;
    for (const packet of this.waiting) bytes += packet.byteLength;
    return bytes;
  }

  /**
   * Queues a message; it leaves at the end of the dispatch under way, or of the tick. The application may write into its
   * buffer again: what it held is sent.
   *
   * @param data - a string, or binary as Buffer, ArrayBuffer or view
   * @param callback - called with the transport once the message was handed to the host, in the async context of the caller
   */
  send(data: unknown, options?: SendOptions | SendCallback, callback?: SendCallback): this {
    const given = typeof options === "object" ? options : undefined;
    const packetOptions: PacketOptions = { ...given, compress: given?.compress !== false };
    const done = typeof options === "function" ? options : callback;
    if (done && this.readyState === "open") (this.#callbacks ??= []).push(bound(done));
    this.sendMessage(new Message(toData(data), packetOptions));
    return this;
  }

  /** The same as {@link send}. */
  write(data: unknown, options?: SendOptions | SendCallback, callback?: SendCallback): this {
    return this.send(data, options, callback);
  }

  /**
   * Queues a message that may go to other sessions too: it is encoded once for all of them.
   *
   * @param isShared - whether it does: sessions that wait for the same messages then hold one list of them
   */
  sendMessage(message: Message, isShared: boolean = false): void {
    this.queue(message, isShared ? message : undefined);
  }

  protected queue(packet: OutgoingPacket, shared?: Message): void {
    if (this.readyState !== "open") return;
    if (hasListeners(this, "packetCreate")) this.safeEmit("packetCreate", packet);
    if (this.reading && this.isUnwatched()) {
      // The host's cork is open, and gathers what leaves.
      this.transport.sendWhileReading(packet);
      return;
    }
    packet.keep();
    if (shared === undefined || this.#own !== undefined) this.addOwn(packet);
    else this.#shared = this.#shared === undefined ? shared.alone : this.#shared.plus(shared);
    if (!this.transport.writable) this.wait(packet.byteLength);
    else if (!this.reading) this.server.flushQueue.add(this);
  }

  private addOwn(packet: OutgoingPacket): void {
    if (this.#own === undefined && this.#shared === undefined) this.#own = [packet];
    else this.writeBuffer.push(packet);
  }

  /** Whether a packet would be flushed alone, and nobody wants to hear of it. */
  private isUnwatched(): boolean {
    return (
      !this.hasWaiting &&
      this.#callbacks === undefined &&
      this.transport.writable &&
      !hasListeners(this, "flush") &&
      !hasListeners(this, "drain") &&
      this.server.listenerCount("flush") === 0 &&
      this.server.listenerCount("drain") === 0
    );
  }

  /**
   * Counts what the transport does not take yet, and gives up on a client that has let it grow past the limit. What left while
   * nothing waited is not held against the client, nor is a burst: a message or a burst of any size reaches a client that reads.
   */
  private wait(bytes: number): void {
    const limit = this.server.opts.maxBackpressure;
    if (limit === 0) return;
    const { turn } = this.server.flushQueue;
    this.#backlog ??= new Backlog(turn);
    this.endIfSlow(this.#backlog.add(bytes, turn), limit, this.#backlog);
  }

  /** @internal The host has answered by itself, and holds the answer because the client does not read. */
  onAnswerHeld(bytes: number): void {
    const limit = this.server.opts.maxBackpressure;
    if (limit === 0) return;
    this.#backlog ??= new Backlog(this.server.flushQueue.turn);
    this.endIfSlow(this.#backlog.addAnswer(bytes), limit, this.#backlog);
  }

  private endIfSlow(bytes: number, limit: number, backlog: Backlog): void {
    if (bytes <= limit) return;
    const total = backlog.total(this.transport.bufferedAmount);
    this.end("transport error", new SlowConsumerError(total, limit));
  }

  protected get hasWaiting(): boolean {
    return this.#shared !== undefined || (this.#own !== undefined && this.#own.length > 0);
  }

  private get waiting(): readonly OutgoingPacket[] {
    return this.#shared?.packets ?? this.#own ?? [];
  }

  /** @internal Hands everything queued to the transport, if it takes packets. */
  flush(): void {
    if (this.#flushing || !this.canFlush()) return;
    this.#flushing = true;
    if (hasListeners(this, "flush")) this.safeEmit("flush", this.writeBuffer);
    if (this.server.listenerCount("flush") > 0) {
      safeEmit(this.server, this.server.loop, "flush", this, this.writeBuffer);
    }
    this.#flushing = false;
    // A listener may have ended the session.
    if (!this.canFlush()) return;
    const packets = this.waiting;
    const callbacks = this.#callbacks;
    this.forgetWaiting();
    const { transport } = this;
    const hasLeft = transport.send(packets);
    if (callbacks !== undefined)
      for (const callback of callbacks) safeCall(this.server.loop, callback, transport);
    // A WebSocket that could not pass everything on tells when it has, by `onWritable`.
    if (hasLeft) this.drained();
  }

  private canFlush(): boolean {
    return this.hasWaiting && this.transport.writable && this.readyState !== "closed";
  }

  protected forgetWaiting(): void {
    this.#own = undefined;
    this.#shared = undefined;
    this.#backlog = undefined;
    this.#callbacks = undefined;
  }

  protected drained(): void {
    if (!this.hasWaiting) this.#backlog = undefined;
    if (hasListeners(this, "drain")) this.safeEmit("drain");
    if (this.server.listenerCount("drain") > 0) safeEmit(this.server, this.server.loop, "drain", this);
    if (this.readyState === "closing" && !this.hasWaiting) this.closeTransport(false);
  }

  protected safeEmit(event: string, ...args: unknown[]): void {
    safeEmit(this, this.server.loop, event, ...args);
  }

  protected abstract closeTransport(discard: boolean): void;

  /** @internal */
  abstract end(reason: CloseReason, description?: unknown): void;
}

/** The callback in the async context of the caller: the pass in which it is called serves many. */
function bound(callback: SendCallback): SendCallback {
  const context = new AsyncResource("TIDEWIRE");
  return (transport) => context.runInAsyncScope(callback, undefined, transport);
}
