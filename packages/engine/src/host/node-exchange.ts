import { STATUS_CODES } from "node:http";
import type { IncomingMessage, OutgoingHttpHeaders, ServerResponse } from "node:http";
import type { Duplex } from "node:stream";
import type { TLSSocket } from "node:tls";
import type { BodyError, HttpExchange, RequestHead, RequestSource, RequestView } from "./host.ts";
import type { ResponseView, UpgradeExchange, WebSocketHandlers, WebSocketPort } from "./host.ts";
import { CollectedResponseView } from "./views.ts";

/** On node:http the view is the request itself. */
export class NodeRequest implements RequestSource {
  readonly head: RequestHead;
  readonly view: RequestView;

  constructor(request: IncomingMessage) {
    const { method = "GET", url = "/", headers, socket } = request;
    const secure = (socket as Partial<TLSSocket>).encrypted ?? false;
    this.head = { method, url, headers, remoteAddress: socket.remoteAddress ?? "", secure };
    this.view = request as unknown as RequestView;
  }
}

export class NodeHttpExchange implements HttpExchange {
  readonly request: NodeRequest;
  readonly response: ResponseView;
  onAbort: (() => void) | undefined = undefined;
  readonly #request: IncomingMessage;
  readonly #response: ServerResponse;
  #aborted = false;
  #onBodyAbort: (() => void) | undefined = undefined;

  constructor(request: IncomingMessage, response: ServerResponse) {
    this.request = new NodeRequest(request);
    this.response = response as ServerResponse & ResponseView;
    this.#request = request;
    this.#response = response;
    response.once("close", () => {
      if (response.writableFinished) return;
      this.#aborted = true;
      this.#onBodyAbort?.();
      this.onAbort?.();
    });
  }

  get ended(): boolean {
    return this.#aborted || this.#response.writableEnded;
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
    const response = this.#response;
    if (this.ended) return;
    // A middleware may have sent its head already.
    if (response.headersSent) {
      response.end();
      return;
    }
    response.writeHead(status, withLength(headers, body)).end(body);
  }

  destroy(): void {
    this.#request.destroy();
  }
}

function withLength(headers: OutgoingHttpHeaders, body: string | Buffer): OutgoingHttpHeaders {
  for (const name in headers) if (name.toLowerCase() === "content-length") return headers;
  return { ...headers, "Content-Length": Buffer.byteLength(body) };
}

/** Completes upgrades; what the host has beside the exchange. */
export type CompleteUpgrade = (
  request: IncomingMessage,
  socket: Duplex,
  headers: OutgoingHttpHeaders,
  open: (port: WebSocketPort) => WebSocketHandlers,
) => void;

export class NodeUpgradeExchange implements UpgradeExchange {
  readonly request: NodeRequest;
  onAbort: (() => void) | undefined = undefined;
  ended: boolean = false;
  readonly #request: IncomingMessage;
  readonly #socket: Duplex;
  readonly #complete: CompleteUpgrade;
  #view: CollectedResponseView | undefined = undefined;
  readonly #abort = (): void => {
    if (this.ended) return;
    this.ended = true;
    this.onAbort?.();
    this.#view?.emit("close");
  };

  constructor(request: IncomingMessage, socket: Duplex, complete: CompleteUpgrade) {
    this.request = new NodeRequest(request);
    this.#request = request;
    this.#socket = socket;
    this.#complete = complete;
    socket.once("close", this.#abort).on("error", ignore);
  }

  get response(): CollectedResponseView {
    return (this.#view ??= new CollectedResponseView((status, headers, body) => {
      if (!this.ended) this.#write(status, headers, body);
    }));
  }

  accept(headers: OutgoingHttpHeaders, open: (port: WebSocketPort) => WebSocketHandlers): void {
    if (this.ended) return;
    this.ended = true;
    let all = headers;
    if (this.#view !== undefined) {
      // Some middlewares wait for the head before they set their headers.
      if (!this.#view.headersSent) this.#view.writeHead(101);
      all = { ...this.#view.namedHeaders(), ...headers };
    }
    this.#socket.off("close", this.#abort).off("error", ignore);
    this.#complete(this.#request, this.#socket, all, open);
    this.#view?.emit("close");
  }

  reject(status: number, body: string): void {
    if (this.ended) return;
    const headers = { ...this.#view?.namedHeaders(), Connection: "close", "Content-type": "text/html" };
    this.#write(status, headers, Buffer.from(body));
  }

  #write(status: number, headers: OutgoingHttpHeaders, body: Buffer): void {
    this.ended = true;
    const lines = [`HTTP/1.1 ${status} ${STATUS_CODES[status] ?? ""}`];
    for (const [name, value] of Object.entries(headers)) {
      for (const each of Array.isArray(value) ? value : [value]) lines.push(`${name}: ${each}`);
    }
    lines.push(`Content-Length: ${body.length}`, "", "");
    this.#socket.end(Buffer.concat([Buffer.from(lines.join("\r\n"), "latin1"), body]));
    this.#socket.once("finish", () => this.#socket.destroy());
    this.#view?.emit("close");
  }
}

function ignore(): void {}
