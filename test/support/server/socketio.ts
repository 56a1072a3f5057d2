// The suites of the server are written against the types of the official package: what compiles here is what an application of
// today compiles to.
import type * as official from "socket.io";
import * as tidewire from "@tidewire/server";

export type { Namespace, Server, ServerOptions, Socket } from "socket.io";
export type { Socket as ClientSocket } from "socket.io-client";

/** The module under test. */
export const socketio: typeof official = tidewire as unknown as typeof official;
