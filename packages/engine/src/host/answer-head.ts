import type { OutgoingHttpHeaders } from "node:http";

/** The headers of most answers with status 200. There is one for each content type, known to be valid, in the forms that hosts write. */
export class AnswerHead {
  readonly contentType: string;
  /** What follows `Content-Type: `, except for the length, which the host adds. */
  readonly lines: string;

  constructor(contentType: string) {
    this.contentType = contentType;
    this.lines = `${contentType}\r\ncache-control: no-store`;
  }

  /** @param length - of the body, in bytes */
  headers(length: number | string): OutgoingHttpHeaders {
    return { "Content-Type": this.contentType, "Content-Length": length, "cache-control": "no-store" };
  }
}
