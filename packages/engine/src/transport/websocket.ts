import { ParseError } from "@tidewire/parser";
import type { EnginePacket } from "@tidewire/parser";
import { Timeout } from "../loop/timeout.ts";
import { FastProducerError, PayloadTooLargeError, TransportError, WebSocketClosedError } from "../errors.ts";
import type { WebSocketErrorKind, WebSocketHandlers, WebSocketPort } from "../host/host.ts";
import { isAtLeast } from "../http/compression.ts";
import type { OutgoingPacket } from "../protocol/packet.ts";
import type { Protocol } from "../protocol/protocol.ts";
import { FanOut } from "./fan-out.ts";
import type { OutgoingFrame } from "./fan-out.ts";
import { MessageBacklog } from "./message-backlog.ts";
import type { BacklogHandlers } from "./message-backlog.ts";
import { Transport } from "./transport.ts";
import type { TransportOwner } from "./transport.ts";

/** How long a client may take to answer our close frame, in ms. */
const CLOSE_TIMEOUT = 30_000;

/** Codes of a normal close: the client was done, left the page, or gave no code. */
const NORMAL_CODES: ReadonlySet<number> = new Set([1000, 1001, 1005]);

/** Engine.IO over WebSocket, one packet per frame. The same on every host. */
export class WebSocketTransport extends Transport implements WebSocketHandlers {
  readonly #port: WebSocketPort;
  #closing: Timeout | undefined = undefined;

