import type { IncomingMessage, OutgoingHttpHeaders, ServerResponse } from "node:http";
import type { Http2ServerRequest } from "node:http2";
import { respondThrough } from "../copied/response.ts";
import type { AnswerHead } from "../answer-head.ts";
import { STALL_TIMEOUT } from "../host.ts";
import { nextTick } from "../timers.ts";
import type { BodyError, HttpExchange } from "../host.ts";
import type { OngoingRequest, OngoingRequests } from "./ongoing.ts";
import { NodeRequest } from "./request.ts";

/** An answer of this size leaves at once, in characters or bytes: the kernel takes it even if the client reads nothing. */
const SMALL = 16 * 1024;

/** A plain request on node:http or node:http2. */
export class NodeHttpExchange implements HttpExchange, OngoingRequest {
  readonly request: NodeRequest;
  readonly response: ServerResponse;
  onAbort: (() => void) | undefined = undefined;
  previous: OngoingRequest | undefined = undefined;
  next: OngoingRequest | undefined = undefined;
  readonly #request: IncomingMessage;
  #aborted = false;
  /** Whether the connection has the time limit of an answer that is leaving. */
  #isWatched = false;
  #onBodyAbort: (() => void) | undefined = undefined;

  constructor(request: IncomingMessage, response: ServerResponse, ongoing: OngoingRequests) {
    this.request = new NodeRequest(request);
    this.response = response;
    this.#request = request;
    // A response of HTTP/2 has none, and middlewares for HTTP/1.1 call it.
    if (!("_implicitHeader" in response)) {
      Object.assign(response, { _implicitHeader: () => this.response.writeHead(this.response.statusCode) });
    }
    ongoing.add(this);
    response.once("close", () => {
      this.#leave(ongoing);
      const { socket } = request;
      if (this.#isWatched && socket.timeout === STALL_TIMEOUT) socket.setTimeout(0);
      if (hasLeft(request, response)) return;
      this.#aborted = true;
      this.#onBodyAbort?.();
      this.onAbort?.();
    });
  }

  /** The client may still be sending the body of a request that has been answered. */
  #leave(ongoing: OngoingRequests): void {
    const request = this.#request;
    const { socket } = request;
    if (request.complete || socket.destroyed) {
      ongoing.delete(this);
      return;
    }
    const done = (): void => {
      request.off("end", done);
      socket.off("close", done);
      ongoing.delete(this);
    };
    request.once("end", done);
    socket.once("close", done);
  }

  get ended(): boolean {
    return this.#aborted || this.response.writableEnded;
  }

  readBody(limit: number, done: (error: BodyError | undefined, body: Buffer) => void): void {
    const request = this.#request;
    const chunks: Buffer[] = [];
    let size = 0;
    const finish = (error: BodyError | undefined): void => {
      this.#onBodyAbort = undefined;
      request.off("data", onData).off("end", onEnd);
      const [only] = chunks;
      done(error, chunks.length === 1 ? only! : Buffer.concat(chunks));
    };
    const onData = (chunk: Buffer): void => {
      size += chunk.length;
      if (size <= limit) {
        chunks.push(chunk);
        return;
      }
      chunks.length = 0;
      finish("too large");
    };
    const onEnd = (): void => finish(undefined);
    if (this.#aborted) {
      finish("aborted");
      return;
    }
    this.#onBodyAbort = (): void => finish("aborted");
    request.on("data", onData).on("end", onEnd);
  }

  respond(status: number, headers: OutgoingHttpHeaders, body: string | Buffer = ""): void {
    const response = this.response;
    if (this.ended) return;
    // Over HTTP/2, Node drops it with a warning.
    if (headers["Connection"] !== undefined && this.#request.httpVersionMajor > 1)
      delete headers["Connection"];
    respondThrough(response, status, withLength(headers, body), body);
    // Node writes it at the end of the tick.
    if (body.length > SMALL) nextTick(() => this.#watch());
  }

  get carrier(): { readonly isOpen: boolean } | undefined {
    return undefined;
  }

  answer(head: AnswerHead, body: string | Buffer): void {
    this.respond(200, head.headers(Buffer.byteLength(body)), body);
  }

  /** Drops a client that reads nothing of the answer, unless the application has set a limit itself. */
  #watch(): void {
    const { socket, httpVersionMajor } = this.#request;
    if (this.#aborted || httpVersionMajor !== 1 || socket.writableLength === 0 || socket.timeout) return;
    this.#isWatched = true;
    socket.setTimeout(STALL_TIMEOUT);
  }

  destroy(): void {
    // Over HTTP/2, destroying the request would not destroy the stream.
    this.response.destroy();
  }

  cut(): void {
    const request = this.#request;
    if ("stream" in request) (request as unknown as Http2ServerRequest).stream.destroy();
    else request.socket.destroy();
  }
}

/** Whether a closed response has left completely. */
function hasLeft(request: IncomingMessage, response: ServerResponse & WithStream): boolean {
  // A response of HTTP/2 that was reset before its end is finished, but not ended.
  if (!response.writableEnded || !response.writableFinished) return false;
  // On either version, one whose connection was lost after its end is both.
  if (response.stream !== undefined) return response.stream.rstCode === 0;
  return !request.socket.destroyed || request.socket.writableEnded;
}

/** A response of HTTP/2. */
interface WithStream {
  stream?: { rstCode: number };
}

/** Node does not know the length when the head is written before the body. */
function withLength(headers: OutgoingHttpHeaders, body: string | Buffer): OutgoingHttpHeaders {
  for (const name in headers) if (name.toLowerCase() === "content-length") return headers;
  return { ...headers, "Content-Length": Buffer.byteLength(body) };
}
