import { internals } from "@tidewire/engine";
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

/** The fields of a request that a handshake takes over. */
type HandshakeRequest = IncomingMessage & {
  readonly _query?: ParsedUrlQuery;
  readonly connection: { readonly encrypted?: boolean };
};

/** Times are kept from here on, and rounded although they are whole: what is not a small integer is an object of its own. */
const START: number = Date.now();

/** What is needed to create a handshake once somebody looks at it; most are never looked at. */
export class LazyHandshake {
  /** The request, or the source from which the engine creates it, even after the connection has dropped it. */
  readonly #request: object | null | undefined;
  readonly #auth: Handshake["auth"] | undefined;
  readonly #issued: number = Math.round(Date.now() - START);

  constructor(conn: Connection, auth: Handshake["auth"]) {
    this.#request = conn.requestSource ?? conn.request;
    this.#auth = isEmpty(auth) ? undefined : auth;
  }

  /** When the socket was created, in ms since 1970. */
  get issued(): number {
    return START + this.#issued;
  }

  /** Connections without a request, by WebTransport or because the application removed it, have a handshake too. */
  toHandshake(conn: Connection): Handshake {
    const { issued } = this;
    const request = (internals.requestOf(this.#request) ?? this.#request) as
      | HandshakeRequest
      | null
      | undefined;
    return {
      headers: request?.headers ?? {},
      time: new Date(issued).toString(),
      address: conn.remoteAddress,
      xdomain: Boolean(request?.headers.origin),
      secure: !request || Boolean(request.connection.encrypted),
      issued,
      url: request?.url as string,
      query: request?._query ?? {},
      auth: this.#auth ?? {},
    };
  }
}

function isEmpty(auth: object): boolean {
  for (const _ in auth) return false;
  return true;
}
