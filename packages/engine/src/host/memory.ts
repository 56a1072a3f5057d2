import type { IncomingHttpHeaders, OutgoingHttpHeaders } from "node:http";
import { CopiedHttpExchange } from "./copied/http-exchange.ts";
import { CopiedRequest } from "./copied/request.ts";
import { CollectedUpgradeExchange } from "./copied/upgrade-exchange.ts";
import type { Host, HostTarget, RequestHead, WebSocketHandlers, WebSocketPort } from "./host.ts";
import { ParsedHead } from "./copied/head.ts";

export interface MemoryRequest {
  /** `GET` unless said otherwise. */
  method?: string;
  /** Path and query. */
  url: string;
  headers?: IncomingHttpHeaders;
  body?: string | Buffer;
  /** Whether more of the body follows by `call.push`. Default false. */
  streamed?: boolean;
}

export interface MemoryResponse {
  status: number;
  /** Lower-case names. */
  headers: Record<string, string | string[]>;
  body: Buffer;
}

/** An open request. `response` rejects if the server or the client drops the connection. */
export interface MemoryCall {
  response: Promise<MemoryResponse>;
  /** Sends the next part of a streamed body. */
  push(chunk: Buffer, last: boolean): void;
  /** The client goes away. */
  abort(): void;
}

/**
 * A host without sockets: requests and WebSockets are function calls. For tests, fuzzers and measurements of what the protocol
 * itself costs.
 */
export class MemoryHost implements Host {
  #target: HostTarget | undefined = undefined;

  /** Called by `engine.attachHost(host)`. */
  bind(target: HostTarget): void {
    this.#target = target;
  }

  request(request: MemoryRequest): MemoryCall {
    const target = this.#bound();
    let exchange!: MemoryExchange;
    const response = new Promise<MemoryResponse>((resolve, reject) => {
      exchange = new MemoryExchange(toHead(request), target.maxPayload, resolve, reject);
      target.onRequest(exchange);
      if (exchange.request.head.method === "GET") return;
      exchange.push(Buffer.from(request.body ?? ""), request.streamed !== true);
    });
    return {
      response,
      push: (chunk, last) => exchange.push(chunk, last),
      abort: () => exchange.leave(),
    };
  }

  /**
   * Opens a WebSocket. Resolves once it is accepted; rejects with a `MemoryUpgradeError` if it is refused.
   *
   * @param signal - makes the client go away before that
   */
  connect(request: MemoryRequest, signal?: AbortSignal): Promise<MemoryWebSocket> {
    const target = this.#bound();
    return new Promise((resolve, reject) => {
      const upgrade = new MemoryUpgrade(toHead(request), target.maxPayload, resolve, reject);
      signal?.addEventListener("abort", () => upgrade.leave(), { once: true });
      target.onUpgrade(upgrade);
    });
  }

  #bound(): HostTarget {
    if (this.#target === undefined)
      throw new Error("No engine is attached to this host: call engine.attachHost(host)");
    return this.#target;
  }
}

function toHead({ method = "GET", url, headers = {} }: MemoryRequest): RequestHead {
  return new ParsedHead(method, url, headers, "127.0.0.1", false);
}

function toResponse(status: number, headers: OutgoingHttpHeaders, body: string | Buffer): MemoryResponse {
  const lower: MemoryResponse["headers"] = {};
  for (const [name, value] of Object.entries(headers)) {
    if (value !== undefined) lower[name.toLowerCase()] = Array.isArray(value) ? value : String(value);
  }
  return { status, headers: lower, body: Buffer.from(body) };
}

class MemoryExchange extends CopiedHttpExchange {
  readonly #resolve: (response: MemoryResponse) => void;
  readonly #reject: (error: Error) => void;

  constructor(
    head: RequestHead,
    maxBody: number,
    resolve: (response: MemoryResponse) => void,
    reject: (error: Error) => void,
  ) {
    super(head, maxBody);
    this.#resolve = resolve;
    this.#reject = reject;
  }

  protected override write(status: number, headers: OutgoingHttpHeaders, body: string | Buffer): void {
    this.#resolve(toResponse(status, headers, body));
  }

  /** The client goes away. */
  leave(): void {
    this.abort();
    this.#reject(new Error("aborted"));
  }

  override destroy(): void {
    this.abort();
    this.#reject(new Error("dropped by the server"));
  }
}

/** The server has refused a WebSocket, with this response. */
export class MemoryUpgradeError extends Error {
  readonly response: MemoryResponse;

  constructor(response: MemoryResponse) {
    super(`Unexpected server response: ${response.status}`);
    this.response = response;
  }
}

class MemoryUpgrade extends CollectedUpgradeExchange {
  readonly request: CopiedRequest;
  readonly #maxPayload: number;
  readonly #resolve: (socket: MemoryWebSocket) => void;
  readonly #reject: (error: Error) => void;

  constructor(
    head: RequestHead,
    maxPayload: number,
    resolve: (socket: MemoryWebSocket) => void,
    reject: (error: Error) => void,
  ) {
    super();
    this.request = new CopiedRequest(head, this);
    this.#maxPayload = maxPayload;
    this.#resolve = resolve;
    this.#reject = reject;
  }

