import { EventEmitter } from "node:events";
import { STATUS_CODES } from "node:http";
import type { IncomingHttpHeaders, OutgoingHttpHeaders } from "node:http";
import type { RequestHead, RequestSource, RequestView, ResponseView } from "./host.ts";

/** The socket of a request, as far as middlewares and applications look at it. */
class ConnectionView extends EventEmitter {
  readonly remoteAddress: string;
  readonly encrypted: boolean;

  constructor(head: RequestHead) {
    super();
    this.remoteAddress = head.remoteAddress;
    this.encrypted = head.secure;
  }
}

/** An `IncomingMessage` as far as middlewares look at it, made from the copied head. Keeps nothing of the host's. */
export class CopiedRequestView extends EventEmitter implements RequestView {
  [property: string]: unknown;
  method: string;
  url: string;
  headers: IncomingHttpHeaders;
  httpVersion: string = "1.1";
  readonly socket: ConnectionView;
  readonly connection: ConnectionView;

  constructor(head: RequestHead) {
    super();
    this.method = head.method;
    this.url = head.url;
    this.headers = head.headers;
    this.socket = this.connection = new ConnectionView(head);
  }
}

/** The copied head and the view made of it on first use. */
export class CopiedRequest implements RequestSource {
  readonly head: RequestHead;
  #view: RequestView | undefined = undefined;

  constructor(head: RequestHead) {
    this.head = head;
  }

  get view(): RequestView {
    return (this.#view ??= new CopiedRequestView(this.head));
  }
}

/** Sends what a middleware wrote. */
export type SendResponse = (status: number, headers: OutgoingHttpHeaders, body: Buffer) => void;

/** A `ServerResponse` as far as middlewares look at it: collects, and sends once when ended. */
export class CollectedResponseView extends EventEmitter implements ResponseView {
  statusCode: number = 200;
  statusMessage: string | undefined = undefined;
  headersSent: boolean = false;
  writableEnded: boolean = false;
  finished: boolean = false;
  /** Truthy once the head is fixed; `on-headers` and `express-session` read it. */
  _header: string | null = null;
  readonly #headers: Map<string, [name: string, value: number | string | string[]]> = new Map();
  readonly #chunks: Buffer[] = [];
  readonly #send: SendResponse;

  constructor(send: SendResponse) {
    super();
    this.#send = send;
  }

  setHeader(name: string, value: number | string | readonly string[]): this {
    if (this.headersSent) throw new Error("Cannot set headers after they are sent to the client");
    this.#headers.set(name.toLowerCase(), [name, typeof value === "object" ? [...value] : value]);
    return this;
  }

  getHeader(name: string): number | string | string[] | undefined {
    return this.#headers.get(name.toLowerCase())?.[1];
  }

  hasHeader(name: string): boolean {
    return this.#headers.has(name.toLowerCase());
  }

  removeHeader(name: string): void {
    this.#headers.delete(name.toLowerCase());
  }

  getHeaderNames(): string[] {
    return [...this.#headers.keys()];
  }

  getHeaders(): OutgoingHttpHeaders {
    const headers = Object.create(null) as OutgoingHttpHeaders;
    for (const [name, [, value]] of this.#headers) headers[name] = value;
    return headers;
  }

  writeHead(status: number, reason?: string | OutgoingHttpHeaders, headers?: OutgoingHttpHeaders): this {
    this.statusCode = status;
    const extra = typeof reason === "object" ? reason : headers;
    for (const name in extra) {
      const value = extra[name];
      if (value !== undefined) this.setHeader(name, value);
    }
    this.headersSent = true;
    this._header = `HTTP/1.1 ${status} ${STATUS_CODES[status] ?? ""}\r\n`;
    return this;
  }

  _implicitHeader(): void {
    this.writeHead(this.statusCode);
  }

  flushHeaders(): void {
    if (!this.headersSent) this._implicitHeader();
  }

  write(chunk: string | Uint8Array): boolean {
    if (!this.headersSent) this._implicitHeader();
    this.#chunks.push(typeof chunk === "string" ? Buffer.from(chunk) : Buffer.from(chunk));
    return true;
  }

  end(chunk?: string | Uint8Array | (() => void), encoding?: unknown, callback?: () => void): this {
    if (this.writableEnded) return this;
    if (typeof chunk === "string" || chunk instanceof Uint8Array) this.write(chunk);
    if (!this.headersSent) this._implicitHeader();
    this.writableEnded = this.finished = true;
    this.#send(this.statusCode, this.namedHeaders(), Buffer.concat(this.#chunks));
    const done = [chunk, encoding, callback].find((value) => typeof value === "function");
    if (done) this.once("finish", done as () => void);
    this.emit("finish");
    return this;
  }

  /** The headers with their names as they were written. */
  namedHeaders(): OutgoingHttpHeaders {
    const headers: OutgoingHttpHeaders = {};
    for (const [name, value] of this.#headers.values()) headers[name] = value;
    return headers;
  }
}
