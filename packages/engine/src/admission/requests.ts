import { ConnectionErrorCode } from "../errors.ts";
import type { Exchange, HttpExchange, UpgradeExchange } from "../host/host.ts";
import type { Query } from "../http/query.ts";

/** A request on its way in, and how it is refused: that differs between plain requests and upgrades. */
export interface Admission {
  readonly exchange: Exchange;
  readonly query: Query;
  refuse(code: ConnectionErrorCode, message: string): void;
  /** There is no service any more, and nothing further is to come on this connection. */
  unavailable(): void;
}

export class RequestAdmission implements Admission {
  readonly exchange: HttpExchange;
  readonly query: Query;

  constructor(exchange: HttpExchange, query: Query) {
    this.exchange = exchange;
    this.query = query;
  }

  refuse(code: ConnectionErrorCode, message: string): void {
    const status = code === ConnectionErrorCode.FORBIDDEN ? 403 : 400;
    this.exchange.respond(status, { "Content-Type": "application/json" }, JSON.stringify({ code, message }));
  }

  unavailable(): void {
    this.exchange.respond(503, { Connection: "close" });
  }
}

export class UpgradeAdmission implements Admission {
  readonly exchange: UpgradeExchange;
  readonly query: Query;

  constructor(exchange: UpgradeExchange, query: Query) {
    this.exchange = exchange;
    this.query = query;
  }

  refuse(_code: ConnectionErrorCode, message: string): void {
    // 403 is never used here: a WebSocket client does not see the status anyway.
    this.exchange.reject(400, message);
  }

  unavailable(): void {
    this.exchange.reject(503, "");
  }
}
