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

/** What differs between the clients of one protocol generation and those of another. Chosen once per connection. */
export interface Dialect {
  /** The root namespace is opened by the server, without a CONNECT packet of the client. */
  readonly opensRoot: boolean;
  /** The id of a new socket. */
  socketId(namespace: string, sessionId: string, generateId: () => string): string;
  /** The payload of the CONNECT packet that accepts a socket. */
  acceptance(id: string, pid: string | undefined): object | undefined;
  /** The payload of the CONNECT_ERROR packet when a middleware refused. */
  refusal(error: ExtendedError): unknown;
  /**
   * The namespace a packet is for.
   * @throws TypeError if there is no such name
   */
  namespaceOf(packet: Packet): string;
  /**
   * The same, and the credentials if it is a CONNECT.
   * @throws TypeError if there is no such name
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

/** Socket.IO v1 and v2: ids are those of the session, credentials come as the query of the namespace. */
const legacy: Dialect = {
  opensRoot: true,
  socketId: (namespace, sessionId) => (namespace === "/" ? sessionId : `${namespace}#${sessionId}`),
  acceptance: () => undefined,
  refusal: (error) => error.data || error.message,
  // Most packets: a URL would cost more than all the rest of them.
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

/** The dialect of a client that speaks this revision of the Engine.IO protocol. */
export function dialectOf(engineProtocol: number): Dialect {
  return dialects[engineProtocol] ?? current;
}