  /** What is about to be sent in one cork. Hosts write it before `cork` returns, so one object serves all transports. */
  static readonly #batch: {
    transport: WebSocketTransport | undefined;
    packets: readonly OutgoingPacket[];
    write(): void;
  } = {
    transport: undefined,
    packets: [],
    write() {
      const { transport, packets } = this;
      if (transport === undefined) return;
      for (let i = 0; i < packets.length; i++) transport.#sendFrame(packets[i]!);
    },
  };

  constructor(port: WebSocketPort, protocol: Protocol, supportsBinary: boolean, owner: TransportOwner) {
    super(protocol, supportsBinary, owner);
    this.#port = port;
    this.writable = true;
  }

  /** @internal A fan-out to transports that write the same frames; undefined if they differ. */
  static fanOut(transports: readonly Transport[]): FanOut | undefined {
    const [first] = transports;
    if (!(first instanceof WebSocketTransport)) return undefined;
    const ports: WebSocketPort[] = [];
    for (const transport of transports) {
      if (!(transport instanceof WebSocketTransport) || !first.#writesAs(transport)) return undefined;
      ports.push(transport.#port);
    }
    return new FanOut(ports, (packet) => first.#encode(packet));
  }

  #writesAs(other: WebSocketTransport): boolean {
    return (
      this.wireProtocol === other.wireProtocol &&
      this.supportsBinary === other.supportsBinary &&
      this.owner === other.owner
    );
  }

  get name(): "websocket" {
    return "websocket";
  }

  /** The option of the engine: whether messages are compressed, and from how many bytes on. */
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
    let hasLeft = false;
    if (packets.length === 1) {
      hasLeft = this.#sendFrame(packets[0]!);
    } else {
      const batch = WebSocketTransport.#batch;
      batch.transport = this;
      batch.packets = packets;
      this.#port.cork(batch);
      batch.transport = undefined;
    }
    return this.#sent(hasLeft);
  }

  /** @internal */
  override sendWhileReading(packet: OutgoingPacket): boolean {
    if (!this.#port.copies) packet.keep();
    return this.#sent(this.#sendFrame(packet));
  }

  #sent(hasLeft: boolean): boolean {
    // The host buffers what the kernel does not take. Until that has left, the session queues the rest.
    if (!hasLeft && this.#port.bufferedAmount > 0) {
      this.writable = false;
      return false;
    }
    this.announce("drain");
    return true;
  }

  #sendFrame(packet: OutgoingPacket): boolean {
    const data = packet.frame(this.wireProtocol.codec, this.supportsBinary);
    return this.#port.send(
      data,
      packet.binary && this.supportsBinary,
      this.#compresses(packet, data),
      packet,
    );
  }

  #encode(packet: OutgoingPacket): OutgoingFrame {
    const data = packet.frame(this.wireProtocol.codec, this.supportsBinary);
    const isBinary = packet.binary && this.supportsBinary;
    return { data, isBinary, compress: this.#compresses(packet, data), packet };
  }

  #compresses(packet: OutgoingPacket, data: string | Buffer): boolean {
    const deflate = this.perMessageDeflate;
    return deflate !== false && packet.options.compress && isAtLeast(data, deflate.threshold);
  }

  /** @internal */
  onMessage(data: string | Buffer): void {
    if (this.handlers === undefined) return;
    if (this.owner.turns.isOver(this)) {
      this.#wait(data);
      return;
    }
    const packet = this.#decode(data);
    if (packet !== undefined) this.handlers?.onPacket(this.receiver, packet);
  }

  /** Returns the packet in a message, after those who listen to the transport have seen it. */
  #decode(data: string | Buffer): EnginePacket | undefined {
    try {
      const packet = this.wireProtocol.codec.decodePacket(data);
      this.announce("packet", packet);
      return packet;
    } catch (error) {
      if (!(error instanceof ParseError)) throw error;
      this.handlers?.onParseError(this.receiver, error);
      return undefined;
    }
  }

  #backlog(): MessageBacklog | undefined {
    const backlog = this.owner.turns.backlogOf(this);
    return backlog instanceof MessageBacklog ? backlog : undefined;
  }

  /** Keeps a message for another turn of the loop. */
  #wait(data: string | Buffer): void {
    const { turns, opts } = this.owner;
    let backlog = this.#backlog();
    if (backlog === undefined) {
      backlog = this.#newBacklog();
      turns.add(this, backlog);
    }
    backlog.add(data);
    const limit = opts.maxReceiveBacklog;
    if (!backlog.isPaused && limit > 0 && backlog.size > limit) {
      this.failed(new FastProducerError(backlog.size, limit));
    }
  }

  #newBacklog(): MessageBacklog {
    const port = this.#port;
    const handlers: BacklogHandlers = {
      onMessage: (data) => {
        if (this.handlers === undefined) return;
        const packet = this.#decode(data);
        if (packet !== undefined) this.handlers?.onPacket(this.receiver, packet);
      },
      onReadEnd: () => this.onReadEnd(),
      cork: (batch) => port.cork(batch),
      isWanted: () => this.handlers !== undefined,
      resume: () => port.resume(),
    };
    return new MessageBacklog(handlers, port.pause());
  }

  /** @internal */
  onReadEnd(): void {
    this.handlers?.onReadEnd(this.receiver);
  }

  /** @internal */
  onAnswered(bytes: number): void {
    if (this.#port.bufferedAmount === 0) return;
    // The host reports when the client reads again.
    this.writable = false;
    this.handlers?.onAnswerHeld(this.receiver, bytes);
  }

  /** @internal */
  onDrain(): void {
    if (this.writable || this.readyState !== "open" || this.#backlog()?.hasEnd) return;
    this.writable = true;
    this.announce("drain");
    this.handlers?.onWritable(this.receiver);
  }

  /** @internal */
  onError(kind: WebSocketErrorKind, error: Error): void {
    if (this.#isBehind(() => this.onError(kind, error))) return;
    this.failed(
      kind === "too large"
        ? new PayloadTooLargeError(this.owner.opts.maxHttpBufferSize, error)
        : new TransportError("WEBSOCKET_ERROR", { message: error.message, description: error }),
    );
  }

  /** Whether messages still wait that came before the end of the connection: then the end waits behind them. */
  #isBehind(end: () => void): boolean {
    const backlog = this.handlers && this.#backlog();
    if (backlog === undefined) return false;
    backlog.addEnd(end);
    // Nothing reaches the client any more.
    this.writable = false;
    this.handlers?.onStalled(this.receiver);
    return true;
  }

  /** @internal */
  onClose(code: number, reason: string): void {
    if (this.#isBehind(() => this.onClose(code, reason))) return;
    if (this.#closing !== undefined) this.owner.clock.cancel(this.#closing);
    this.closed(NORMAL_CODES.has(code) ? undefined : new WebSocketClosedError(code, reason));
  }

  protected doClose(done: () => void): void {
    this.writable = false;
    // Cuts off a client that does not answer the close frame.
    this.#closing = new Timeout(() => this.#port.terminate());
    this.owner.clock.schedule(this.#closing, CLOSE_TIMEOUT);
    // First: some hosts report the closure before `close` returns.
    done();
    this.#port.close();
  }
}
