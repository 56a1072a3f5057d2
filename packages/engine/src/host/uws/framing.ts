import type { UwsRequest, UwsResponse } from "./types.ts";
import { setImmediate } from "../timers.ts";

/**
 * Where the body of one request ends, by its headers. uWebSockets.js believes the first length, reads an empty one as none, and any
 * transfer coding as chunks. A proxy in front may read a body where uWebSockets.js would read a request.
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

  /** Call for every header, in any order. */
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

  /** As {@link read}, with two look-ups if there is no body. Misses an empty field in front of another. */
  readBodiless(request: UwsRequest): void {
    if (request.getHeader("content-length") || request.getHeader("transfer-encoding")) this.read(request);
    else this.reset();
  }

  get hasBody(): boolean {
    return this.#fields > 0;
  }

  /** Whether the client waits for `100 Continue` and uWebSockets.js does not notice: it only knows lower case. */
  get waitsForContinue(): boolean {
    return this.#isWaiting && this.hasBody;
  }

  get isAmbiguous(): boolean {
    return !this.#isReadable || this.#fields > 1;
  }
}

/** Of the request whose head was read last. Only asked until the handler of uWebSockets.js returns. */
export const framing: BodyFraming = new BodyFraming();

/**
 * Answers without a body and closes the connection, a turn later: uWebSockets.js reads bytes behind the request as the next one if
 * this one has been answered by then, and otherwise drops the connection.
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
