import { AsyncResource } from "node:async_hooks";
import type { HttpExchange, internals, UpgradeExchange } from "@tidewire/engine";

/** Keeps the requests of sessions that may be on other nodes until this node knows those. */
export class StartingNode implements internals.RemoteSession {
  readonly needsWholeHead: boolean = true;
  readonly #started: Promise<void>;
  readonly #target: internals.ClusterTarget;

  constructor(started: Promise<void>, target: internals.ClusterTarget) {
    this.#started = started;
    this.#target = target;
  }

  onRequest(exchange: HttpExchange): void {
    this.claim("", () => {
      if (!exchange.ended) this.#target.onRequest(exchange);
    });
  }

  onUpgrade(exchange: UpgradeExchange): void {
    this.claim("", () => {
      if (!exchange.ended) this.#target.onUpgrade(exchange);
    });
  }

  claim(_sid: string, done: () => void): void {
    void this.#started.then(AsyncResource.bind(done));
  }
}
