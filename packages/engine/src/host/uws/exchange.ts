import { AsyncResource } from "node:async_hooks";
import { STATUS_CODES } from "node:http";
import type { OutgoingHttpHeaders } from "node:http";
import { CopiedHttpExchange, CopiedUpgradeExchange } from "../copied/exchange.ts";
import type { RequestHead, WebSocketHandlers, WebSocketPort, WholeHead } from "../host.ts";
import { PartialHead } from "./head.ts";
import { LARGE, LargeAnswer } from "./large-answer.ts";
import type { UwsWebSocketPort } from "./websocket.ts";
import type { UwsRequest, UwsResponse } from "./types.ts";
import { wellFormed } from "./well-formed.ts";
import { setImmediate } from "../timers.ts";

function writeHead(
  response: UwsResponse,
  status: number,
  headers: OutgoingHttpHeaders,
  reason?: string,
): void {
  // uWebSockets.js writes 200 OK where nothing else was written.
  if (status !== 200 || reason !== undefined) {
    response.writeStatus(`${status} ${reason ?? STATUS_CODES[status] ?? ""}`);
  }
  for (const name in headers) {
    const value = headers[name];
    // uWebSockets.js writes the length and, when told to close, the connection header itself.
    if (value === undefined || isWrittenByHost(name)) continue;
    if (Array.isArray(value)) for (const each of value) response.writeHeader(name, each);
    else response.writeHeader(name, String(value));
  }
}

function isWrittenByHost(name: string): boolean {
  const lower = name.length === 14 || name.length === 10 || name.length === 17 ? name.toLowerCase() : "";
  return lower === "content-length" || lower === "connection" || lower === "transfer-encoding";
}

export class UwsHttpExchange extends CopiedHttpExchange {
  #response: UwsResponse | undefined;
  #answer: LargeAnswer | undefined = undefined;
  readonly #settled: () => void;

  /** `settled` is called once: answered or aborted. */
  constructor(response: UwsResponse, head: RequestHead, maxBody: number, settled: () => void) {
    super(head, maxBody);
    this.#response = response;
    this.#settled = settled;
    response.onAborted(() => {
      // Of an answer that was under way only its sender is told: to all others it has been sent.
      const isUnderWay = this.ended;
      this.#answer?.stop();
      this.#forget();
      if (isUnderWay) this.onAbort?.();
      else this.abort();
    });
    const { method } = head;
    // The body must be asked for before the handler returns; what is not read yet waits here.
    if (method !== "GET" && method !== "HEAD" && method !== "OPTIONS") {
      response.onData((chunk, last) => {
        const bytes = Buffer.from(chunk);
        if (!last || !this.deliverWhole(bytes)) this.push(Buffer.from(bytes), last);
      });
    }
  }

  protected override write(
    status: number,
    headers: OutgoingHttpHeaders,
    body: string | Buffer,
    reason?: string,
  ): void {
    this.writeNow(status, headers, body, reason, headers["Connection"] === "close");
  }

  /** @param last - whether the connection is closed then */
  protected writeNow(
    status: number,
    headers: OutgoingHttpHeaders,
    body: string | Buffer,
    reason: string | undefined,
    last: boolean,
  ): void {
    const response = this.#response;
    if (response === undefined) return;
    if (body.length > LARGE && !last && status !== 304 && this.request.head.method !== "HEAD") {
      const answer = new LargeAnswer(response, typeof body === "string" ? Buffer.from(body) : body, () =>
        this.#forget(),
      );
      this.#answer = answer;
      response.cork(() => {
        writeHead(response, status, headers, reason);
        answer.start();
      });
      return;
    }
    response.cork(() => {
      writeHead(response, status, headers, reason);
      if (this.request.head.method === "HEAD") response.endWithoutBody(Buffer.byteLength(body), last);
      else if (status === 304 && last) response.endWithoutBody(0, true);
      else if (status === 304) response.endWithoutBody();
      else response.end(wellFormed(body), last);
    });
    this.#forget();
  }

