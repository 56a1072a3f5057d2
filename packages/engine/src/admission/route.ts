import { ConnectionErrorCode as Code } from "../errors.ts";
import type { RequestHead } from "../host/host.ts";
import { protocolOf } from "../protocol/index.ts";
import type { Protocol } from "../protocol/index.ts";
import type { Query } from "../http/query.ts";

/** What `route()` asks a session. */
export interface RoutedSession {
  readonly transport: { readonly name: string };
  readonly protocol: number;
}

/** What a request asks for. */
export type Route<Session> =
  | { kind: "open"; transport: "polling" | "websocket"; protocol: Protocol }
  /** It belongs to an open session: a poll, a post, or an upgrade to a WebSocket. */
  | { kind: "continue"; session: Session }
  | { kind: "refuse"; code: Code; context: Record<string, unknown> };

export interface RouteTable<Session> {
  /** Names of the transports that are served. */
  readonly transports: readonly string[];
  find(sid: string): Session | undefined;
}

/**
 * Decides what a request asks for. Pure: the same request and table give the same route.
 *
 * @param isUpgrade - whether it asks for a WebSocket
 */
export function route<Session extends RoutedSession>(
  head: RequestHead,
  query: Query,
  isUpgrade: boolean,
  table: RouteTable<Session>,
): Route<Session> {
  const { transport, sid } = query;
  if (transport !== "polling" && transport !== "websocket")
    return refuse(Code.UNKNOWN_TRANSPORT, { transport });
  if (!table.transports.includes(transport)) return refuse(Code.UNKNOWN_TRANSPORT, { transport });
  const origin = head.header("origin");
  if (!isValidOrigin(origin)) return refuse(Code.BAD_REQUEST, { name: "INVALID_ORIGIN", origin });
  if (sid) return routeSession(sid, transport, query, isUpgrade, table);
  if (head.method !== "GET") return refuse(Code.BAD_HANDSHAKE_METHOD, { method: head.method });
  if ((transport === "websocket") !== isUpgrade) {
    return refuse(Code.BAD_REQUEST, { name: "TRANSPORT_HANDSHAKE_ERROR" });
  }
  return { kind: "open", transport, protocol: protocolOf(query) };
}

function routeSession<Session extends RoutedSession>(
  sid: string,
  transport: string,
  query: Query,
  isUpgrade: boolean,
  table: RouteTable<Session>,
): Route<Session> {
  const session = table.find(sid);
  if (session === undefined) return refuse(Code.UNKNOWN_SID, { sid });
  const previousTransport = session.transport.name;
  if (isUpgrade ? transport !== "websocket" : transport !== previousTransport) {
    return refuse(Code.BAD_REQUEST, { name: "TRANSPORT_MISMATCH", transport, previousTransport });
  }
  const protocol = protocolOf(query).version;
  if (protocol !== session.protocol) {
    const previousProtocol = session.protocol;
    return refuse(Code.BAD_REQUEST, { name: "PROTOCOL_MISMATCH", protocol, previousProtocol });
  }
  // Only long-polling has further plain requests; nobody would answer those of a WebSocket session.
  if (!isUpgrade && transport === "websocket") {
    return refuse(Code.BAD_REQUEST, { name: "TRANSPORT_MISMATCH", transport, previousTransport });
  }
  return { kind: "continue", session };
}

function refuse(code: Code, context: Record<string, unknown>): Route<never> {
  return { kind: "refuse", code, context };
}

/** RFC 9110, field-content: visible characters, spaces, tabs and bytes beyond ASCII. */
const INVALID_FIELD_VALUE = /[^\t\x20-\x7e\x80-\xff]/;

export function isValidOrigin(origin: string | undefined): boolean {
  return origin === undefined || !INVALID_FIELD_VALUE.test(origin);
}
