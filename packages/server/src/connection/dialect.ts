import type { Packet } from "@tidewire/parser";
import type { ExtendedError } from "../extended-error.ts";
import type { Untyped } from "../events/typed-events.ts";

/** The credentials a client sends when it joins a namespace. */
export type Auth = Record<string, Untyped>;

/** Where a CONNECT packet wants to go, and with which credentials. */
export interface ConnectTarget {
  readonly namespace: string;
  readonly authPayload: Auth;
}

/** What differs between the generations of the protocol; chosen once per connection. */
export interface Dialect {
  /** Whether the server opens the root namespace without a CONNECT packet from the client. */
  readonly opensRoot: boolean;
  /** Returns the id of a new socket. */
  socketId(namespace: string, sessionId: string, generateId: () => string): string;
  /** Returns the payload of the CONNECT packet that accepts a socket. */
  acceptance(id: string, pid: string | undefined): object | undefined;
  /** Returns the payload of the CONNECT_ERROR packet that refuses a socket. */
  refusal(error: ExtendedError): unknown;
  /**
   * Returns the namespace that a packet is for.
   * @throws TypeError if the name cannot be parsed
   */
  namespaceOf(packet: Packet): string;
  /**
   * Returns the namespace and the credentials of a CONNECT packet.
   * @throws TypeError if the name cannot be parsed
   */
  target(packet: Packet): ConnectTarget;
}

/** Socket.IO v3 and v4. */
const current: Dialect = {
  opensRoot: false,
  socketId: (_namespace, _sessionId, generateId) => generateId(),
  acceptance: (id, pid) => ({ sid: id, pid }),
  refusal: (error) => ({ message: error.message, data: error.data }),
  namespaceOf: (packet) => packet.nsp,
  target: (packet) => ({ namespace: packet.nsp, authPayload: (packet.data as Auth | undefined) ?? {} }),
};

/** Socket.IO v1 and v2: sockets have the id of the session, and credentials are the query of the namespace. */
const legacy: Dialect = {
  opensRoot: true,
  socketId: (namespace, sessionId) => (namespace === "/" ? sessionId : `${namespace}#${sessionId}`),
  acceptance: () => undefined,
  refusal: (error) => error.data || error.message,
  // Most packets take the first branch; parsing a URL would cost more than everything else.
  namespaceOf: (packet) => (packet.nsp === "/" ? "/" : new URL(packet.nsp, "https://socket.io").pathname),
  target(packet) {
    if (packet.nsp === "/") return { namespace: "/", authPayload: {} };
    const url = new URL(packet.nsp, "https://socket.io");
    const authPayload = Object.create(null) as Auth;
    for (const [name, value] of url.searchParams) {
      authPayload[name] = value;
    }
    return { namespace: url.pathname, authPayload };
  },
};

const dialects: Readonly<Record<number, Dialect>> = { 3: legacy, 4: current };

/** Returns the dialect of a client that speaks this revision of the Engine.IO protocol. */
export function dialectOf(engineProtocol: number): Dialect {
  return dialects[engineProtocol] ?? current;
}