  override destroy(): void {
    // Closing runs the abort handler.
    this.#response?.close();
  }

  #forget(): void {
    if (this.#response === undefined) return;
    this.#response = undefined;
    this.#answer = undefined;
    const { head } = this.request;
    if (head instanceof PartialHead) head.answered();
    this.#settled();
  }
}

/**
 * A request whose body comes in chunks. uWebSockets.js would read a trailer behind them as a next request: this one is the last
 * of its connection, and answered when all has been read that came with it. What came behind it drops the connection by then.
 */
export class ChunkedUwsExchange extends UwsHttpExchange {
  protected override write(
    status: number,
    headers: OutgoingHttpHeaders,
    body: string | Buffer,
    reason?: string,
  ): void {
    setImmediate(() => this.writeNow(status, headers, body, reason, true));
  }
}

/** What must be kept of an upgrade request to complete it later. */
interface UpgradeKeys {
  key: string;
  protocol: string;
  extensions: string;
  context: unknown;
}

export class UwsUpgradeExchange extends CopiedUpgradeExchange {
  #response: UwsResponse | undefined;
  readonly #head: WholeHead;
  readonly #keys: UpgradeKeys;
  /** Where a proxy has said that the client is. */
  proxied: ArrayBuffer | undefined = undefined;

  /**
   * Whether the handler of uWebSockets.js has returned. A `cork()` of the response then ends with a look at memory that the
   * upgrade has freed, and closes the WebSocket if somebody has written there: nothing of ours may run in between.
   */
  isDelayed: boolean = false;

  /** @param extensions - what the client offers, as far as it can be accepted */
  constructor(
    response: UwsResponse,
    request: UwsRequest,
    context: unknown,
    head: WholeHead,
    extensions: string,
  ) {
    super(head);
    this.#head = head;
    this.#response = response;
    this.#keys = {
      key: request.getHeader("sec-websocket-key"),
      protocol: request.getHeader("sec-websocket-protocol"),
      extensions,
      context,
    };
    response.onAborted(() => {
      this.#response = undefined;
      this.abort();
    });
  }

  /** The key is looked at by uWebSockets.js itself. */
  override get malformed(): boolean {
    const upgrade = this.#head.header("upgrade") ?? "";
    const version = this.#head.header("sec-websocket-version") ?? "";
    return !/^websocket$/i.test(upgrade) || !/^(?:8|13)$/.test(version);
  }

  protected override upgrade(
    headers: OutgoingHttpHeaders,
    open: (port: WebSocketPort) => WebSocketHandlers,
  ): void {
    const response = this.#response;
    if (response === undefined) return;
    this.#response = undefined;
    const { key, protocol, extensions, context } = this.#keys;
    const { proxied } = this;
    // uWebSockets.js calls back in no async context, or another one.
    const caller = new AsyncResource("TIDEWIRE");
    const opened = (port: WebSocketPort): WebSocketHandlers => caller.runInAsyncScope(open, undefined, port);
    const delayed: UwsWebSocketPort[] = [];
    const accepted = (port: UwsWebSocketPort): void => {
      if (this.isDelayed) delayed.push(port);
      else port.open(opened);
    };
    const connection = { accepted, port: undefined, ...(proxied === undefined ? {} : { proxied }) };
    response.cork(() => {
      writeHead(response, 101, headers);
      response.upgrade(connection, key, protocol, extensions, context);
    });
    for (const port of delayed) port.cork({ write: () => port.open(opened) });
  }

  protected override write(
    status: number,
    headers: OutgoingHttpHeaders,
    body: string | Buffer,
    reason?: string,
  ): void {
    const response = this.#response;
    if (response === undefined) return;
    this.#response = undefined;
    response.cork(() => {
      writeHead(response, status, headers, reason);
      response.end(body, true);
    });
  }

  override destroy(): void {
    // Closing runs the abort handler.
    this.#response?.close();
  }
}
