import type { OutgoingHttpHeaders } from "node:http";
import { CopiedRequest } from "../copied/request.ts";
import { CollectedUpgradeExchange } from "../copied/upgrade-exchange.ts";
import type { WebSocketHandlers, WebSocketPort, WholeHead } from "../host.ts";
import { writeAnswer, writeHead } from "./answer.ts";
import type { UwsRequest, UwsResponse } from "./types.ts";
import type { UwsConnection, UwsWebSocketPort } from "./websocket.ts";

/** What can hold the one cork of uWebSockets.js: a WebSocket, or a response. */
export interface Corkable {
  cork(batch: { write(): void }): void;
}

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

  /** Set once the handler of uWebSockets.js has returned. Another connection of the host that can be corked, if there is one. */
  bystander: (() => Corkable | undefined) | undefined = undefined;

  /** Set by the host. Called when it is no longer a response. */
  settled: (() => void) | undefined = undefined;

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
    this.#key = request.getHeader("sec-websocket-key");
    this.#protocol = request.getHeader("sec-websocket-protocol");
    this.#extensions = extensions;
    this.#context = context;
    response.onAborted(() => {
      this.#forget();
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
    this.#forget();
    if (this.bystander === undefined) {
      // uWebSockets.js has corked the response, and corks the WebSocket in its place.
      this.#complete(response, headers);
      this.port?.open(open);
    } else {
      this.#completeLate(response, headers, this.bystander(), open);
    }
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
  #completeLate(
    response: UwsResponse,
    headers: OutgoingHttpHeaders,
    bystander: Corkable | undefined,
    open: (port: WebSocketPort) => WebSocketHandlers,
  ): void {
    const complete = (): void => this.#complete(response, headers);
    const write = (): void => this.port?.open(open);
    if (bystander !== undefined) {
      bystander.cork({
        write() {
          response.cork(complete);
          write();
        },
      });
      return;
    }
    // The only connection of a host. It opens after the cork, so that less is written to that memory.
    response.cork(complete);
    this.port?.cork({ write });
  }

  protected override write(
    status: number,
    headers: OutgoingHttpHeaders,
    body: string | Buffer,
    reason?: string,
  ): void {
    const response = this.#response;
    if (response === undefined) return;
    this.#forget();
    writeAnswer(response, this.#head.method, status, headers, body, reason, true);
  }

  /** For another upgrade. */
  cork(batch: { write(): void }): void {
    if (this.#response === undefined) batch.write();
    else this.#response.cork(() => batch.write());
  }

  #forget(): void {
    this.#response = undefined;
    this.settled?.();
  }

  override destroy(): void {
    // Closing runs the abort handler.
    this.#response?.close();
  }
}
