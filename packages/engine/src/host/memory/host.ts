import type { IncomingHttpHeaders } from "node:http";
import { ParsedHead } from "../copied/head.ts";
import type { Host, HostTarget, RequestHead } from "../host.ts";
import { createError } from "./errors.ts";
import { MemoryHttpExchange } from "./http-exchange.ts";
import type { MemoryResponse } from "./response.ts";
import { MemoryUpgradeExchange } from "./upgrade-exchange.ts";
import type { MemoryWebSocket } from "./websocket.ts";

/** A request of a client that is a function call. */
export interface MemoryRequest {
  /** @default "GET" */
  method?: string;
  /** Path and query. */
  url: string;
  /** @default no headers */
  headers?: IncomingHttpHeaders;
  /** @default no body */
  body?: string | Buffer;
  /**
   * Whether more of the body follows by `call.push`.
   * @default false
   */
  streamed?: boolean;
}

/** An open request. `response` rejects if the client (`REQUEST_ABORTED`) or the server (`REQUEST_DROPPED`) drops the connection. */
export interface MemoryCall {
  response: Promise<MemoryResponse>;
  /**
   * Sends the next part of a streamed body.
   *
   * @example
   * call.push(Buffer.from("4hel"), false);
   * call.push(Buffer.from("lo"), true);
   */
  push(chunk: Buffer, last: boolean): void;
  /**
   * The client goes away.
   *
   * @example
   * call.abort();
   */
  abort(): void;
}

/**
 * A host without sockets: requests and WebSockets are function calls. For tests, fuzzers and measurements of what the protocol
 * itself costs.
 */
export class MemoryHost implements Host {
  #target: HostTarget | undefined = undefined;

  /**
   * Called by `engine.attachHost(host)`.
   *
   * @example
   * engine.attachHost(new MemoryHost());
   */
  bind(target: HostTarget): void {
    this.#target = target;
  }

  /**
   * Sends a request.
   *
   * @throws Error (`NO_ENGINE`) if no engine is attached to the host
   *
   * @example
   * const { body } = await host.request({ url: "/engine.io/?EIO=4&transport=polling" }).response;
   */
  request(request: MemoryRequest): MemoryCall {
    const target = this.#bound();
    let exchange!: MemoryHttpExchange;
    const response = new Promise<MemoryResponse>((resolve, reject) => {
      exchange = new MemoryHttpExchange(toHead(request), target.maxPayload, resolve, reject);
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
   * @throws Error (`NO_ENGINE`) if no engine is attached to the host
   *
   * @example
   * const socket = await host.connect({ url: "/engine.io/?EIO=4&transport=websocket" });
   */
  connect(request: MemoryRequest, signal?: AbortSignal): Promise<MemoryWebSocket> {
    const target = this.#bound();
    return new Promise((resolve, reject) => {
      const upgrade = new MemoryUpgradeExchange(toHead(request), target.maxPayload, resolve, reject);
      signal?.addEventListener("abort", () => upgrade.leave(), { once: true });
      target.onUpgrade(upgrade);
    });
  }

  #bound(): HostTarget {
    if (this.#target === undefined) throw createError("NO_ENGINE");
    return this.#target;
  }
}

function toHead({ method = "GET", url, headers = {} }: MemoryRequest): RequestHead {
  return new ParsedHead(method, url, headers, "127.0.0.1", false);
}
