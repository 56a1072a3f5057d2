import type { EnginePacket, ParseError } from "@tidewire/parser";
import { PingTimeoutError, TransportError } from "../errors.ts";
import type { Heartbeat, HeartbeatTarget } from "../protocol/heartbeat.ts";
import type { RequestSource } from "../host/host.ts";
import { Message, NOOP, OutgoingPacket, PING, PONG } from "../protocol/packet.ts";
import { Outbox } from "./outbox.ts";
import { toIncomingMessage } from "../http/query.ts";
import type { EngineRequest } from "../http/query.ts";
import { hasListeners } from "../loop/quiet-emitter.ts";
import type { CloseReason } from "../reasons.ts";
import type { ReadyState, SessionHandlers, SessionOwner } from "./types.ts";
import type { Transport, TransportHandlers } from "../transport/transport.ts";
import { safeCall } from "../loop/safe-call.ts";
import { Upgrade } from "./upgrade.ts";
import type { UpgradingSession } from "./upgrade.ts";
import { nextTick } from "../host/timers.ts";

/**
 * One connection: engine.io's `Socket`. It outlives its transports, of which it has one at a time.
 *
 * Events, for those who listen: `open`, `packet`, `packetCreate`, `data` and `message`, `flush`, `drain`, `heartbeat`,
 * `upgrading`, `upgrade` and, exactly once, `close(reason, description)`.
 */
export class Session extends Outbox implements TransportHandlers, HeartbeatTarget, UpgradingSession {
  readonly id: string;
  readonly remoteAddress: string;
  /** The handshake request; null for WebTransport. It may be set to null, or deleted, to save its memory. */
  declare request: EngineRequest;
  /** Whether the transport has been changed. */
  upgraded: boolean = false;
  /** Set by the layer above in its `connection` listener. */
  handlers: SessionHandlers | undefined = undefined;
  readonly #heartbeat: Heartbeat;
  #source: RequestSource | undefined;
  #request: EngineRequest | null | undefined = undefined;
  #upgrade: Upgrade | undefined = undefined;
  /** When the last packet came, or the session began, on the clock of the loop. */
  #heardAt: number;

  /** An own property of each session, so that it can be deleted; shared, and the view of the request made when asked for. */
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

