import type { OutgoingHttpHeaders } from "node:http";
import type { RequestHead, WebSocketHandlers, WebSocketPort } from "./host.ts";
import type { BodyError, HttpExchange, UpgradeExchange } from "./host.ts";
import { CollectedResponseView, CopiedRequest } from "./views.ts";

/** What hosts without `IncomingMessage` and `ServerResponse` share: a copied request, a response view made on first use. */
abstract class CopiedExchange {
  readonly request: CopiedRequest;
  onAbort: (() => void) | undefined = undefined;
  ended: boolean = false;
  protected view: CollectedResponseView | undefined = undefined;

  constructor(head: RequestHead) {
    this.request = new CopiedRequest(head);
  }

  get response(): CollectedResponseView {
    return (this.view ??= new CollectedResponseView((status, headers, body) => {
      if (this.ended) return;
      this.ended = true;
      this.write(status, headers, body);
      this.view?.emit("close");
    }));
  }

  /** For the host: the client has gone before it was answered. */
  abort(): void {
    if (this.ended) return;
    this.ended = true;
    this.onAbort?.();
    this.view?.emit("close");
  }

  /** Puts the whole response on the wire. */
  protected abstract write(status: number, headers: OutgoingHttpHeaders, body: string | Buffer): void;
}

/** A plain request whose body the host pushes in while it arrives. */
export abstract class CopiedHttpExchange extends CopiedExchange implements HttpExchange {
  #chunks: Buffer[] = [];
  #size = 0;
  #complete = false;
  #tooLarge = false;
  readonly #maxBody: number;
  #reader: { limit: number; done: (error: BodyError | undefined, body: Buffer) => void } | undefined =
    undefined;

  constructor(head: RequestHead, maxBody: number) {
    super(head);
    this.#maxBody = maxBody;
  }

  /** For the host: the next part of the body. The bytes must be a copy. */
  push(chunk: Buffer, last: boolean): void {
    if (this.ended || this.#tooLarge) return;
    this.#size += chunk.length;
    if (this.#size > (this.#reader?.limit ?? this.#maxBody)) {
      this.#tooLarge = true;
      this.#chunks = [];
    } else {
      this.#chunks.push(chunk);
      this.#complete = last;
    }
    this.#deliver();
  }

  override abort(): void {
    const wasEnded = this.ended;
    super.abort();
    if (!wasEnded) this.#finish("aborted");
  }

  readBody(limit: number, done: (error: BodyError | undefined, body: Buffer) => void): void {
    this.#reader = { limit, done };
    if (this.ended) this.#finish("aborted");
    else this.#deliver();
  }

  respond(status: number, headers: OutgoingHttpHeaders, body: string | Buffer = ""): void {
    if (this.ended) return;
    if (this.view === undefined) {
      this.ended = true;
      this.write(status, headers, body);
    } else if (!this.view.headersSent) {
      // Through the view, for the middlewares that wait for it.
      this.view.writeHead(status, headers);
      this.view.end(body);
    } else {
      this.view.end();
    }
  }

  abstract destroy(): void;

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
    this.#chunks = [];
    reader.done(error, body);
  }
}

/** An upgrade request that the host completes. */
export abstract class CopiedUpgradeExchange extends CopiedExchange implements UpgradeExchange {
  accept(headers: OutgoingHttpHeaders, open: (port: WebSocketPort) => WebSocketHandlers): void {
    if (this.ended) return;
    this.ended = true;
    let all = headers;
    if (this.view !== undefined) {
      // Some middlewares wait for the head before they set their headers.
      if (!this.view.headersSent) this.view.writeHead(101);
      all = { ...this.view.namedHeaders(), ...headers };
    }
    this.upgrade(all, open);
    this.view?.emit("close");
  }

  reject(status: number, body: string): void {
    if (this.ended) return;
    this.ended = true;
    // The casing is what existing clients and tests have seen.
    this.write(
      status,
      { ...this.view?.namedHeaders(), Connection: "close", "Content-type": "text/html" },
      body,
    );
    this.view?.emit("close");
  }

  protected abstract upgrade(
    headers: OutgoingHttpHeaders,
    open: (port: WebSocketPort) => WebSocketHandlers,
  ): void;
}
