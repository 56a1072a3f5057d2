/**
 * Why a socket left its namespace: the first argument of `disconnect` and `disconnecting`.
 *
 * | reason                        | issued when                                                               |
 * | ----------------------------- | ------------------------------------------------------------------------- |
 * | `server namespace disconnect` | the application called `disconnect()`, or the credentials have ended      |
 * | `client namespace disconnect` | the client left the namespace                                             |
 * | `server shutting down`        | `io.close()` was called                                                   |
 * | `forced server close`         | `client.close()` closed the connection under its sockets                  |
 * | `forced close`                | the connection was closed: `conn.close()`, or the client broke the rules  |
 * | `transport close`             | the client left                                                           |
 * | `transport error`             | the transport failed; see the description                                 |
 * | `ping timeout`                | the client did not answer a heartbeat in time                             |
 * | `parse error`                 | an Engine.IO packet could not be decoded                                  |
 */
export type DisconnectReason =
  | "server namespace disconnect"
  | "client namespace disconnect"
  | "server shutting down"
  | "forced server close"
  | "forced close"
  | "transport close"
  | "transport error"
  | "ping timeout"
  | "parse error";

/** The reasons after which the state of a socket can be recovered. */
export const recoverableReasons: ReadonlySet<DisconnectReason> = new Set<DisconnectReason>([
  "transport error",
  "transport close",
  "forced close",
  "ping timeout",
  "server shutting down",
  "forced server close",
]);
