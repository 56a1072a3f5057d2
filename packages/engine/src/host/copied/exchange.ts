import type { OutgoingHttpHeaders, ServerResponse } from "node:http";
import type { RequestHead, RequestSource, WebSocketHandlers, WebSocketPort } from "../host.ts";
import type { BodyError, HttpExchange, UpgradeExchange } from "../host.ts";
import { CopiedRequest } from "./request.ts";
import { CollectedResponse, respondThrough, validateHeaders, withLength } from "./response.ts";
import { CopiedSocket } from "./socket.ts";
import { rethrow } from "../rethrow.ts";

/** A request that is told how its exchange ended. */
export interface EndedRequest extends RequestSource {
  answered(): void;
  /** The client has gone before it was answered. */
  aborted(): void;
}

/** An exchange whose response is created on first use, and sent whole. */
abstract class CollectedExchange {
  abstract readonly request: EndedRequest;
  onAbort: (() => void) | undefined = undefined;
  ended: boolean = false;
  protected collected: CollectedResponse | undefined = undefined;

  get response(): ServerResponse {
    this.collected ??= this.#collect();
    return this.collected.response;
  }

  #collect(): CollectedResponse {
    const { head, view } = this.request;
    const socket = view.socket instanceof CopiedSocket ? view.socket : new CopiedSocket(head, this);
    return new CollectedResponse(view, socket, ({ status, headers, reason }, body) =>
      this.#send(status, headers, body, reason),
    );
  }

  respond(status: number, headers: OutgoingHttpHeaders, body: string | Buffer = ""): void {
    if (this.ended) return;
    const response = this.collected?.response;
    if (response !== undefined) {
      // Through the response, for the middlewares that wait for it. The body of a HEAD request stays behind in it.
      const isHead = this.request.head.method === "HEAD";
      respondThrough(response, status, isHead ? withLength(headers, body) : headers, body);
    } else if (this.isValid(headers)) {
      this.#send(status, headers, body);
    }
  }

  #send(status: number, headers: OutgoingHttpHeaders, body: string | Buffer, reason?: string): void {
    if (this.ended) return;
    this.ended = true;
    this.write(status, headers, body, reason);
    this.request.answered();
  }

  /** For the host: the client has gone before it was answered. */
  abort(): void {
    if (this.ended) return;
    this.ended = true;
    this.onAbort?.();
    this.request.aborted();
    this.collected?.abort();
  }

  /** Drops the connection. The host reports the abort. */
  abstract destroy(): void;

  /** As on Node, a header that would break the response is the application's error, and the response is not sent. */
  protected isValid(headers: OutgoingHttpHeaders): boolean {
    try {
      validateHeaders(headers);
      return true;
    } catch (error) {
      rethrow(error);
      this.destroy();
      return false;
    }
  }

  /** Writes the whole response, with a reason phrase if middlewares had a say. */
  protected abstract write(
    status: number,
    headers: OutgoingHttpHeaders,
    body: string | Buffer,
    reason?: string,
  ): void;
}

const NONE: Buffer[] = [];

/** A plain request whose body the host pushes in while it arrives. */
export abstract class CopiedHttpExchange extends CollectedExchange implements HttpExchange {
  readonly request: CopiedRequest;
  #chunks: Buffer[] = NONE;
  #size = 0;
  #complete = false;
  #tooLarge = false;
  readonly #maxBody: number;
  #reader: { limit: number; done: (error: BodyError | undefined, body: Buffer) => void } | undefined =
    undefined;

  constructor(head: RequestHead, maxBody: number) {
    super();
    this.request = new CopiedRequest(head, this);
    this.#maxBody = maxBody;
  }

  /** For the host: the next part of the body. The bytes must be a copy. */
  push(chunk: Buffer, last: boolean): void {
    if (this.ended || this.#tooLarge) return;
    this.#size += chunk.length;
    if (this.#size > (this.#reader?.limit ?? this.#maxBody)) {
      this.#tooLarge = true;
      this.#chunks = NONE;
    } else {
      if (this.#chunks === NONE) this.#chunks = [];
      this.#chunks.push(chunk);
      this.#complete = last;
    }
    this.#deliver();
  }

  /**
   * For the host: hands a body that came in one piece to its reader without a copy.
   *
   * @returns false if that is not possible: it must be copied and pushed
   */
  protected deliverWhole(body: Buffer): boolean {
    const reader = this.#reader;
    if (reader === undefined || this.ended || this.#size > 0 || this.#tooLarge) return false;
    if (body.length > reader.limit) return false;
    this.#complete = true;
    this.#reader = undefined;
    reader.done(undefined, body);
    return true;
  }

  override abort(): void {
    if (this.ended) return;
    super.abort();
    this.#finish("aborted");
  }

  readBody(limit: number, done: (error: BodyError | undefined, body: Buffer) => void): void {
    this.#reader = { limit, done };
    if (this.ended) this.#finish("aborted");
    else this.#deliver();
  }

  #deliver(): void {
    if (this.#tooLarge || (this.#reader !== undefined && this.#size > this.#reader.limit))
      this.#finish("too large");
    else if (this.#complete) this.#finish(undefined);
  }

  #finish(error: BodyError | undefined): void {
    const reader = this.#reader;
    if (reader === undefined) return;
    this.#reader = undefined;
    const [only] = this.#chunks;
    const body = this.#chunks.length === 1 ? only! : Buffer.concat(this.#chunks);
    this.#chunks = NONE;
    reader.done(error, body);
  }
}

/** An upgrade request. What middlewares write goes out with the 101, or instead of it. */
export abstract class CollectedUpgradeExchange extends CollectedExchange implements UpgradeExchange {
  /** Overridden by hosts that leave the check to us. */
  get malformed(): boolean {
    return false;
  }

  commitHeaders(): OutgoingHttpHeaders {
    return this.collected?.writeHead(101) ?? {};
  }

  accept(headers: OutgoingHttpHeaders, open: (port: WebSocketPort) => WebSocketHandlers): void {
    if (this.ended || !this.isValid(headers)) return;
    this.ended = true;
    this.collected?.end();
    this.upgrade(headers, open);
  }

  reject(status: number, body: string): void {
    // The casing is what existing clients and tests have seen.
    this.respond(status, { Connection: "close", "Content-type": "text/html" }, body);
  }

  /** Completes the upgrade. */
  protected abstract upgrade(
    headers: OutgoingHttpHeaders,
    open: (port: WebSocketPort) => WebSocketHandlers,
  ): void;
}

/** An upgrade request whose head is a copy. */
export abstract class CopiedUpgradeExchange extends CollectedUpgradeExchange {
  readonly request: CopiedRequest;

  constructor(head: RequestHead) {
    super();
    this.request = new CopiedRequest(head, this);
  }

  override accept(headers: OutgoingHttpHeaders, open: (port: WebSocketPort) => WebSocketHandlers): void {
    super.accept(headers, (port) => {
      this.request.upgraded(port);
      return open(port);
    });
  }
}
