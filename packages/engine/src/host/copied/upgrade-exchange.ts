import type { OutgoingHttpHeaders } from "node:http";
import type { UpgradeExchange, WebSocketHandlers, WebSocketPort } from "../host.ts";
import { CollectedExchange } from "./collected-exchange.ts";

/** An upgrade request. What middlewares write goes out with the 101, or instead of it. */
export abstract class CollectedUpgradeExchange extends CollectedExchange implements UpgradeExchange {
  /** Overridden by hosts that leave the check to us. */
  get malformed(): boolean {
    return false;
  }

  /** Overridden by the host that needs something to accept an upgrade late. */
  get isReady(): boolean {
    return true;
  }

  prepare(callback: () => void): void {
    callback();
  }

  commitHeaders(): OutgoingHttpHeaders {
    return this.collected?.writeHead(101) ?? {};
  }

  accept(headers: OutgoingHttpHeaders, open: (port: WebSocketPort) => WebSocketHandlers): void {
    if (this.ended || !this.isValid(headers)) return;
    this.ended = true;
    this.collected?.end();
    this.upgrade(headers, (port) => {
      this.request.upgraded?.(port);
      return open(port);
    });
  }

  reject(status: number, body: string): void {
    // The casing is what existing clients and tests have seen.
    this.respond(status, { Connection: "close", "Content-type": "text/html" }, body);
  }

  /** Completes the upgrade. */
  protected abstract upgrade(
    headers: OutgoingHttpHeaders,
    open: (port: WebSocketPort) => WebSocketHandlers,
  ): void;
}
