import { ReplayedExchange } from "../host/copied/replayed-exchange.ts";
import type { RequestHead } from "../host/host.ts";
import { parseQuery } from "../http/query.ts";
import type { Query } from "../http/query.ts";
import type { Protocol } from "../protocol/protocol.ts";
import { PollingTransport } from "../transport/polling.ts";
import type { AdoptedSession } from "./cluster.ts";
import type { AdmissionOwner, PendingRequest } from "./pending-request.ts";

/** The handshake of a session that comes from another node, which has answered it. */
export class AdoptedRequest implements PendingRequest {
  readonly exchange: ReplayedExchange;
  readonly query: Query;
  readonly adoptedId: string;
  #done: ((adopted: AdoptedSession | undefined) => void) | undefined;

  constructor(sid: string, handshake: RequestHead, done: (adopted: AdoptedSession | undefined) => void) {
    this.adoptedId = sid;
    this.query = parseQuery(handshake.url);
    this.#done = done;
    this.exchange = new ReplayedExchange(handshake, () => this.#finish(undefined));
  }

  #finish(adopted: AdoptedSession | undefined): void {
    const done = this.#done;
    this.#done = undefined;
    done?.(adopted);
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

  refuse(): void {
    this.exchange.respond(400, {});
  }

  /** There are too many of its address here. */
  refuseForNow(): void {
    this.refuse();
  }

  unavailable(): void {
    this.exchange.respond(503, {});
  }

  /** Never called: the session is on its way here. */
  passTo(): void {
    this.unavailable();
  }

  /** Never called: a handshake names no session. */
  join(): void {
    this.refuse();
  }

  open(id: string, protocol: Protocol, owner: AdmissionOwner): void {
    const { request } = this.exchange;
    this.#finish({
      open: () => {
        const transport = new PollingTransport(protocol, this.query, owner.engine);
        owner.openSession(id, transport, request, "greeted");
      },
    });
    // For the middlewares that wait for the end of the answer.
    this.exchange.respond(200, {});
  }
}
