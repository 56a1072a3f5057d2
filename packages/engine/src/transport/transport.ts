import type { EnginePacket, ParseError } from "@tidewire/parser";
import type { OutgoingHttpHeaders } from "node:http";
import type { Clock } from "../loop/clock.ts";
import type { TransportError } from "../errors.ts";
import type { HttpExchange, RequestSource } from "../host/host.ts";
import type { OutgoingPacket } from "../protocol/packet.ts";
import type { Protocol } from "../protocol/protocol.ts";
import type { EventLoop } from "../loop/event-loop.ts";
import { safeEmit } from "../loop/safe-call.ts";
import type { Traffic } from "../stats/traffic.ts";
import type { Turns } from "../loop/turns.ts";
import { beforeListener, hasListeners, QuietEmitter } from "../loop/quiet-emitter.ts";

/**
 * What a transport reports to its receiver: a session, or an upgrade that is being probed. One record serves all receivers of a
 * class, so a receiver needs no public methods and no closures for it.
 */
export interface TransportHandlers<Receiver> {
  onPacket(receiver: Receiver, packet: EnginePacket): void;
  /** All packets of one frame or body were handed over, and the host's cork is still open: the moment to answer. */
  onReadEnd(receiver: Receiver): void;
  /** The host holds an answer that it has given by itself, because the client does not read. In bytes. */
  onAnswerHeld(receiver: Receiver, bytes: number): void;
  /** The transport takes no packets any more, though it was not asked to write one. */
  onStalled(receiver: Receiver): void;
  /** The transport takes packets again. */
  onWritable(receiver: Receiver): void;
  /** Somebody is about to listen to `drain`. */
  onDrainListener(receiver: Receiver): void;
  /** What the client sent is not a packet. */
  onParseError(receiver: Receiver, error: ParseError): void;
  onError(receiver: Receiver, error: TransportError): void;
  /** The client closed it; with an error, unless it closed it normally. */
  onClose(receiver: Receiver, error?: TransportError): void;
}

/** What a transport needs of the engine. */
export interface TransportOwner {
  readonly clock: Clock;
  readonly loop: EventLoop;
  readonly turns: Turns;
  /** Counts messages and bytes; undefined unless the option `stats` asks for it. */
  readonly traffic: Traffic | undefined;
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
  /** Whether `decorate` may add anything now. */
  readonly decorates: boolean;
  /** Reports to the operator a request that was refused while the session goes on. */
  onRefusal(request: RequestSource, context: Record<string, unknown>): void;
}

/**
 * One way for packets to travel. The session sends only while it is `writable`, and everything it has at once.
 *
 * Events, for those who listen to `conn.transport`: `packet`, `drain`, `error`, `close`. Inside, everything goes to the handlers.
 *
 * @example
 * const { transport } = socket.conn;
 * transport.on("drain", () => console.log(transport.name, transport.bufferedAmount));
 *
 * // What a session calls:
 * if (transport.writable) transport.send([new OutgoingPacket("message", "hello")]);
 * transport.close(() => transport.discard());
 */
export abstract class Transport extends QuietEmitter {
  /** Names of the transports to which this one can be upgraded. */
  static readonly upgradesTo: readonly string[] = [];

  abstract get name(): "polling" | "websocket" | "webtransport";
  /** The id of the session; empty until there is one. */
  sid: string = "";
  /** Whether `send` may be called. */
  writable: boolean = false;
  readyState: "open" | "closing" | "closed" = "open";
  /** Whether another transport has replaced it: what it still holds no longer matters. */
  discarded: boolean = false;
  /** Whether binary data is sent as it is, and not as base64. */
  readonly supportsBinary: boolean;
  /** @internal */ readonly wireProtocol: Protocol;
  /** @internal */ protected readonly owner: TransportOwner;
  /** @internal */ protected receiver: unknown = undefined;
  /** @internal */ protected handlers: TransportHandlers<unknown> | undefined = undefined;

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

  /** @internal */
  [beforeListener](event: string | symbol): void {
    if (event === "drain") this.handlers?.onDrainListener(this.receiver);
  }

  /** @internal From now on reports to this receiver. */
  attach<Receiver>(receiver: Receiver, handlers: TransportHandlers<Receiver>): void {
    this.receiver = receiver;
    this.handlers = handlers;
  }

  /** @internal From now on reports to nobody. */
  detach(): void {
    this.receiver = undefined;
    this.handlers = undefined;
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
   * Writes all packets now. Call it only while `writable`.
   *
   * @returns whether they have left the host
   */
  abstract send(packets: readonly OutgoingPacket[]): boolean;

  /** @internal Writes one packet while a packet is handled, as `send` does. For transports of which `corksReads` is true. */
  sendWhileReading(packet: OutgoingPacket): boolean {
    return this.send([packet]);
  }

  /** @internal Closes the transport in an orderly way; `done` is called once the client was told, or can no longer be. */
  protected abstract doClose(done: () => void): void;

  /** @internal Handles a plain HTTP request of the session. Only long-polling has them. */
  onRequest(exchange: HttpExchange): void {
    exchange.respond(400, {});
  }

  /** Gives up what it still holds: another transport has taken over, or the session is over. */
  discard(): void {
    this.discarded = true;
  }

  /**
   * Closes the transport, once.
   *
   * @param done - called when the client was told, or can no longer be
   */
  close(done: () => void = noop): void {
    if (this.readyState !== "open") return;
    this.readyState = "closing";
    this.doClose(done);
  }

  /** @internal Emits an event for those who listen; what they throw does not keep the receiver from hearing of it. */
  protected announce(event: "packet" | "drain" | "error" | "close", argument?: unknown): void {
    if (!hasListeners(this, event)) return;
    if (argument === undefined) safeEmit(this, this.owner.loop, event);
    else safeEmit(this, this.owner.loop, event, argument);
  }

  /** @internal */
  protected failed(error: TransportError): void {
    this.announce("error", error);
    this.handlers?.onError(this.receiver, error);
  }

  /** @internal */
  protected closed(error?: TransportError): void {
    if (this.readyState === "closed") return;
    this.readyState = "closed";
    this.writable = false;
    this.owner.turns.forget(this);
    this.announce("close");
    this.handlers?.onClose(this.receiver, error);
  }
}

function noop(): void {}
