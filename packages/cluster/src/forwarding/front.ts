import { internals } from "@tidewire/engine";
import type { HttpExchange, UpgradeExchange } from "@tidewire/engine";
import { SessionClaim } from "../binding/session-claim.ts";
import type { Link } from "../link/link.ts";
import { ForwardedRequest } from "./forwarded-request.ts";
import type { Destination } from "./forwarded-request.ts";
import type { Outstanding } from "./outstanding.ts";
import { RelayedUpgrade } from "./relayed-upgrade.ts";
import type { UpgradeDestination } from "./relayed-upgrade.ts";

/** Forwards the requests that have reached this node, and belong to sessions of another one. */
export class Front implements internals.RemoteSession, Destination, UpgradeDestination {
  readonly link: Link;
  /** Whether the other node needs all headers. It says so in every answer; until the first one, it may. */
  needsWholeHead: boolean = true;
  closesConnections: boolean = false;
  /** Polls that wait there. */
  readonly #polls: Set<ForwardedRequest> = new Set();
  readonly #outstanding: Outstanding;
  readonly #target: internals.ClusterTarget;
  readonly #binding: { readonly bindsLate: boolean };

  /**
   * @param binding - whether this node takes sessions over that others hold
   * @param outstanding - those of all nodes
   */
  constructor(
    link: Link,
    target: internals.ClusterTarget,
    binding: { readonly bindsLate: boolean },
    outstanding: Outstanding,
  ) {
    this.link = link;
    this.#target = target;
    this.#binding = binding;
    this.#outstanding = outstanding;
  }

  onRequest(exchange: HttpExchange): void {
    if (this.link.isOverloaded) exchange.respond(503, {});
    else new ForwardedRequest(this, exchange, this.#target);
  }

  /** A session that is held comes to its WebSocket. Otherwise the WebSocket is relayed. */
  onUpgrade(exchange: UpgradeExchange): void {
    if (exchange.malformed || !this.#binding.bindsLate) {
      this.#relay(exchange);
      return;
    }
    const { cookie } = exchange.request.head.headers;
    const claim = new SessionClaim(this.link, sidOf(exchange), this.#target, cookie, (isHere) => {
      exchange.onAbort = undefined;
      if (exchange.ended) return;
      if (isHere) this.#target.onUpgrade(exchange);
      else this.#relay(exchange);
    });
    // Then the session stays where it is.
    exchange.onAbort = () => claim.cancel();
  }

  /** The connections here are about to close: the clients whose polls wait are answered, so that they ask elsewhere. */
  retire(): void {
    this.closesConnections = true;
    for (const poll of this.#polls) poll.release();
  }

  onSent(request: ForwardedRequest | RelayedUpgrade): void {
    this.#outstanding.add();
    if (!(request instanceof ForwardedRequest) || !request.isPoll) return;
    this.#polls.add(request);
    if (this.closesConnections) request.release();
  }

  onSettled(request: ForwardedRequest | RelayedUpgrade): void {
    this.#outstanding.remove();
    if (request instanceof ForwardedRequest) this.#polls.delete(request);
  }

  onLost(exchange: HttpExchange | UpgradeExchange): void {
    this.#target.refuseUnknown(exchange);
  }

  claim(sid: string, done: () => void): void {
    if (this.#binding.bindsLate) new SessionClaim(this.link, sid, this.#target, undefined, done);
    else done();
  }

  #relay(exchange: UpgradeExchange): void {
    exchange.prepare(() => {
      if (this.link.isOverloaded) exchange.reject(503, "");
      else new RelayedUpgrade(this, exchange, this.#target);
    });
  }
}

function sidOf(exchange: UpgradeExchange): string {
  return internals.parseQuery(exchange.request.head.url)["sid"] ?? "";
}
