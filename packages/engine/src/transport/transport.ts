import type { EnginePacket, ParseError } from "@tidewire/parser";
import type { OutgoingHttpHeaders } from "node:http";
import type { Clock } from "../loop/clock.ts";
import type { TransportError } from "../errors.ts";
import type { HttpExchange, RequestSource } from "../host/host.ts";
import type { OutgoingPacket } from "../protocol/packet.ts";
import type { Protocol } from "../protocol/protocol.ts";
import type { EventLoop } from "../loop/event-loop.ts";
import { safeEmit } from "../loop/safe-call.ts";
import type { Turns } from "../loop/turns.ts";
import { hasListeners, QuietEmitter } from "../loop/quiet-emitter.ts";

/** Who receives what a transport reads: the session, or an upgrade that is still being probed. */
export interface TransportHandlers {
  onPacket(packet: EnginePacket): void;
  /** All packets of one frame or body were handed over, and the host's cork is still open: the moment to answer. */
  onReadEnd(): void;
  /** The host holds an answer that it has given by itself, because the client does not read. In bytes. */
  onAnswerHeld(bytes: number): void;
  /** The transport takes packets again. */
  onWritable(): void;
  /** What the client sent is not a packet. */
  onParseError(error: ParseError): void;
  onError(error: TransportError): void;
  /** The client closed it; with an error, if not in the way of one that is done. */
  onClose(error?: TransportError): void;
}

/** What a transport needs of the engine. */
export interface TransportOwner {
  readonly clock: Clock;
  readonly loop: EventLoop;
  readonly turns: Turns;
  readonly opts: {
    readonly maxHttpBufferSize: number;
    readonly maxReceiveBacklog: number;
    readonly httpCompression: false | { threshold: number };
    readonly perMessageDeflate: false | { threshold: number };
  };
  /**
   * Adds to the headers of a response: the cookie, and what listeners of `headers` add.
   *
   * @param sid - for the cookie, which WebSockets do not set
   */
  decorate(headers: OutgoingHttpHeaders, request: RequestSource, sid?: string): void;
  /** Tells the operator of a request that was refused while the session goes on. */
  onRefusal(request: RequestSource, context: Record<string, unknown>): void;
}

/**
 * One way for packets to travel. The session sends only while `writable`, and everything it has at once.
 *
 * It is an EventEmitter for those who look at `conn.transport` from outside (`packet`, `drain`, `error`, `close`); inside,
 * everything goes to the handlers.
 */
export abstract class Transport extends QuietEmitter {
  /** Names of the transports that one of this kind can be upgraded to. */
  static readonly upgradesTo: readonly string[] = [];

  abstract get name(): "polling" | "websocket" | "webtransport";
  /** The session this transport serves. */
  sid: string = "";
  writable: boolean = false;
  readyState: "open" | "closing" | "closed" = "open";
  /** Replaced by another transport: what it still holds no longer matters. */
  discarded: boolean = false;
  readonly supportsBinary: boolean;
  /** @internal */ handlers: TransportHandlers | undefined = undefined;
  /** @internal */ readonly wireProtocol: Protocol;
  protected readonly owner: TransportOwner;

  constructor(protocol: Protocol, supportsBinary: boolean, owner: TransportOwner) {
    super();
    this.wireProtocol = protocol;
    this.supportsBinary = supportsBinary;
    this.owner = owner;
  }

  /** The Engine.IO protocol version, 3 or 4. */
  get protocol(): number {
    return this.wireProtocol.version;
  }

  /** Whether it begins with an HTTP upgrade. */
  get handlesUpgrades(): boolean {
    return false;
  }

  /** @internal Whether what is written while a packet is handled leaves right after it; otherwise it leaves at the end of the tick. */
  get corksReads(): boolean {
    return false;
  }

  /** Bytes handed to the host that have not left it. */
  abstract get bufferedAmount(): number;

  /**
   * Writes all the packets now. Call only while `writable`.
   *
   * @returns whether nothing of it is left in the host
   */
  abstract send(packets: readonly OutgoingPacket[]): boolean;

  /** @internal Writes one packet in the dispatch under way. For transports that answer there. */
  sendWhileReading(packet: OutgoingPacket): void {
    this.send([packet]);
  }

  /** Ends the transport in an orderly way; `done` is called once the client has been told, or can no longer be. */
  protected abstract doClose(done: () => void): void;

  /** A plain HTTP request of the session. Only long-polling has them. */
  onRequest(exchange: HttpExchange): void {
    exchange.respond(400, {});
  }

  discard(): void {
    this.discarded = true;
  }

  close(done: () => void = noop): void {
    if (this.readyState !== "open") return;
    this.readyState = "closing";
    this.doClose(done);
  }

  /** What a listener throws must not keep the session from hearing of it. */
  private safeEmit(event: string, ...args: unknown[]): void {
    safeEmit(this, this.owner.loop, event, ...args);
  }

  protected packet(packet: EnginePacket): void {
    if (hasListeners(this, "packet")) this.safeEmit("packet", packet);
    this.handlers?.onPacket(packet);
  }

  protected drained(): void {
    if (hasListeners(this, "drain")) this.safeEmit("drain");
  }

  protected failed(error: TransportError): void {
    if (hasListeners(this, "error")) this.safeEmit("error", error);
    this.handlers?.onError(error);
  }

  protected closed(error?: TransportError): void {
    if (this.readyState === "closed") return;
    this.readyState = "closed";
    this.writable = false;
    this.owner.turns.forget(this);
    if (hasListeners(this, "close")) this.safeEmit("close");
    this.handlers?.onClose(error);
  }
}

function noop(): void {}
