import type { ConnectionErrorCode } from "../errors.ts";
import type { UpgradeExchange, WebSocketHandlers, WebSocketPort } from "../host/host.ts";
import { queueMicrotask } from "../host/timers.ts";
import type { Query } from "../http/query.ts";
import type { Protocol } from "../protocol/protocol.ts";
import { Session } from "../session/session.ts";
import type { TransportOwner } from "../transport/transport.ts";
import { WebSocketTransport } from "../transport/websocket.ts";
import type { RequestTaker } from "./cluster.ts";
import type { AdmissionOwner, PendingRequest } from "./pending-request.ts";

/** A request for a WebSocket: for a new session, or for one that is on long-polling. */
export class UpgradeRequest implements PendingRequest {
  readonly exchange: UpgradeExchange;
  readonly query: Query;

  constructor(exchange: UpgradeExchange, query: Query) {
    this.exchange = exchange;
    this.query = query;
  }

  get isUpgrade(): boolean {
    return true;
  }

  get isMalformed(): boolean {
    return this.exchange.malformed;
  }

  get isReady(): boolean {
    return this.exchange.isReady;
  }

  prepare(callback: () => void): void {
    this.exchange.prepare(callback);
  }

  refuse(_code: ConnectionErrorCode, message: unknown): void {
    // Never 403, as officially: a WebSocket client does not see the status anyway.
    this.exchange.reject(400, textOf(message));
  }

  refuseForNow(message: string): void {
    this.exchange.reject(429, message);
  }

  unavailable(): void {
    this.exchange.reject(503, "");
  }

  passTo(taker: RequestTaker): void {
    taker.onUpgrade(this.exchange);
  }

  join(session: Session, owner: AdmissionOwner): void {
    this.#accept(owner, (port) => this.#probe(session, port, owner));
  }

  open(id: string, protocol: Protocol, owner: AdmissionOwner): void {
    this.#accept(owner, (port) => {
      const transport = this.#transport(port, protocol, owner.engine);
      owner.openSession(id, transport, this.exchange.request);
      return transport;
    });
  }

  #accept({ engine }: AdmissionOwner, open: (port: WebSocketPort) => WebSocketHandlers): void {
    const { exchange } = this;
    const headers = exchange.commitHeaders();
    engine.decorate(headers, exchange.request);
    exchange.accept(headers, engine.traffic?.counting(open) ?? open);
  }

  #probe(session: Session, port: WebSocketPort, { engine }: AdmissionOwner): WebSocketHandlers {
    const refused = (context: Record<string, unknown>): void =>
      engine.onRefusal(this.exchange.request, context);
    const previousTransport = session.transport.name;
    const isOpen = session.readyState === "open" && previousTransport === "polling";
    if (!isOpen || session.upgrading || !engine.opts.allowUpgrades) {
      const name = session.upgrading ? "UPGRADE_OVERLAP" : "TRANSPORT_MISMATCH";
      refused({ name, transport: "websocket", previousTransport });
      return refusePort(port);
    }
    const transport = this.#transport(port, session.transport.wireProtocol, engine);
    Session.control.probe(session, transport, refused);
    return transport;
  }

  #transport(port: WebSocketPort, protocol: Protocol, owner: TransportOwner): WebSocketTransport {
    return new WebSocketTransport(port, protocol, !this.query["b64"], owner);
  }
}

/** Returns what `allowRequest` gave as its message as text. */
function textOf(message: unknown): string {
  if (message instanceof Error) return message.message;
  return typeof message === "string" ? message : JSON.stringify(message);
}

/** Accepts and closes at once, as the official server does with an upgrade that comes too late. */
function refusePort(port: WebSocketPort): WebSocketHandlers {
  queueMicrotask(() => port.close());
  return { onMessage() {}, onReadEnd() {}, onAnswered() {}, onDrain() {}, onError() {}, onClose() {} };
}
