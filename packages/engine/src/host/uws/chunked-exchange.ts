import type { OutgoingHttpHeaders } from "node:http";
import type { AnswerHead } from "../answer-head.ts";
import { setImmediate } from "../timers.ts";
import { UwsHttpExchange } from "./http-exchange.ts";

/**
 * A request with a chunked body. uWebSockets.js would read a trailer behind the chunks as the next request, so the answer closes
 * the connection. It leaves after everything that came in the same read: until a request was answered, uWebSockets.js drops the
 * connection for what comes behind it.
 */
export class ChunkedUwsExchange extends UwsHttpExchange {
  protected override write(
    status: number,
    headers: OutgoingHttpHeaders,
    body: string | Buffer,
    reason?: string,
  ): void {
    setImmediate(() => this.writeNow(status, headers, body, reason, true));
  }

  protected override writeAnswer(head: AnswerHead, body: string | Buffer): void {
    this.write(200, head.headers(Buffer.byteLength(body)), body);
  }
}
