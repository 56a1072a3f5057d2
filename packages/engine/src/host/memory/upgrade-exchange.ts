import type { OutgoingHttpHeaders } from "node:http";
import { CopiedRequest } from "../copied/request.ts";
import { CollectedUpgradeExchange } from "../copied/upgrade-exchange.ts";
import type { RequestHead, WebSocketHandlers, WebSocketPort } from "../host.ts";
import { createError } from "./errors.ts";
import { toResponse } from "./response.ts";
import { MemoryUpgradeError } from "./upgrade-error.ts";
import { MemoryWebSocket } from "./websocket.ts";

/** An upgrade request in memory. */
export class MemoryUpgradeExchange extends CollectedUpgradeExchange {
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
    this.#reject(createError("REQUEST_ABORTED"));
  }

  override destroy(): void {
    this.abort();
    this.#reject(createError("REQUEST_DROPPED"));
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
