import { AnswerHead } from "../host/answer-head.ts";

/** How payloads are written into the bodies of long-polling and read from them. A session keeps the one it began with. */
export interface BodyFormat {
  /** Whether a payload may be bytes. */
  readonly binary: boolean;
  /** Returns the head of the answer to a poll. */
  head(payload: string | Buffer): AnswerHead;
  /** Returns the body of the answer to a poll. */
  wrap(payload: string | Buffer): string | Buffer;
  /** Returns the payload in the body of a POST, on memory of its own; undefined if the body holds none. */
  unwrap(body: Buffer, contentType: string | undefined): string | Buffer | undefined;
}

export const BINARY_TYPE = "application/octet-stream";

const text: AnswerHead = new AnswerHead("text/plain; charset=UTF-8");
const binary: AnswerHead = new AnswerHead(BINARY_TYPE);

/** The payload is the body. */
export const plainFormat: BodyFormat = {
  binary: true,
  head: (payload) => (typeof payload === "string" ? text : binary),
  wrap: (payload) => payload,
  unwrap: (body, contentType) => (contentType === BINARY_TYPE ? Buffer.from(body) : body.toString()),
};
