// Where the official package declares these types; applications import them from `dist/socket-types`.
import type { Untyped } from "./events/typed-events.ts";

export type { Handshake } from "./connection/handshake.ts";
export { SOCKET_RESERVED_EVENTS as RESERVED_EVENTS } from "./events/reserved.ts";
export type { DisconnectReason } from "./reasons.ts";
export type { SocketReservedEventsMap } from "./socket.ts";

/** The events of every EventEmitter. */
export interface EventEmitterReservedEventsMap {
  newListener: (eventName: string | symbol, listener: (...args: Untyped[]) => void) => void;
  removeListener: (eventName: string | symbol, listener: (...args: Untyped[]) => void) => void;
}
