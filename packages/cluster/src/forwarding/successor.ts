import type { HttpExchange, internals, UpgradeExchange } from "@tidewire/engine";
import type { Link } from "../link/link.ts";
import { ForwardedRequest } from "./forwarded-request.ts";
import type { Destination } from "./forwarded-request.ts";
import type { Outstanding } from "./outstanding.ts";
import { RelayedUpgrade } from "./relayed-upgrade.ts";
import type { UpgradeDestination } from "./relayed-upgrade.ts";

/** Another node, which takes a new client of this one: this node is about to leave. */
export class Successor implements internals.RequestTaker, Destination, UpgradeDestination {
  readonly link: Link;
  needsWholeHead: boolean = true;
  /** So that the client, or its proxy, makes its next connection to a node that stays. */
  readonly closesConnections: boolean = true;
  readonly #target: internals.ClusterTarget;
  readonly #outstanding: Outstanding;

  constructor(link: Link, target: internals.ClusterTarget, outstanding: Outstanding) {
    this.link = link;
    this.#target = target;
    this.#outstanding = outstanding;
  }

  onRequest(exchange: HttpExchange): void {
    new ForwardedRequest(this, exchange, this.#target);
  }

  onUpgrade(exchange: UpgradeExchange): void {
    exchange.prepare(() => new RelayedUpgrade(this, exchange, this.#target));
  }

  onSent(): void {
    this.#outstanding.add();
  }

  onSettled(): void {
    this.#outstanding.remove();
  }

  onLost(exchange: HttpExchange | UpgradeExchange): void {
    this.#target.refuseNew(exchange);
  }
}
