import type { IncomingHttpHeaders } from "node:http";
import { Session } from "./session.ts";

/**
 * Sends the next ping of the heartbeat now, so that the time until the pong can be measured.
 *
 * @returns whether it was sent: not while a pong or an upgrade is due, nor in version 3 of the protocol, in which the client pings
 */
export function ping(session: Session): boolean {
  return Session.control.ping(session);
}

/** The headers of the handshake, without creating its request; none for WebTransport, or once the application has removed it. */
export function headersOf(session: Session): IncomingHttpHeaders {
  return session.requestSource?.head.headers ?? {};
}
