import { STATUS_CODES } from "node:http";
import type { IncomingMessage, OutgoingHttpHeaders, ServerResponse } from "node:http";
import type { Http2ServerRequest } from "node:http2";
import type { Duplex } from "node:stream";
import type { BodyError, HttpExchange } from "../host.ts";
import type { ResponseView, WebSocketHandlers, WebSocketPort } from "../host.ts";
import { CollectedUpgradeExchange } from "../copied/exchange.ts";
import type { Ongoing, OngoingSet } from "./ongoing.ts";
import { NodeRequest } from "./request.ts";
import { withEarlierCookies } from "../copied/response-view.ts";
import { STALL_TIMEOUT } from "../host.ts";
import { nextTick } from "../timers.ts";

export class NodeHttpExchange implements HttpExchange, Ongoing {
  readonly request: NodeRequest;
  readonly response: ResponseView;
  onAbort: (() => void) | undefined = undefined;
  readonly #request: IncomingMessage;
  readonly #response: ServerResponse;
  #aborted = false;
  /** Whether the connection has the time limit of an answer under way. */
  #isWatched = false;
  #onBodyAbort: (() => void) | undefined = undefined;

  constructor(request: IncomingMessage, response: ServerResponse, ongoing: OngoingSet) {
    this.request = new NodeRequest(request);
    this.response = response as ServerResponse & ResponseView;
    this.#request = request;
    this.#response = response;
    // That of HTTP/2 has none, and middlewares made for HTTP/1.1 call it.
    if (!("_implicitHeader" in response)) {
      Object.assign(response, { _implicitHeader: () => this.#response.writeHead(this.#response.statusCode) });
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

  /** The client may still be sending the body, for a request that was answered before that. */
  #leave(ongoing: OngoingSet): void {
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
    try {
      // A middleware may have sent its head already.
      if (response.headersSent) {
        response.end();
        return;
      }
      // Over HTTP/2 node drops it with a warning.
      if (headers["Connection"] !== undefined && this.#request.httpVersionMajor > 1)
        delete headers["Connection"];
      response.writeHead(status, withEarlierCookies(response, withLength(headers, body)));
      response.end(body);
      this.#watch();
    } catch (error) {
      // Thrown by what a middleware has put around these methods: no one else's affair.
      nextTick(() => {
        throw error;
      });
      response.destroy();
    }
  }

  /** Drops a client that takes nothing of the answer, unless the application has a limit of its own for that. */
  #watch(): void {
    const { socket, httpVersionMajor } = this.#request;
    if (httpVersionMajor !== 1 || socket.writableLength === 0 || socket.timeout) return;
    this.#isWatched = true;
    socket.setTimeout(STALL_TIMEOUT);
  }

  destroy(): void {
    // Not the request: over HTTP/2 that is not the stream.
    this.#response.destroy();
  }

  cut(): void {
    const request = this.#request;
    if ("stream" in request) (request as unknown as Http2ServerRequest).stream.destroy();
    else request.socket.destroy();
  }
}

/** Whether a response that is closed has left whole. */
function hasLeft(request: IncomingMessage, response: ServerResponse & WithStream): boolean {
  // A response of HTTP/2 that was reset before its end counts as finished, but not as ended.
  if (!response.writableEnded || !response.writableFinished) return false;
  // One whose connection was lost behind its end counts as both, on either version.
  if (response.stream !== undefined) return response.stream.rstCode === 0;
  return !request.socket.destroyed || request.socket.writableEnded;
}

/** A response of HTTP/2. */
interface WithStream {
  stream?: { rstCode: number };
}

function withLength(headers: OutgoingHttpHeaders, body: string | Buffer): OutgoingHttpHeaders {
  for (const name in headers) if (name.toLowerCase() === "content-length") return headers;
  return { ...headers, "Content-Length": Buffer.byteLength(body) };
}

/** Completes upgrades; what the host has beside the exchange. */
export type CompleteUpgrade = (
  request: IncomingMessage,
  socket: Duplex,
  /** what the client has sent behind the request in the meantime */
  early: readonly Buffer[],
  headers: OutgoingHttpHeaders,
  open: (port: WebSocketPort) => WebSocketHandlers,
) => void;

/** Bytes that a client may send before its upgrade is answered; it should send none. */
const MAX_EARLY_BYTES = 64 * 1024;
const NONE: readonly Buffer[] = [];

export class NodeUpgradeExchange extends CollectedUpgradeExchange implements Ongoing {
  readonly request: NodeRequest;
  readonly #request: IncomingMessage;
  readonly #socket: Duplex;
  readonly #complete: CompleteUpgrade;
  readonly #isOurs: boolean;
  readonly #ongoing: OngoingSet;
  readonly #onClose = (): void => {
    this.#ongoing.delete(this);
    this.abort();
  };
  #early: Buffer[] | undefined = undefined;
  #earlyBytes = 0;
  readonly #onData = (chunk: Buffer): void => {
    this.#early?.push(chunk);
    this.#earlyBytes += chunk.length;
    if (this.#earlyBytes > MAX_EARLY_BYTES) this.destroy();
  };

  /** @param isOurs - whether nobody else has seen the request */
  constructor(
    request: IncomingMessage,
    socket: Duplex,
    isOurs: boolean,
    ongoing: OngoingSet,
    complete: CompleteUpgrade,
  ) {
    super();
    this.#ongoing = ongoing;
    this.request = new NodeRequest(request);
    this.#request = request;
    this.#socket = socket;
    this.#complete = complete;
    this.#isOurs = isOurs;
    socket.once("close", this.#onClose).on("error", ignore);
  }

  /** By the rules of `ws`, which would answer by itself and tell nobody. */
  override get malformed(): boolean {
    const { method, headers } = this.#request;
    const { upgrade = "", "sec-websocket-key": key = "", "sec-websocket-version": version = "" } = headers;
    const isHandshake = /^websocket$/i.test(upgrade) && /^[+/0-9A-Za-z]{22}==$/.test(key);
    return method !== "GET" || !isHandshake || !/^(?:8|13)$/.test(version);
  }

  override destroy(): void {
    this.#socket.destroy();
  }

  cut(): void {
    this.destroy();
  }

  /** While a hook decides: a socket that nobody reads would not tell that the client has ended it. */
  watch(): void {
    if (this.ended) return;
    this.#early = [];
    this.#ongoing.add(this);
    this.#socket.on("data", this.#onData).once("end", this.#onEnd);
  }

  readonly #onEnd = (): void => void this.#socket.destroy();

  #unwatch(): void {
    if (this.#early === undefined) return;
    this.#socket.off("data", this.#onData).off("end", this.#onEnd);
  }

  protected override upgrade(
    headers: OutgoingHttpHeaders,
    open: (port: WebSocketPort) => WebSocketHandlers,
  ): void {
    this.#unwatch();
    this.#ongoing.delete(this);
    this.#socket.off("close", this.#onClose).off("error", ignore);
    this.#complete(this.#request, this.#socket, this.#early ?? NONE, headers, open);
    if (this.#isOurs) this.request.condense();
  }

  protected override write(
    status: number,
    headers: OutgoingHttpHeaders,
    body: string | Buffer,
    reason: string = STATUS_CODES[status] ?? "",
  ): void {
    this.#unwatch();
    const lines = [`HTTP/1.1 ${status} ${reason}`];
    for (const [name, value] of Object.entries(headers)) {
      if (isWrittenHere(name)) continue;
      for (const each of Array.isArray(value) ? value : [value]) lines.push(`${name}: ${each}`);
    }
    lines.push("Connection: close", `Content-Length: ${Buffer.byteLength(body)}`, "", "");
    this.#socket.end(Buffer.concat([Buffer.from(lines.join("\r\n"), "latin1"), Buffer.from(body)]));
    this.#socket.once("finish", () => this.#socket.destroy());
  }
}

function isWrittenHere(name: string): boolean {
  return /^(?:connection|content-length|transfer-encoding)$/i.test(name);
}

function ignore(): void {}
