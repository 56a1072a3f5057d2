import { AsyncResource } from "node:async_hooks";
import type { OutgoingHttpHeaders } from "node:http";
import { CopiedRequest } from "../copied/request.ts";
import { CollectedUpgradeExchange } from "../copied/upgrade-exchange.ts";
import type { WebSocketHandlers, WebSocketPort, WholeHead } from "../host.ts";
import { writeAnswer, writeHead } from "./answer.ts";
import type { UwsRequest, UwsResponse } from "./types.ts";
import type { UwsConnection, UwsWebSocketPort } from "./websocket.ts";

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

  /** Set once the handler of uWebSockets.js has returned. Another open WebSocket of the host, if there is one. */
  bystander: (() => UwsWebSocketPort | undefined) | undefined = undefined;

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
    const complete = (accepted: UwsConnection["accepted"]): void => {
      writeHead(response, 101, headers);
      const connection = { accepted, port: undefined, ...(proxied === undefined ? {} : { proxied }) };
      response.upgrade(connection, key, protocol, extensions, context);
    };
    if (this.bystander === undefined) response.cork(() => complete((port) => port.open(opened)));
    else completeLate(response, this.bystander(), complete, opened);
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

/**
 * Completes an upgrade that the handler of uWebSockets.js did not wait for. A cork of the response ends with a look at memory that
 * the upgrade has freed, and closes the new WebSocket if what is there now looks like the end of an HTTP connection. While another
 * WebSocket is corked, the response cannot be: the head leaves in many small writes, and nothing is looked at.
 */
function completeLate(
  response: UwsResponse,
  bystander: UwsWebSocketPort | undefined,
  complete: (accepted: UwsConnection["accepted"]) => void,
  opened: (port: WebSocketPort) => WebSocketHandlers,
): void {
  if (bystander !== undefined) {
    bystander.cork({ write: () => complete((port) => port.open(opened)) });
    return;
  }
  // The first WebSocket of a host. It opens after the cork, so that nothing of ours is written to that memory.
  const ports: UwsWebSocketPort[] = [];
  response.cork(() => complete((port) => void ports.push(port)));
  for (const port of ports) port.cork({ write: () => port.open(opened) });
}
