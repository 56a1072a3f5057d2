import { EventEmitter } from "node:events";
import { STATUS_CODES, validateHeaderName, validateHeaderValue } from "node:http";
import type { OutgoingHttpHeaders } from "node:http";
import type { RequestSource, RequestView, ResponseView } from "../host.ts";
import { keepMembers } from "./keep-members.ts";
import { nextTick } from "../timers.ts";

type HeaderValue = number | string | readonly string[];
type HeaderList = readonly unknown[];
type Callback = (error?: Error) => void;

/** Where the response of a view goes. */
export interface ResponseSink {
  /** Takes the whole response. */
  send(status: number, headers: OutgoingHttpHeaders, body: Buffer, reason: string | undefined): void;
  /** Drops the connection. */
  destroy(): void;
}

/**
 * A `ServerResponse` as far as middlewares look at it: collects, and hands everything over once it is ended. Methods call each
 * other through the instance, because middlewares replace them.
 */
export class CollectedResponseView extends EventEmitter implements ResponseView {
  statusCode: number = 200;
  statusMessage: string | undefined = undefined;
  /** As in node, the head once it is fixed: `on-headers` and `express-session` look at it. */
  _header: string | null = null;
  writableEnded: boolean = false;
  writableFinished: boolean = false;
  /** Answered, or the client has gone: nothing can be sent any more. */
  closed: boolean = false;
  sendDate: boolean = true;
  readonly #request: RequestSource;
  /** The exchange, until it is over: sessions of `express-session` hold responses for as long as they live. */
  #sink: ResponseSink | undefined;
  readonly #headers: Map<string, [name: string, value: number | string | string[]]> = new Map();
  #chunks: Buffer[] = [];

  constructor(request: RequestSource, sink: ResponseSink) {
    super();
    this.#request = request;
    this.#sink = sink;
  }

  get req(): RequestView {
    return this.#request.view;
  }

  /** Express sets it, to what it is. */
  set req(_request: RequestView) {}

  get socket(): unknown {
    return this.req["socket"];
  }

  get connection(): unknown {
    return this.socket;
  }

  get headersSent(): boolean {
    return this._header !== null;
  }

  get finished(): boolean {
    return this.writableEnded;
  }

  get writable(): boolean {
    return !this.writableEnded;
  }

  get destroyed(): boolean {
    return this.closed;
  }

  setHeader(name: string, value: HeaderValue): this {
    this.#assertUnsent("set");
    validateHeaderName(name);
    validateValue(name, value);
    this.#headers.set(name.toLowerCase(), [name, typeof value === "object" ? [...value] : value]);
    return this;
  }

  setHeaders(headers: Iterable<readonly [string, HeaderValue]>): this {
    this.#assertUnsent("set");
    this.#setList([...headers]);
    return this;
  }

  appendHeader(name: string, value: string | readonly string[]): this {
    const existing = this.getHeader(name);
    return this.setHeader(name, existing === undefined ? value : [existing, value].flat().map(String));
  }

  getHeader(name: string): number | string | string[] | undefined {
    return this.#headers.get(name.toLowerCase())?.[1];
  }

  hasHeader(name: string): boolean {
    return this.#headers.has(name.toLowerCase());
  }

  removeHeader(name: string): void {
    this.#assertUnsent("remove");
    this.#headers.delete(name.toLowerCase());
  }

