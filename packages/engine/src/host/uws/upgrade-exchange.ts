import type { OutgoingHttpHeaders } from "node:http";
import { CopiedRequest } from "../copied/request.ts";
import { CollectedUpgradeExchange } from "../copied/upgrade-exchange.ts";
import type { WebSocketHandlers, WebSocketPort, WholeHead } from "../host.ts";
import { writeAnswer, writeHead } from "./answer.ts";
import type { CorkHolder } from "./cork-holder.ts";
import type { UwsRequest, UwsResponse } from "./types.ts";
import type { UwsConnection, UwsWebSocketPort } from "./websocket.ts";

/** An upgrade request on uWebSockets.js. */
export class UwsUpgradeExchange extends CollectedUpgradeExchange {
  readonly request: CopiedRequest;
  #response: UwsResponse | undefined;
  readonly #head: WholeHead;
  // What completes the upgrade.
  readonly #key: string;
  readonly #protocol: string;
  readonly #extensions: string;
  readonly #context: unknown;
  /** The address of the client, where a proxy has sent one. */
  proxied: ArrayBuffer | undefined = undefined;

  /** Set by the host when the WebSocket has opened. */
  port: UwsWebSocketPort | undefined = undefined;

  readonly #corkHolder: CorkHolder;
  /** Whether the handler of uWebSockets.js has returned. */
  #isLate = false;
  #retainsHolder = false;

  /** @param extensions - the offers of the client that can be accepted */
  constructor(
    response: UwsResponse,
    request: UwsRequest,
    context: unknown,
    head: WholeHead,
    extensions: string,
    corkHolder: CorkHolder,
  ) {
    super();
    this.request = new CopiedRequest(head, this);
    this.#head = head;
    this.#response = response;
    this.#key = request.getHeader("sec-websocket-key");
    this.#protocol = request.getHeader("sec-websocket-protocol");
    this.#extensions = extensions;
    this.#context = context;
    this.#corkHolder = corkHolder;
    response.onAborted(() => {
      this.#response = undefined;
      this.#releaseHolder();
      this.abort();
    });
  }

  /** uWebSockets.js itself checks the key. */
  override get malformed(): boolean {
    const upgrade = this.#head.header("upgrade") ?? "";
    const version = this.#head.header("sec-websocket-version") ?? "";
    return !/^websocket$/i.test(upgrade) || !/^(?:8|13)$/.test(version);
  }

  /** For the host: the handler of uWebSockets.js returns. */
  becomeLate(): void {
    this.#isLate = true;
  }

  override get isReady(): boolean {
    return !this.#isLate || this.#corkHolder.isSettled;
  }

  override prepare(callback: () => void): void {
    if (!this.#retainsHolder) {
      this.#retainsHolder = true;
      this.#corkHolder.retain();
    }
    this.#corkHolder.whenSettled(() => {
      if (!this.ended) callback();
    });
  }

  #releaseHolder(): void {
    if (!this.#retainsHolder) return;
    this.#retainsHolder = false;
    this.#corkHolder.release();
  }

  protected override upgrade(
    headers: OutgoingHttpHeaders,
    open: (port: WebSocketPort) => WebSocketHandlers,
  ): void {
    const response = this.#response;
    if (response === undefined) return;
    this.#response = undefined;
    if (this.#isLate) {
      this.#completeLate(response, headers);
      this.port?.cork({ write: () => this.port?.open(open) });
    } else {
      // uWebSockets.js has corked the response, and corks the WebSocket in its place.
      this.#complete(response, headers);
      this.port?.open(open);
    }
    this.#releaseHolder();
  }

  /** The port does not open in the callback of uWebSockets.js, which has lost the async context of the caller. */
  #complete(response: UwsResponse, headers: OutgoingHttpHeaders): void {
    // By itself, uWebSockets.js writes the status.
    if (Object.keys(headers).length > 0) writeHead(response, 101, headers);
    const connection: UwsConnection = { opening: this, port: undefined };
    if (this.proxied !== undefined) connection.proxied = this.proxied;
    response.upgrade(connection, this.#key, this.#protocol, this.#extensions, this.#context);
  }

  /**
   * Completes an upgrade that the handler of uWebSockets.js did not wait for. A cork of the response ends with a look at memory that
   * the upgrade has freed, and closes the new WebSocket if what is there now looks like the end of an HTTP connection. While another
   * connection is corked, the response cannot be: the head leaves in many small writes, and nothing is looked at. That it
   * is asked to keeps uWebSockets.js from a warning.
   */
  #completeLate(response: UwsResponse, headers: OutgoingHttpHeaders): void {
    const complete = (): void => void response.cork(() => this.#complete(response, headers));
    if (!this.#corkHolder.hold(complete)) complete();
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
    this.#releaseHolder();
  }

  override destroy(): void {
    // Closing runs the abort handler.
    this.#response?.close();
  }
}
