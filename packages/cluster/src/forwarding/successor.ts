import type { HttpExchange, internals, UpgradeExchange } from "@tidewire/engine";
import type { Link } from "../link/link.ts";
import { ForwardedRequest } from "./forwarded-request.ts";
import type { Destination } from "./forwarded-request.ts";
import { RelayedUpgrade } from "./relayed-upgrade.ts";

/** Another node, which takes a new client of this one: this node is about to leave. */
export class Successor implements internals.RequestTaker, Destination {
  readonly link: Link;
  needsWholeHead: boolean = true;
  /** So that the client, or its proxy, makes its next connection to a node that stays. */
  readonly closesConnections: boolean = true;
  readonly #target: internals.ClusterTarget;

  constructor(link: Link, target: internals.ClusterTarget) {
    this.link = link;
    this.#target = target;
  }

  onRequest(exchange: HttpExchange): void {
    new ForwardedRequest(this, exchange, this.#target);
  }

  onUpgrade(exchange: UpgradeExchange): void {
    exchange.prepare(() => new RelayedUpgrade(this, exchange, this.#target));
  }

  onSent(): void {}

  onSettled(): void {}

  onLost(exchange: HttpExchange | UpgradeExchange): void {
    this.#target.refuseNew(exchange);
  }
}
