import type { OutgoingHttpHeaders } from "node:http";
import { CopiedHttpExchange } from "../copied/http-exchange.ts";
import type { AnswerHead } from "../answer-head.ts";
import type { RequestHead } from "../host.ts";
import { writeAnswer, writeHead, writeUsualAnswer } from "./answer.ts";
import { PartialHead } from "./head.ts";
import { LARGE, LargeAnswer } from "./large-answer.ts";
import type { UwsResponse } from "./types.ts";

/** A plain request on uWebSockets.js. */
export class UwsHttpExchange extends CopiedHttpExchange {
  #response: UwsResponse | undefined;
  #largeAnswer: LargeAnswer | undefined = undefined;
  readonly #settled: () => void;

  /** @param settled - called once, when the request was answered or aborted */
  constructor(response: UwsResponse, head: RequestHead, maxBody: number, settled: () => void) {
    super(head, maxBody);
    this.#response = response;
    this.#settled = settled;
    response.onAborted(() => {
      // A large answer may still be leaving. Only its sender hears of that; for all others the request has been answered.
      const isLeaving = this.ended;
      this.#largeAnswer?.stop();
      this.#forget();
      if (isLeaving) this.onAbort?.();
      else this.abort();
    });
    const { method } = head;
    // uWebSockets.js must be asked for the body before its handler returns. Bytes wait here for their reader.
    if (method !== "GET" && method !== "HEAD" && method !== "OPTIONS") {
      response.onData((chunk, last) => {
        const bytes = Buffer.from(chunk);
        if (!last || !this.deliverWhole(bytes)) this.push(Buffer.from(bytes), last);
      });
    }
  }

  protected override write(
    status: number,
    headers: OutgoingHttpHeaders,
    body: string | Buffer,
    reason?: string,
  ): void {
    this.writeNow(status, headers, body, reason, headers["Connection"] === "close");
  }

  protected override writeAnswer(head: AnswerHead, body: string | Buffer): void {
    if (this.#response === undefined) return;
    if (body.length > LARGE) {
      super.writeAnswer(head, body);
      return;
    }
    writeUsualAnswer(this.#response, head, body);
    this.#forget();
  }

  /** @param last - whether the connection is closed afterwards */
  protected writeNow(
    status: number,
    headers: OutgoingHttpHeaders,
    body: string | Buffer,
    reason: string | undefined,
    last: boolean,
  ): void {
    const response = this.#response;
    if (response === undefined) return;
    const { method } = this.request.head;
    if (body.length <= LARGE || last || status === 304 || method === "HEAD") {
      writeAnswer(response, method, status, headers, body, reason, last);
      this.#forget();
      return;
    }
    const bytes = typeof body === "string" ? Buffer.from(body) : body;
    const answer = new LargeAnswer(response, bytes, () => this.#forget());
    this.#largeAnswer = answer;
    response.cork(() => {
      writeHead(response, status, headers, reason);
      answer.start();
    });
  }

  override destroy(): void {
    // Closing runs the abort handler.
    this.#response?.close();
  }

  #forget(): void {
    if (this.#response === undefined) return;
    this.#response = undefined;
    this.#largeAnswer = undefined;
    const { head } = this.request;
    if (head instanceof PartialHead) head.answered();
    this.#settled();
  }
}