  getHeaderNames(): string[] {
    return [...this.#headers.keys()];
  }

  getRawHeaderNames(): string[] {
    return [...this.#headers.values()].map(([name]) => name);
  }

  getHeaders(): OutgoingHttpHeaders {
    const headers = Object.create(null) as OutgoingHttpHeaders;
    for (const [name, [, value]] of this.#headers) headers[name] = value;
    return headers;
  }

  /** @throws RangeError for a status outside of 100 to 999 */
  writeHead(
    status: number,
    reason?: string | OutgoingHttpHeaders | HeaderList,
    headers?: OutgoingHttpHeaders | HeaderList,
  ): this {
    this.#assertUnsent("write");
    const code = Math.trunc(status);
    if (!(code >= 100 && code <= 999)) {
      throw withCode(new RangeError(`Invalid status code: ${status}`), "ERR_HTTP_INVALID_STATUS_CODE");
    }
    this.statusCode = code;
    if (typeof reason === "string") this.statusMessage = reason;
    if (this.statusMessage !== undefined) validateHeaderValue("statusMessage", this.statusMessage);
    const extra = typeof reason === "object" ? reason : headers;
    if (Array.isArray(extra)) this.#setList(extra);
    else this.#setRecord((extra ?? {}) as OutgoingHttpHeaders);
    this.statusMessage ??= STATUS_CODES[code] ?? "unknown";
    this._header = `HTTP/1.1 ${code} ${this.statusMessage}\r\n`;
    return this;
  }

  _implicitHeader(): void {
    this.writeHead(this.statusCode);
  }

  flushHeaders(): void {
    if (!this.headersSent) this._implicitHeader();
  }

  write(chunk: string | Uint8Array, encoding?: BufferEncoding | Callback, callback?: Callback): boolean {
    const done = typeof encoding === "function" ? encoding : callback;
    if (this.writableEnded) {
      if (done) nextTick(done, withCode(new Error("write after end"), "ERR_STREAM_WRITE_AFTER_END"));
      return false;
    }
    if (!this.headersSent) this._implicitHeader();
    this.#push(chunk, encoding);
    if (done) nextTick(done);
    return true;
  }

  end(
    chunk?: string | Uint8Array | Callback | null,
    encoding?: BufferEncoding | Callback,
    callback?: Callback,
  ): this {
    const done = [chunk, encoding, callback].find((value) => typeof value === "function");
    if (this.writableEnded) {
      const error = new Error("Cannot call end after a stream was finished");
      if (done) nextTick(done, withCode(error, "ERR_STREAM_ALREADY_FINISHED"));
      return this;
    }
    if (typeof chunk === "string" || chunk instanceof Uint8Array) this.#push(chunk, encoding);
    if (!this.headersSent) this._implicitHeader();
    if (done) this.once("finish", done);
    this.writableEnded = true;
    const body = Buffer.concat(this.#chunks);
    this.#chunks = [];
    this.#sink?.send(this.statusCode, this.namedHeaders(), body, this.statusMessage);
    return this;
  }

  /** Drops the connection, unless the response was sent. */
  destroy(): this {
    this.#sink?.destroy();
    return this;
  }

  cork(): void {}

  uncork(): void {}

  addTrailers(): void {}

  setTimeout(): this {
    return this;
  }

  keepMembers(): void {
    keepMembers(this);
  }

  /** The headers with their names as they were written. */
  namedHeaders(): OutgoingHttpHeaders {
    const headers: OutgoingHttpHeaders = {};
    for (const [name, value] of this.#headers.values()) headers[name] = value;
    return headers;
  }

  /** For the exchange: the engine's own answer, through whatever middlewares have put around these methods. */
  answer(status: number, headers: OutgoingHttpHeaders, body: string | Buffer): void {
    try {
      if (this.headersSent) {
        this.end();
        return;
      }
      this.writeHead(status, withEarlierCookies(this, headers));
      this.end(body);
    } catch (error) {
      this.#fail(error);
    }
  }

  /** For the exchange: the headers that go out with an upgrade. */
  commitHeaders(status: number): OutgoingHttpHeaders {
    try {
      // Some middlewares wait for the head before they set their headers.
      if (!this.closed && !this.headersSent) this.writeHead(status);
    } catch (error) {
      this.#fail(error);
    }
    return this.namedHeaders();
  }

  /** For the exchange: the response is on the wire. */
  sent(): void {
    if (this.closed) return;
    this.closed = this.writableEnded = true;
    this.#sink = undefined;
    nextTick(() => {
      this.writableFinished = true;
      this.emit("finish");
      this.emit("close");
    });
  }

  /** For the exchange: the client has gone. */
  aborted(): void {
    if (this.closed) return;
    this.closed = true;
    this.#sink = undefined;
    nextTick(() => this.emit("close"));
  }

  /** A middleware threw while the head was written: uncaught, as in node, and no one else's affair. */
  #fail(error: unknown): void {
    nextTick(() => {
      throw error;
    });
    this.destroy();
  }

  #assertUnsent(verb: string): void {
    if (!this.headersSent) return;
    const error = new Error(`Cannot ${verb} headers after they are sent to the client`);
    throw withCode(error, "ERR_HTTP_HEADERS_SENT");
  }

  /** Names and values in turn, or pairs of them; a name that comes twice is sent twice. */
  #setList(list: HeaderList): void {
    const flat = list.flatMap((entry, index) =>
      Array.isArray(list[0])
        ? [entry as [string, string]]
        : index % 2 === 0
          ? [[entry, list[index + 1]]]
          : [],
    ) as Array<[string, string | string[]]>;
    for (const [name] of flat) this.removeHeader(name);
    for (const [name, value] of flat) this.appendHeader(name, value);
  }

  #setRecord(headers: OutgoingHttpHeaders): void {
    for (const name in headers) {
      const value = headers[name];
      if (value !== undefined) this.setHeader(name, value);
    }
  }

  #push(chunk: string | Uint8Array, encoding: unknown): void {
    const isNamed = typeof encoding === "string";
    const charset = isNamed ? (encoding as BufferEncoding) : "utf8";
    this.#chunks.push(typeof chunk === "string" ? Buffer.from(chunk, charset) : Buffer.from(chunk));
  }
}

/** Cookies that a middleware has set, and then ours: with one header each, the later would replace the earlier. */
export function withEarlierCookies(
  response: Pick<ResponseView, "getHeader">,
  headers: OutgoingHttpHeaders,
): OutgoingHttpHeaders {
  const ours = headers["Set-Cookie"];
  const earlier = ours === undefined ? undefined : response.getHeader("Set-Cookie");
  if (earlier === undefined) return headers;
  return { ...headers, "Set-Cookie": [earlier, ours].flat().map(String) };
}

/** @throws TypeError for a name or a value that no header may have */
export function validateHeaders(headers: OutgoingHttpHeaders): void {
  for (const name in headers) {
    const value = headers[name];
    if (value === undefined || isUsual(name, value)) continue;
    validateHeaderName(name);
    validateValue(name, value);
  }
}

const usualNames: ReadonlySet<string> = new Set(["Content-Type", "Content-Length", "cache-control"]);
const usualValues: ReadonlySet<unknown> = new Set([
  "text/plain; charset=UTF-8",
  "text/html",
  "no-store",
  "2",
]);

/** What long-polling writes, known to be valid. */
function isUsual(name: string, value: HeaderValue): boolean {
  return usualNames.has(name) && (typeof value === "number" || usualValues.has(value));
}

/** A line break in a header would begin another one. */
function validateValue(name: string, value: HeaderValue | undefined): void {
  for (const each of Array.isArray(value) ? value : [value]) validateHeaderValue(name, each as string);
}

function withCode<T extends Error>(error: T, code: string): T {
  return Object.assign(error, { code });
}
