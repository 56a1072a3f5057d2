import { EventEmitter } from "node:events";
import type { IncomingHttpHeaders } from "node:http";
import type { RequestHead, RequestSource, RequestView, WebSocketPort } from "../host.ts";
import { keepMembers } from "./keep-members.ts";
import { nextTick } from "../timers.ts";

/** Who can drop the connection that a request came on. */
export interface Droppable {
  destroy(): void;
}

/** The copied head, and the view made of it on first use. */
export class CopiedRequest implements RequestSource {
  readonly head: RequestHead;
  /** The exchange until it is over, or the WebSocket that it has become. */
  #connection: Droppable | WebSocketPort | undefined;
  #view: CopiedRequestView | undefined = undefined;

  constructor(head: RequestHead, exchange: Droppable) {
    this.head = head;
    this.#connection = exchange;
  }

  get view(): RequestView {
    return (this.#view ??= new CopiedRequestView(this));
  }

  destroy(): void {
    const connection = this.#connection;
    if (connection === undefined) return;
    if ("terminate" in connection) connection.terminate();
    else connection.destroy();
  }

  /** For the exchange: the request was answered. */
  answered(): void {
    this.#connection = undefined;
    this.#view?.closed(false);
  }

  /** For the exchange: it became a WebSocket. Of that an `IncomingMessage` says nothing. */
  upgraded(port: WebSocketPort): void {
    this.#connection = port;
  }

  /** For the exchange: the client has gone before it was answered. */
  aborted(): void {
    this.#connection = undefined;
    this.#view?.closed(true);
  }
}

/**
 * An `IncomingMessage` as far as middlewares look at it, made from the copied head; it keeps nothing of the host's. Its body
 * is the engine's to read: to others it looks like one that has been read.
 */
class CopiedRequestView extends EventEmitter implements RequestView {
  [property: string]: unknown;
  method: string;
  url: string;
  headers: IncomingHttpHeaders;
  aborted: boolean = false;
  destroyed: boolean = false;
  readonly #source: CopiedRequest;
  #socket: ConnectionView | undefined = undefined;

  constructor(source: CopiedRequest) {
    super();
    const { method, url, headers } = source.head;
    this.method = method;
    this.url = url;
    this.headers = headers;
    this.#source = source;
  }

  get socket(): ConnectionView {
    return (this.#socket ??= new ConnectionView(this.#source));
  }

  get client(): unknown {
    return this.socket;
  }

  /** Applications put a member of their own in its place, as they may on Node's request. */
  set client(value: unknown) {
    Object.defineProperty(this, "client", { value, writable: true, enumerable: true, configurable: true });
  }

  get connection(): ConnectionView {
    return this.socket;
  }

  get httpVersion(): string {
    return "1.1";
  }

  get httpVersionMajor(): number {
    return 1;
  }

  get httpVersionMinor(): number {
    return 1;
  }

  /** Names and values in turn, in the order in which they came; the names are in lower case. */
  get rawHeaders(): string[] {
    return Object.entries(this.headers).flatMap(([name, value = ""]) =>
      Array.isArray(value) ? value.flatMap((each) => [name, each]) : [name, value],
    );
  }

  get rawTrailers(): string[] {
    return [];
  }

  get trailers(): Record<string, string> {
    return {};
  }

  get complete(): boolean {
    return !this.aborted;
  }

  get readable(): boolean {
    return false;
  }

  get readableEnded(): boolean {
    return !this.aborted;
  }

  get readableAborted(): boolean {
    return this.aborted;
  }

  pause(): this {
    return this;
  }

  resume(): this {
    return this;
  }

  unpipe(): this {
    return this;
  }

  setEncoding(): this {
    return this;
  }

  setTimeout(): this {
    return this;
  }

  /** Drops the connection, unless the request was answered; that of a WebSocket, too. */
  destroy(): this {
    this.#source.destroy();
    return this;
  }

  keepMembers(): void {
    keepMembers(this);
  }

  /** For the exchange: it is over. */
  closed(aborted: boolean): void {
    if (this.destroyed) return;
    this.destroyed = true;
    this.aborted = aborted;
    nextTick(() => {
      if (aborted) {
        this.emit("aborted");
        this.#socket?.closed();
      }
      this.emit("close");
    });
  }
}

/** The socket of a request, as far as middlewares and applications look at it. */
class ConnectionView extends EventEmitter {
  readonly remoteAddress: string;
  readonly encrypted: boolean;
  readonly remoteFamily: string;
  destroyed: boolean = false;
  readonly #source: CopiedRequest;

  constructor(source: CopiedRequest) {
    super();
    this.remoteAddress = source.head.remoteAddress;
    this.encrypted = source.head.secure;
    this.remoteFamily = this.remoteAddress.includes(":") ? "IPv6" : "IPv4";
    this.#source = source;
  }

  get readable(): boolean {
    return !this.destroyed;
  }

  get writable(): boolean {
    return !this.destroyed;
  }

  /** Nothing: the host does not say. */
  get remotePort(): number | undefined {
    return undefined;
  }

  get localPort(): number | undefined {
    return undefined;
  }

  get localAddress(): string | undefined {
    return undefined;
  }

  /** As of a socket of which nothing is known. */
  address(): object {
    return {};
  }

  /** Over TLS: whether the client has shown a certificate. The host does not ask for one. */
  get authorized(): boolean | undefined {
    return this.encrypted ? false : undefined;
  }

  /** As of a client that has shown none. */
  getPeerCertificate(): object {
    return {};
  }

  setTimeout(): this {
    return this;
  }

  setKeepAlive(): this {
    return this;
  }

  setNoDelay(): this {
    return this;
  }

  destroy(): this {
    this.#source.destroy();
    return this;
  }

  closed(): void {
    this.destroyed = true;
    this.emit("close", false);
  }
}
