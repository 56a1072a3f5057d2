import { ParseError } from "@tidewire/parser";
import { Timeout } from "../loop/timeout.ts";
import { FastProducerError, PayloadTooLargeError, TransportError, WebSocketClosedError } from "../errors.ts";
import type { WebSocketErrorKind, WebSocketHandlers, WebSocketPort } from "../host/host.ts";
import type { OutgoingPacket } from "../protocol/packet.ts";
import type { Protocol } from "../protocol/protocol.ts";
import { MessageBacklog } from "./message-backlog.ts";
import type { BacklogOwner } from "./message-backlog.ts";
import { Transport } from "./transport.ts";
import type { TransportOwner } from "./transport.ts";

/** How long a client may take to answer our close frame, in ms. */
const CLOSE_TIMEOUT = 30_000;

/** How a WebSocket closes that is done: normally, by leaving the page, or without a code. */
const NORMAL_CODES: ReadonlySet<number> = new Set([1000, 1001, 1005]);

/** What is about to be sent in one cork. Hosts write it before `cork` returns, so one variable serves all. */
let batch: readonly OutgoingPacket[] = [];

/** Engine.IO over WebSocket: one packet, one frame. The same on every host. */
export class WebSocketTransport extends Transport implements WebSocketHandlers, BacklogOwner {
  readonly #port: WebSocketPort;
  #closing: Timeout | undefined = undefined;

  constructor(port: WebSocketPort, protocol: Protocol, supportsBinary: boolean, owner: TransportOwner) {
    super(protocol, supportsBinary, owner);
    this.#port = port;
    this.writable = true;
  }

  get name(): "websocket" {
    return "websocket";
  }

  /** The engine's option of that name: whether messages are compressed, and from how many bytes. */
  get perMessageDeflate(): TransportOwner["opts"]["perMessageDeflate"] {
    return this.owner.opts.perMessageDeflate;
  }

  /** The host's own WebSocket: that of `ws` on node:http. */
  get socket(): unknown {
    return this.#port.socket;
  }

  override get handlesUpgrades(): boolean {
    return true;
  }

  override get corksReads(): boolean {
    return this.#port.corksReads;
  }

  get bufferedAmount(): number {
    return this.#port.bufferedAmount;
  }

  send(packets: readonly OutgoingPacket[]): boolean {
    if (packets.length === 1) {
      this.sendFrame(packets[0]!);
    } else {
      batch = packets;
      this.#port.cork(this);
    }
    return this.sent();
  }

  /** @internal For the port, while corked. */
  write(): void {
    const packets = batch;
    for (let i = 0; i < packets.length; i++) this.sendFrame(packets[i]!);
  }

  override sendWhileReading(packet: OutgoingPacket): void {
    if (!this.#port.copies) packet.keep();
    this.sendFrame(packet);
    this.sent();
  }

  private sent(): boolean {
    // The host buffers what the kernel does not take; until that has gone, more of it waits in the session's own queue.
    if (this.#port.bufferedAmount > 0) {
      this.writable = false;
      return false;
    }
    this.drained();
    return true;
  }

  private sendFrame(packet: OutgoingPacket): void {
    const frame = packet.frame(this.wireProtocol.codec, this.supportsBinary);
    const deflate = this.perMessageDeflate;
    const compress = deflate !== false && packet.options.compress && isAtLeast(frame, deflate.threshold);
    this.#port.send(frame, packet.binary && this.supportsBinary, compress, packet);
  }

  onMessage(data: string | Buffer): void {
    if (this.handlers === undefined) return;
    if (this.owner.turns.isOver(this)) this.#wait(data);
    else this.handle(data);
  }

  get #backlog(): MessageBacklog | undefined {
    return this.owner.turns.backlogOf(this) as MessageBacklog | undefined;
  }

  /** Keeps a message for another turn of the loop. */
  #wait(data: string | Buffer): void {
    const { turns, opts } = this.owner;
    let backlog = this.#backlog;
    if (backlog === undefined) {
      backlog = new MessageBacklog(this, this.#port.pause());
      turns.add(this, backlog);
    }
    backlog.add(data);
    const limit = opts.maxReceiveBacklog;
    if (!backlog.isPaused && limit > 0 && backlog.size > limit) {
      this.failed(new FastProducerError(backlog.size, limit));
    }
  }

  /** @internal For the backlog. */
  get isWanted(): boolean {
    return this.handlers !== undefined;
  }

  /** @internal For the backlog. */
  cork(batch: { write(): void }): void {
    this.#port.cork({
      write: () => {
        batch.write();
        this.handlers?.onReadEnd();
      },
    });
  }

  /** @internal For the backlog. */
  resume(): void {
    this.#port.resume();
  }

  /** @internal For the backlog. */
  handle(data: string | Buffer): void {
    const { handlers } = this;
    if (handlers === undefined) return;
    try {
      this.packet(this.wireProtocol.codec.decodePacket(data));
    } catch (error) {
      if (!(error instanceof ParseError)) throw error;
      handlers.onParseError(error);
    }
  }

  onReadEnd(): void {
    this.handlers?.onReadEnd();
  }

  onAnswered(bytes: number): void {
    if (this.#port.bufferedAmount === 0) return;
    // So that it is known when the client reads again.
    this.writable = false;
    this.handlers?.onAnswerHeld(bytes);
  }

  onDrain(): void {
    if (this.writable || this.readyState !== "open" || this.#backlog?.hasEnd) return;
    this.writable = true;
    this.drained();
    this.handlers?.onWritable();
  }

  onError(kind: WebSocketErrorKind, error: Error): void {
    if (this.#isBehind(() => this.onError(kind, error))) return;
    this.failed(
      kind === "too large"
        ? new PayloadTooLargeError(this.owner.opts.maxHttpBufferSize, error)
        : new TransportError("WEBSOCKET_ERROR", { message: error.message, description: error }),
    );
  }

  /** What was received before the end of the connection comes before it. */
  #isBehind(end: () => void): boolean {
    const backlog = this.handlers && this.#backlog;
    if (backlog === undefined) return false;
    backlog.addEnd(end);
    // Nothing gets through to the client any more.
    this.writable = false;
    return true;
  }

  onClose(code: number, reason: string): void {
    if (this.#isBehind(() => this.onClose(code, reason))) return;
    if (this.#closing !== undefined) this.owner.clock.cancel(this.#closing);
    this.closed(NORMAL_CODES.has(code) ? undefined : new WebSocketClosedError(code, reason));
  }

  protected doClose(done: () => void): void {
    this.writable = false;
    // A client that does not answer the close frame is cut off.
    this.#closing = new Timeout(() => this.#port.terminate());
    this.owner.clock.schedule(this.#closing, CLOSE_TIMEOUT);
    // First: some hosts report the closure before `close` returns.
    done();
    this.#port.close();
  }
}

/** Whether the data has that many bytes. A UTF-16 unit takes one to three, so most texts need no counting. */
function isAtLeast(data: string | Buffer, bytes: number): boolean {
  if (data.length >= bytes) return true;
  return typeof data === "string" && data.length * 3 >= bytes && Buffer.byteLength(data) >= bytes;
}
