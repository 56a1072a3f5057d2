import type { UwsRequest, UwsResponse } from "./types.ts";
import { setImmediate } from "../timers.ts";

/**
 * What the headers of one request say about where its body ends. uWebSockets.js takes the first length, an empty one for none,
 * and any transfer coding for chunks. A proxy in front may take for a body what would then be a request.
 */
class BodyFraming {
  #fields = 0;
  #isReadable = true;
  isChunked: boolean = false;
  #isWaiting = false;

  reset(): void {
    this.#fields = 0;
    this.#isReadable = true;
    this.isChunked = false;
    this.#isWaiting = false;
  }

  /** One header; all of them, in any order. */
  readonly see = (name: string, value: string): void => {
    if (name.length === 14 && name === "content-length") {
      this.#fields++;
      if (!/^\d+$/.test(value)) this.#isReadable = false;
    } else if (name.length === 17 && name === "transfer-encoding") {
      this.#fields++;
      this.isChunked = true;
      if (!/^(?:.*,[ \t]*)?chunked$/i.test(value) || /chunked.+chunked/i.test(value))
        this.#isReadable = false;
    } else if (name.length === 6 && name === "expect") {
      this.#isWaiting = value !== "100-continue" && /^100-continue$/i.test(value);
    }
  };

  /** Reads the headers of a request that nobody else reads. */
  read(request: UwsRequest): void {
    this.reset();
    request.forEach(this.see);
  }

  /** As {@link read}, in two looks where there is no body: an empty field in front of another goes unnoticed. */
  readBodiless(request: UwsRequest): void {
    if (request.getHeader("content-length") || request.getHeader("transfer-encoding")) this.read(request);
    else this.reset();
  }

  get hasBody(): boolean {
    return this.#fields > 0;
  }

  /** Whether the body comes when it is asked for, and uWebSockets.js does not see that: it knows small letters alone. */
  get waitsForContinue(): boolean {
    return this.#isWaiting && this.hasBody;
  }

  get isAmbiguous(): boolean {
    return !this.#isReadable || this.#fields > 1;
  }
}

/** Of the request whose head was read last: it is asked before the handler of uWebSockets.js returns. */
export const framing: BodyFraming = new BodyFraming();

/**
 * Answers without a body, and closes. Later: uWebSockets.js reads what came behind in the same chunk as the next request if
 * this one was answered by then, and otherwise drops the connection.
 */
export function answerAndClose(response: UwsResponse, status: string): void {
  let gone = false;
  response.onAborted(() => {
    gone = true;
  });
  setImmediate(() => {
    if (!gone) response.cork(() => response.writeStatus(status).end("", true));
  });
}
