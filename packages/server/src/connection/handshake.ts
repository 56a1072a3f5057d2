import type { IncomingHttpHeaders, IncomingMessage } from "node:http";
import type { ParsedUrlQuery } from "node:querystring";
import type { Connection } from "./port.ts";
import type { Untyped } from "../events/typed-events.ts";

/** How a socket came in. The application may write to it. */
export interface Handshake {
  /** headers of the request that opened the connection */
  headers: IncomingHttpHeaders;
  /** when the socket was created, as text */
  time: string;
  /** address of the client */
  address: string;
  /** whether the request came from a page of another origin */
  xdomain: boolean;
  /** whether the connection is encrypted */
  secure: boolean;
  /** when the socket was created, in ms since 1970 */
  issued: number;
  /** path and query of the request */
  url: string;
  /** query of the request */
  query: ParsedUrlQuery;
  /** the credentials given by the client */
  auth: { [key: string]: Untyped };
}

/** The fields of a request that a handshake is made of. */
type HandshakeRequest = IncomingMessage & {
  readonly _query?: ParsedUrlQuery;
  readonly connection: { readonly encrypted?: boolean };
};

/** What a handshake is made of when somebody looks at it: at most of them nobody does. */
export class LazyHandshake {
  /** The request; or what it will be made of, by the connection, which may have forgotten it by then. */
  private readonly request: object | null | undefined;
  private readonly auth: Handshake["auth"] | undefined;
  private readonly issued: number = Date.now();

  constructor(conn: Connection, auth: Handshake["auth"]) {
    this.request = conn.requestSource ?? conn.request;
    this.auth = isEmpty(auth) ? undefined : auth;
  }

  /** Connections without a request (WebTransport, or removed by the application) have a handshake, too. */
  toHandshake(conn: Connection): Handshake {
    const { issued } = this;
    const request = (conn.requestOf?.(this.request) ?? this.request) as HandshakeRequest | null | undefined;
    return {
      headers: request?.headers ?? {},
      time: new Date(issued).toString(),
      address: conn.remoteAddress,
      xdomain: Boolean(request?.headers.origin),
      secure: !request || Boolean(request.connection.encrypted),
      issued,
      url: request?.url as string,
      query: request?._query ?? {},
      auth: this.auth ?? {},
    };
  }
}

function isEmpty(auth: object): boolean {
  for (const _ in auth) return false;
  return true;
}
