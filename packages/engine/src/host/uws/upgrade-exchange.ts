import { AsyncResource } from "node:async_hooks";
import type { OutgoingHttpHeaders } from "node:http";
import { CopiedRequest } from "../copied/request.ts";
import { CollectedUpgradeExchange } from "../copied/upgrade-exchange.ts";
import type { WebSocketHandlers, WebSocketPort, WholeHead } from "../host.ts";
import { writeAnswer, writeHead } from "./answer.ts";
import type { UwsRequest, UwsResponse } from "./types.ts";
import type { UwsWebSocketPort } from "./websocket.ts";

/** The parts of an upgrade request that complete it later. */
interface UpgradeKeys {
  key: string;
  protocol: string;
  extensions: string;
  context: unknown;
}

/** An upgrade request on uWebSockets.js. */
export class UwsUpgradeExchange extends CollectedUpgradeExchange {
  readonly request: CopiedRequest;
  #response: UwsResponse | undefined;
  readonly #head: WholeHead;
  readonly #keys: UpgradeKeys;
  /** The address of the client, where a proxy has sent one. */
  proxied: ArrayBuffer | undefined = undefined;

  /**
   * Whether the handler of uWebSockets.js has returned. A `cork()` of the response then ends with a look at memory that the
   * upgrade has freed, and closes the WebSocket if somebody has written there: nothing of ours may run in between.
   */
  isDelayed: boolean = false;

  /** @param extensions - the offers of the client that can be accepted */
  constructor(
    response: UwsResponse,
    request: UwsRequest,
    context: unknown,
    head: WholeHead,
    extensions: string,
  ) {
    super();
    this.request = new CopiedRequest(head, this);
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

  /** uWebSockets.js itself checks the key. */
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
    // uWebSockets.js does not call back in the async context of its caller.
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
    writeAnswer(response, this.#head.method, status, headers, body, reason, true);
  }

  override destroy(): void {
    // Closing runs the abort handler.
    this.#response?.close();
  }
}
