import type { EnginePacket } from "@tidewire/parser";
import type { Clock } from "../loop/clock.ts";
import { Timeout } from "../loop/timeout.ts";
import { ConnectionErrorCode as Code, connectionErrorMessages } from "../errors.ts";
import type { RequestSource } from "../host/host.ts";
import { ParsedHead } from "../host/copied/head.ts";
import { CopiedRequest } from "../host/copied/request.ts";
import type { ResolvedOptions } from "../options.ts";
import { v4 } from "../protocol/index.ts";
import { Session } from "../session/session.ts";
import type { Transport, TransportHandlers, TransportOwner } from "../transport/transport.ts";
import type { WebTransportSession, WebTransportStream } from "../transport/webtransport-session.ts";
import { closeSession, WebTransportTransport } from "../transport/webtransport.ts";

/** How many packets may come while another node is asked for the session. The client sends a probe, and has to wait for the answer. */
const MAX_EARLY_PACKETS = 16;

/** What the handshake needs of the engine. */
export interface WebTransportOwner {
  readonly transports: TransportOwner;
  readonly opts: ResolvedOptions;
  readonly clock: Clock;
  find(sid: string): Session | undefined;
  /** Asks for a session that is not open here. Calls back once, now or later, whether it has come or not. */
  claim(sid: string, done: () => void): void;
  /** Opens a new session on the transport. */
  open(transport: Transport): void;
  /** Reports a refused session. The request is a stand-in: there is none. */
  refused(request: RequestSource, code: Code, context: Record<string, unknown>): void;
}

/**
 * The beginning of a WebTransport session: the client opens a stream and sends an open packet on it, without data for a new
 * Engine.IO session, with `{"sid":"…"}` to move an open one to this transport.
 */
export class WebTransportHandshake {
  readonly #session: WebTransportSession;
  readonly #owner: WebTransportOwner;
  /** The client has not sent its open packet in time. */
  readonly #timeout: Timeout = new Timeout(() =>
    this.#refuse(Code.BAD_REQUEST, { name: "TRANSPORT_HANDSHAKE_ERROR" }),
  );
  #transport: WebTransportTransport | undefined = undefined;
  /** Packets that have come while the session is on its way from another node. */
  #early: EnginePacket[] | undefined = undefined;

  static readonly #transportHandlers: TransportHandlers<WebTransportHandshake> = {
    onPacket(handshake, packet) {
      handshake.#onPacket(packet);
    },
    onParseError(handshake) {
      handshake.#owner.clock.cancel(handshake.#timeout);
      handshake.#refuse(Code.BAD_REQUEST, { name: "TRANSPORT_HANDSHAKE_ERROR" });
    },
    onClose(handshake) {
      handshake.#owner.clock.cancel(handshake.#timeout);
    },
    onError() {},
    onAnswerHeld() {},
    onReadEnd() {},
    onStalled() {},
    onDrainListener() {},
    onWritable() {},
  };

  constructor(session: WebTransportSession, owner: WebTransportOwner) {
    this.#session = session;
    this.#owner = owner;
  }

  /** Resolves once the stream is open, or cannot be opened any more. */
  async start(): Promise<void> {
    const { opts, clock } = this.#owner;
    // Until there is a transport, nobody else handles a rejection.
    this.#session.closed.then(ignore, ignore);
    clock.schedule(this.#timeout, opts.upgradeTimeout);
    const stream = await this.#firstStream();
    if (stream === undefined) {
      clock.cancel(this.#timeout);
    } else if (this.#timeout.isScheduled) {
      this.#transport = new WebTransportTransport(this.#session, stream, v4, this.#owner.transports);
      this.#transport.attach(this, WebTransportHandshake.#transportHandlers);
      this.#transport.start();
    }
  }

  async #firstStream(): Promise<WebTransportStream | undefined> {
    try {
      const { value } = await this.#session.incomingBidirectionalStreams.getReader().read();
      return value;
    } catch {
      return undefined;
    }
  }

  #onPacket(packet: EnginePacket): void {
    if (this.#early !== undefined) {
      if (this.#early.push(packet) > MAX_EARLY_PACKETS)
        this.#refuse(Code.BAD_REQUEST, { name: "TRANSPORT_HANDSHAKE_ERROR" });
      return;
    }
    this.#owner.clock.cancel(this.#timeout);
    const transport = this.#transport!;
    if (packet.type !== "open") {
      this.#refuse(Code.BAD_REQUEST, { name: "TRANSPORT_HANDSHAKE_ERROR" });
    } else if (packet.data === undefined) {
      this.#owner.open(transport);
    } else {
      this.#upgrade(transport, parseSessionId(packet.data));
    }
  }

  #upgrade(transport: WebTransportTransport, sid: string | undefined): void {
    if (sid === undefined) {
      this.#refuse(Code.BAD_REQUEST, { name: "TRANSPORT_HANDSHAKE_ERROR" });
      return;
    }
    const session = this.#owner.find(sid);
    if (session === undefined) {
      this.#early = [];
      this.#owner.claim(sid, () => this.#onClaimed(transport, sid));
    } else {
      this.#join(transport, session);
    }
  }

  #onClaimed(transport: WebTransportTransport, sid: string): void {
    const early = this.#early ?? [];
    this.#early = undefined;
    if (transport.readyState !== "open") return;
    const session = this.#owner.find(sid);
    if (session === undefined) {
      this.#refuse(Code.UNKNOWN_SID, { sid });
      return;
    }
    this.#join(transport, session);
    for (const packet of early) transport.handOver(packet);
  }

  #join(transport: Transport, session: Session): void {
    const previousTransport = session.transport.name;
    const { version: protocol } = transport.wireProtocol;
    if (session.protocol !== protocol) {
      const previousProtocol = session.protocol;
      this.#refuse(Code.BAD_REQUEST, { name: "PROTOCOL_MISMATCH", protocol, previousProtocol });
    } else if (
      !this.#owner.opts.allowUpgrades ||
      session.readyState !== "open" ||
      session.upgrading ||
      previousTransport !== "polling"
    ) {
      this.#refuse(Code.BAD_REQUEST, {
        name: "TRANSPORT_MISMATCH",
        transport: transport.name,
        previousTransport,
      });
    } else {
      Session.control.probe(session, transport, (context) => this.#report(Code.BAD_REQUEST, context));
    }
  }

  #refuse(code: Code, context: Record<string, unknown>): void {
    const info = { closeCode: code, reason: connectionErrorMessages[code] };
    const transport = this.#transport;
    if (transport === undefined) {
      closeSession(this.#session, info);
    } else {
      transport.detach();
      transport.refuse(info);
    }
    this.#report(code, context);
  }

  #report(code: Code, context: Record<string, unknown>): void {
    const head = new ParsedHead("CONNECT", "", {}, "", true);
    const request = new CopiedRequest(head, { destroy: () => closeSession(this.#session) });
    this.#owner.refused(request, code, context);
  }
}

/** The sid in the data of an open packet. */
function parseSessionId(data: string | Buffer): string | undefined {
  try {
    const { sid } = JSON.parse(data.toString()) as { sid?: unknown };
    return typeof sid === "string" && sid !== "" ? sid : undefined;
  } catch {
    return undefined;
  }
}

function ignore(): void {}
