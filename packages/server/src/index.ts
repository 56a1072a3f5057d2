/** A Socket.IO server: namespaces, rooms and acknowledgements over any Engine.IO connection. @module */
export { Server } from "./server.ts";
export { Namespace } from "./namespace.ts";
export { Socket } from "./socket.ts";

export type { HttpServerInstance } from "./attachment.ts";
export type { ParentNspNameMatchFn } from "./namespace-registry.ts";
export type { DrainOptions } from "./drain.ts";
export type { BroadcastOperator } from "./broadcast-operator.ts";
export type { RemoteSocket } from "./remote-socket.ts";
export type { Inspector, InspectorAuth, InspectorOptions } from "./inspection/options.ts";
export type { AdapterConstructor } from "./adapter-constructor.ts";
export type { ServerOptions } from "./options.ts";
export type {
  Cluster,
  ClusterEvents,
  ClusterGap,
  ClusterRefusal,
  ClusterNode,
  ClusterOption,
} from "./cluster.ts";
export * as internals from "./internals.ts";
// The types of public members, so that applications can name them.
export type { Server as Engine } from "@tidewire/engine";
export type { AuthEnded, AuthError, AuthErrorCode } from "./auth/errors.ts";
export type { AuthExpiring, ExpiryDate, ExpiryOptions } from "./auth/expiries.ts";
export type { SlowConsumer } from "./connection/waiting.ts";
export type { Connection } from "./connection/port.ts";
export type { InvalidEvent } from "./events/contract.ts";
export type { AnyListener } from "./events/any-listeners.ts";
export type { DisconnectReason } from "./reasons.ts";
export type { SocketPacketError, SocketPacketErrorCode } from "./connection/packet-errors.ts";
export type { ErrorHandler, ErrorOrigin, ErrorSource } from "./events/user-code.ts";
export type { ExtendedError } from "./extended-error.ts";
export type { LimitError, LimitErrorCode } from "./limits/errors.ts";
export type { ClientRate, OverRate } from "./limits/rates.ts";
export type { Limits } from "./limits/options.ts";
export type { ServerStats } from "./stats/server-stats.ts";
export type { LimitReport } from "./limits/report.ts";
export type { Event } from "./socket.ts";
export type { DefaultEventsMap } from "./events/typed-events.ts";
