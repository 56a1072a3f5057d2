import { ConnectionErrorCode } from "../errors.ts";
import type { HttpExchange } from "../host/host.ts";
import type { Query } from "../http/query.ts";
import type { Protocol } from "../protocol/protocol.ts";
import type { Session } from "../session/session.ts";
import { PollingTransport } from "../transport/polling.ts";
import type { RequestTaker } from "./cluster.ts";
import type { AdmissionOwner, PendingRequest } from "./pending-request.ts";

/** When a client that was refused by a server that is shut down may try again, in seconds: another one should be there by then. */
const RETRY_AFTER = "1";

/** A request without an upgrade: long-polling. */
export class PlainRequest implements PendingRequest {
  readonly exchange: HttpExchange;
  readonly query: Query;

  constructor(exchange: HttpExchange, query: Query) {
    this.exchange = exchange;
    this.query = query;
  }

  get isUpgrade(): boolean {
    return false;
  }

  get isMalformed(): boolean {
    return false;
  }

  get isReady(): boolean {
    return true;
  }

  prepare(callback: () => void): void {
    callback();
  }

  refuse(code: ConnectionErrorCode, message: unknown): void {
    const status = code === ConnectionErrorCode.FORBIDDEN ? 403 : 400;
    this.exchange.respond(status, { "Content-Type": "application/json" }, JSON.stringify({ code, message }));
  }

  refuseForNow(message: string): void {
    const body = JSON.stringify({ code: ConnectionErrorCode.FORBIDDEN, message });
    this.exchange.respond(429, { "Content-Type": "application/json", "Retry-After": "1" }, body);
  }

  unavailable(): void {
    this.exchange.respond(503, { Connection: "close", "Retry-After": RETRY_AFTER });
  }

  passTo(taker: RequestTaker): void {
    taker.onRequest(this.exchange);
  }

  join(session: Session): void {
    session.transport.onRequest(this.exchange);
  }

  open(id: string, protocol: Protocol, owner: AdmissionOwner): void {
    const { exchange, query } = this;
    owner.openSession(id, new PollingTransport(protocol, query, owner.engine), exchange.request, exchange);
  }
}
