import type { ConnectionErrorCode } from "../errors.ts";
import type { Exchange, HttpExchange, RequestSource } from "../host/host.ts";
import type { Query } from "../http/query.ts";
import type { AddressLimits } from "../limits/address-limits.ts";
import type { LimitMonitor } from "../limits/monitor.ts";
import type { Protocol } from "../protocol/protocol.ts";
import type { Session } from "../session/session.ts";
import type { SessionOwner } from "../session/types.ts";
import type { Transport } from "../transport/transport.ts";
import type { RequestTaker } from "./cluster.ts";
import type { Middleware } from "./middlewares.ts";
import type { RouteTable } from "./route.ts";

/** What admission needs of the engine. */
export interface AdmissionOwner {
  readonly engine: SessionOwner &
    RouteTable<Session> & {
      readonly middlewares: readonly Middleware[];
      readonly idPrefix: string;
      readonly addressLimits: AddressLimits | undefined;
      readonly limitMonitor: Pick<LimitMonitor, "exceeded">;
    };
  /** Returns an id for the session that the request opens, or a promise of one. */
  newId(request: RequestSource): unknown;
  /** @param greeting - the request that the open packet answers; `greeted` if the client has received it */
  openSession(
    id: string,
    transport: Transport,
    request: RequestSource | undefined,
    greeting?: HttpExchange | "greeted",
  ): void;
}

/** A request that is being decided on. Plain requests and upgrades differ in how they are refused and in what they lead to. */
export interface PendingRequest {
  readonly exchange: Exchange;
  readonly query: Query;
  readonly isUpgrade: boolean;
  /** The id of its session, if another node has opened that. */
  readonly adoptedId?: string;
  /** Whether it can only be refused, whatever it asks for. */
  readonly isMalformed: boolean;
  /** Whether it may be let in now; otherwise `prepare` comes first. */
  readonly isReady: boolean;
  /** Calls back when it may be let in, unless it has ended by then. */
  prepare(callback: () => void): void;
  /** @param message - a string, or what `allowRequest` gave in place of one */
  refuse(code: ConnectionErrorCode, message: unknown): void;
  /** Refuses because of a limit: the client may try again later. */
  refuseForNow(message: string): void;
  /** Refuses because the server is shut down, and ends the connection. */
  unavailable(): void;
  /** Hands the request over: another node answers it. */
  passTo(taker: RequestTaker): void;
  /** Hands the request to the session that it names. */
  join(session: Session, owner: AdmissionOwner): void;
  /** Opens a session. */
  open(id: string, protocol: Protocol, owner: AdmissionOwner): void;
}
