/**
 * Why a session ended: the first argument of `close`, and of `disconnect` one layer up.
 *
 * | reason            | issued when                                                                   |
 * | ----------------- | ----------------------------------------------------------------------------- |
 * | `transport close` | the client left: its socket closed, or it sent a close packet                 |
 * | `transport error` | the transport failed, or the client violated its protocol; see the description |
 * | `ping timeout`    | the client did not answer a ping (v4) or sent none (v3) in time               |
 * | `parse error`     | a packet could not be decoded; the description is the `ParseError`            |
 * | `forced close`    | `close()` was called on the session or on the server                          |
 */
export type CloseReason =
  | "transport close"
  | "transport error"
  | "ping timeout"
  | "parse error"
  | "forced close";