  constructor(id: string, owner: SessionOwner, transport: Transport, source: RequestSource | undefined) {
    super(owner, transport);
    this.id = id;
    this.#source = source;
    Object.defineProperty(this, "request", Session.#requestProperty);
    if (source === undefined) this.#request = null;
    this.remoteAddress = source?.head.remoteAddress ?? "";
    this.#heartbeat = transport.wireProtocol.createHeartbeat(this, owner);
    this.#heardAt = Math.round(owner.loop.now());
    transport.sid = id;
    transport.handlers = this;
  }

  /** @internal What the request is made of, until it is replaced or removed; for those who may ask for it later. */
  get requestSource(): RequestSource | undefined {
    return Object.hasOwn(this, "request") ? this.#source : undefined;
  }

  /** @internal The request made of such a source, also when the session has forgotten it. */
  requestOf(source: unknown): EngineRequest | undefined {
    return isRequestSource(source) ? toIncomingMessage(source) : undefined;
  }

  /** The Engine.IO protocol version: 3 or 4. */
  get protocol(): 3 | 4 {
    return this.transport.wireProtocol.version;
  }

  /** Whether another transport is being probed. */
  get upgrading(): boolean {
    return this.#upgrade !== undefined;
  }

  /** @internal */
  get isBehind(): boolean {
    return this.server.turns.backlogOf(this.transport) !== undefined;
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
    this.queue(new OutgoingPacket("open", JSON.stringify(handshake)));
    if (opts.initialPacket) this.sendMessage(new Message(opts.initialPacket));
    if (hasListeners(this, "open")) this.safeEmit("open");
    this.#heartbeat.start();
  }

  /** @internal */
  /** In the context of the session, as a client that does not read may be given up. */
  sendPing(): void {
    this.server.contexts.run(this, () => this.queue(PING));
  }

  /** @internal */
  sendPong(): void {
    this.queue(PONG);
  }

  private deliver(data: string | Buffer): void {
    try {
      this.handlers?.onMessage(data);
    } catch (error) {
      this.server.loop.rethrow(error);
    }
  }

  /** @internal */
  onPacket(packet: EnginePacket): void {
    if (this.readyState !== "open") return;
    this.#heardAt = this.server.clock.recent();
    // Where the host's cork is open the answer rides it; elsewhere, and for a parked poll, it waits for the pass.
    this.reading = this.transport.corksReads;
    if (hasListeners(this, "packet")) this.safeEmit("packet", packet);
    // A listener may have ended the session.
    if ((this.readyState as ReadyState) === "closed") return;
    switch (packet.type) {
      case "message":
        this.#heartbeat.onActivity();
        this.deliver(packet.data ?? "");
        if (hasListeners(this, "data")) this.safeEmit("data", packet.data);
        if (hasListeners(this, "message")) this.safeEmit("message", packet.data);
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
  onReadEnd(): void {
    if (!this.reading) return;
    this.reading = false;
    this.flush();
  }

  /** @internal */
  onWritable(): void {
    if (this.hasWaiting) this.flush();
    else if (this.transport.name !== "polling") this.drained();
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
    if (!Object.hasOwn(this, "request")) this.#source = undefined;
    if (hasListeners(this, "heartbeat")) this.safeEmit("heartbeat");
  }

  /** @internal */
  onPingTimeout(): void {
    this.server.contexts.run(this, () => this.#endForSilence());
  }

  #endForSilence(): void {
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
    this.#upgrade = new Upgrade(this, transport, clock, opts, (reason, error) =>
      refused({ name: "UPGRADE_FAILURE", sid: this.id, transport: transport.name, reason, error }),
    );
  }

  /** @internal */
  onProbed(transport: Transport): void {
    if (hasListeners(this, "upgrading")) this.safeEmit("upgrading", transport);
  }

  /** @internal Lets a parked poll return, so that the client can finish its upgrade. */
  releasePoll(): void {
    if (this.transport.name !== "polling" || !this.transport.writable) return;
    if (this.hasWaiting) this.flush();
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
    if (hasListeners(this, "upgrade")) this.safeEmit("upgrade", transport);
    this.flush();
    if (this.readyState === "closing" && !this.hasWaiting) this.closeTransport(false);
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
      this.closeTransport(true);
      // Also when the transport was closing already, and waits for a poll.
      this.end("forced close");
      return;
    }
    if (this.readyState !== "open") return;
    this.flush();
    // Whatever a listener of the flush did, it may have closed the session already.
    if ((this.readyState as ReadyState) !== "open") return;
    this.readyState = "closing";
    if (this.hasWaiting) return;
    if (this.transport.bufferedAmount === 0) this.closeTransport(false);
    // What was gathered in a dispatch has left for the host only after it; the host is to tell when it has gone.
    else this.transport.writable = false;
  }

  protected override closeTransport(discard: boolean): void {
    if (discard) this.transport.discard();
    this.transport.close(() => this.end("forced close"));
  }

  /** @internal The one road by which a session ends, from every state, once. */
  override end(reason: CloseReason, description?: unknown): void {
    if (this.readyState === "closed") return;
    this.readyState = "closed";
    this.#upgrade?.abort();
    this.#heartbeat.stop();
    this.transport.handlers = undefined;
    this.transport.discard();
    this.transport.close();
    this.server.forget(this);
    if (this.handlers) safeCall(this.server.loop, () => this.handlers?.onClose(reason, description));
    if (hasListeners(this, "close")) this.safeEmit("close", reason, description);
    // Listeners of `close` may still look at what was not sent.
    if (this.hasWaiting) nextTick(() => this.forgetWaiting());
  }
}

function isRequestSource(value: unknown): value is RequestSource {
  return typeof value === "object" && value !== null && "head" in value && "view" in value;
}