  /** The client goes away. */
  leave(): void {
    this.abort();
    this.#reject(new Error("aborted"));
  }

  override destroy(): void {
    this.abort();
    this.#reject(new Error("dropped by the server"));
  }

  protected override upgrade(
    headers: OutgoingHttpHeaders,
    open: (port: WebSocketPort) => WebSocketHandlers,
  ): void {
    this.#resolve(new MemoryWebSocket(toResponse(101, headers, "").headers, this.#maxPayload, open));
  }

  protected override write(status: number, headers: OutgoingHttpHeaders, body: string | Buffer): void {
    this.#reject(new MemoryUpgradeError(toResponse(status, headers, body)));
  }
}

/**
 * The client's end of a WebSocket in memory. Messages that arrive before `onmessage` is set wait for it. While the client is
 * paused, the server's frames wait on the way to it, and count as buffered there.
 */
export class MemoryWebSocket {
  /** Headers of the 101. */
  readonly headers: MemoryResponse["headers"];
  readonly #maxPayload: number;
  #handlers: WebSocketHandlers | undefined = undefined;
  #received: Array<string | Buffer> = [];
  #closed: { code: number; reason: string } | undefined = undefined;
  #onmessage: ((data: string | Buffer) => void) | undefined = undefined;
  #onclose: ((code: number, reason: string) => void) | undefined = undefined;
  #paused = false;
  /** Frames on the way to a client that is paused. */
  #held: Array<string | Buffer> = [];
  #heldBytes = 0;
  /** How many frames the server has sent after the end. A correct server sends none. */
  lateFrames: number = 0;
  /** The server's close frame, behind the held frames. */
  #heldClose: { code: number; reason: string } | undefined = undefined;

  constructor(
    headers: MemoryResponse["headers"],
    maxPayload: number,
    open: (port: WebSocketPort) => WebSocketHandlers,
  ) {
    this.headers = headers;
    this.#maxPayload = maxPayload;
    const bufferedAmount = (): number => this.#heldBytes;
    this.#handlers = open({
      remoteAddress: "127.0.0.1",
      socket: this,
      corksReads: true,
      get bufferedAmount(): number {
        return bufferedAmount();
      },
      copies: true,
      send: (data, binary) => this.#receive(binary ? Buffer.from(data) : data.toString()),
      cork: (batch) => batch.write(),
      pause: () => false,
      resume: () => {},
      close: (code = 1005, reason = "") => this.#closedByServer(code, reason),
      terminate: () => this.#finish(1006, ""),
    });
    // Its owner has closed it before the handlers were known.
    if (this.#closed) this.#handlers.onClose(this.#closed.code, this.#closed.reason);
  }

  set onmessage(listener: (data: string | Buffer) => void) {
    this.#onmessage = listener;
    for (const data of this.#received.splice(0)) listener(data);
  }

  set onclose(listener: (code: number, reason: string) => void) {
    this.#onclose = listener;
    if (this.#closed) listener(this.#closed.code, this.#closed.reason);
  }

  send(data: string | Buffer): void {
    if (this.#closed) return;
    if (Buffer.byteLength(data) <= this.#maxPayload) {
      // As on a real host: messages after the server's close frame are read and dropped.
      if (this.#heldClose) return;
      this.#handlers?.onMessage(data);
      this.#handlers?.onReadEnd();
      return;
    }
    this.#finish(1009, "Max payload size exceeded", new RangeError("Max payload size exceeded"));
  }

  /** Stops reading. */
  pause(): void {
    this.#paused = true;
  }

  /** Reads the held frames, and goes on. */
  resume(): void {
    if (!this.#paused) return;
    this.#paused = false;
    const held = this.#held;
    this.#held = [];
    this.#heldBytes = 0;
    for (const data of held) this.#read(data);
    if (this.#heldClose) this.#finish(this.#heldClose.code, this.#heldClose.reason);
    else if (held.length > 0) this.#handlers?.onDrain();
  }

  close(code: number = 1005, reason: string = ""): void {
    this.#finish(code, reason);
  }

  /** Ends the connection without a closing handshake. */
  terminate(): void {
    this.#finish(1006, "");
  }

  #receive(data: string | Buffer): void {
    if (this.#closed || this.#heldClose) {
      this.lateFrames++;
      return;
    }
    if (!this.#paused) {
      this.#read(data);
      return;
    }
    this.#held.push(data);
    this.#heldBytes += Buffer.byteLength(data);
  }

  #read(data: string | Buffer): void {
    if (this.#onmessage) this.#onmessage(data);
    else this.#received.push(data);
  }

  #closedByServer(code: number, reason: string): void {
    if (this.#paused) this.#heldClose ??= { code, reason };
    else this.#finish(code, reason);
  }

  #finish(code: number, reason: string, tooLarge?: RangeError): void {
    if (this.#closed) return;
    this.#closed = { code, reason };
    this.#held = [];
    this.#heldBytes = 0;
    if (tooLarge) this.#handlers?.onError("too large", tooLarge);
    this.#handlers?.onClose(code, reason);
    this.#onclose?.(code, reason);
  }
}
