import { internals } from "@tidewire/engine";
import type { HttpExchange, UpgradeExchange } from "@tidewire/engine";
import { SessionClaim } from "../binding/session-claim.ts";
import type { Link } from "../link/link.ts";
import { ForwardedRequest } from "./forwarded-request.ts";
import type { Destination } from "./forwarded-request.ts";
import { RelayedUpgrade } from "./relayed-upgrade.ts";

/** This node in front of another one: passes on what has come here and belongs there. */
export class Front implements internals.RemoteSession, Destination {
  readonly link: Link;
  /** Whether somebody there looks at all headers: until its first answer says so, somebody may. */
  needsWholeHead: boolean = true;
  closesConnections: boolean = false;
  /** Polls that wait there. */
  readonly #polls: Set<ForwardedRequest> = new Set();
  /** Called when there is none left. */
  #onIdle: (() => void) | undefined = undefined;
  readonly #target: internals.ClusterTarget;
  readonly #binding: { readonly bindsLate: boolean };

  /** @param binding - whether this node takes sessions over that others hold */
  constructor(link: Link, target: internals.ClusterTarget, binding: { readonly bindsLate: boolean }) {
    this.link = link;
    this.#target = target;
    this.#binding = binding;
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
    const claim = new SessionClaim(this.link, sidOf(exchange), this.#target, (isHere) => {
      exchange.onAbort = undefined;
      if (exchange.ended) return;
      if (isHere) this.#target.onUpgrade(exchange);
      else this.#relay(exchange);
    });
    // It is as if the WebSocket had not shown up.
    exchange.onAbort = () => claim.cancel();
  }

  /** The connections here are about to close: the clients whose polls wait are answered, so that they ask elsewhere. */
  retire(): void {
    this.closesConnections = true;
    for (const poll of this.#polls) poll.release();
  }

  /** Fulfilled when no poll waits there any more. */
  idle(): Promise<void> {
    return new Promise((resolve) => {
      if (this.#polls.size === 0) resolve();
      else this.#onIdle = resolve;
    });
  }

  onSent(request: ForwardedRequest): void {
    if (request.isPoll) this.#polls.add(request);
    if (this.closesConnections) request.release();
  }

  onSettled(request: ForwardedRequest): void {
    if (this.#polls.delete(request) && this.#polls.size === 0) this.#onIdle?.();
  }

  onLost(exchange: HttpExchange | UpgradeExchange): void {
    this.#target.refuseUnknown(exchange);
  }

  claim(sid: string, done: () => void): void {
    if (this.#binding.bindsLate) new SessionClaim(this.link, sid, this.#target, done);
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
