import type { OutgoingHttpHeaders } from "node:http";
import type { RequestHead, RequestSource, WebSocketHandlers, WebSocketPort } from "../host.ts";
import type { BodyError, HttpExchange, UpgradeExchange } from "../host.ts";
import { CopiedRequest } from "./request-view.ts";
import { CollectedResponseView, validateHeaders } from "./response-view.ts";
import type { ResponseSink } from "./response-view.ts";
import { nextTick } from "../timers.ts";

/** An exchange whose response view is made on first use, and sent whole. */
abstract class CollectedExchange implements ResponseSink {
  abstract readonly request: RequestSource;
  onAbort: (() => void) | undefined = undefined;
  ended: boolean = false;
  protected view: CollectedResponseView | undefined = undefined;

  get response(): CollectedResponseView {
    return (this.view ??= new CollectedResponseView(this.request, this));
  }

  respond(status: number, headers: OutgoingHttpHeaders, body: string | Buffer = ""): void {
    if (this.ended) return;
    // Through the view where there is one, for the middlewares that wait for it.
    if (this.view !== undefined) this.view.answer(status, headers, body);
    else if (this.isValid(headers)) this.send(status, headers, body);
  }

  /** For the view. */
  send(status: number, headers: OutgoingHttpHeaders, body: string | Buffer, reason?: string): void {
    if (this.ended) return;
    this.ended = true;
    this.write(status, headers, body, reason);
    this.view?.sent();
  }

  /** For the host: the client has gone before it was answered. */
  abort(): void {
    if (this.ended) return;
    this.ended = true;
    this.onAbort?.();
    this.view?.aborted();
  }

  /** Drops the connection. The host reports the abort. */
  abstract destroy(): void;

  /** As in node: a header that would break the response is the application's error, and the response is not sent. */
  protected isValid(headers: OutgoingHttpHeaders): boolean {
    try {
      validateHeaders(headers);
      return true;
    } catch (error) {
      nextTick(() => {
        throw error;
      });
      this.destroy();
      return false;
    }
  }

  /** Puts the whole response on the wire, with a reason phrase of its own if a middleware gave one. */
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

  /** For the host: a body that came in one piece goes to its reader without a copy, unless that must be made after all. */
  protected deliverWhole(body: Buffer): boolean {
    const reader = this.#reader;
    if (reader === undefined || this.ended || this.#size > 0 || this.#tooLarge) return false;
    if (body.length > reader.limit) return false;
    this.#complete = true;
    this.#reader = undefined;
    reader.done(undefined, body);
    return true;
  }

  override send(status: number, headers: OutgoingHttpHeaders, body: string | Buffer, reason?: string): void {
    super.send(status, headers, body, reason);
    this.request.answered();
  }

  override abort(): void {
    if (this.ended) return;
    super.abort();
    this.request.aborted();
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
  /** For hosts that leave this to us. */
  get malformed(): boolean {
    return false;
  }

  commitHeaders(): OutgoingHttpHeaders {
    return this.view?.commitHeaders(101) ?? {};
  }

  accept(headers: OutgoingHttpHeaders, open: (port: WebSocketPort) => WebSocketHandlers): void {
    if (this.ended || !this.isValid(headers)) return;
    this.ended = true;
    this.view?.sent();
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

/** An upgrade request of a host without `IncomingMessage`. */
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

  override send(status: number, headers: OutgoingHttpHeaders, body: string | Buffer, reason?: string): void {
    super.send(status, headers, body, reason);
    this.request.answered();
  }

  override abort(): void {
    if (this.ended) return;
    super.abort();
    this.request.aborted();
  }
}
