import type { OutgoingHttpHeaders, ServerResponse } from "node:http";
import type { RequestSource, WebSocketPort } from "../host.ts";
import { rethrow } from "../rethrow.ts";
import { CollectedResponse, respondThrough, validateHeaders } from "./response.ts";
import { CopiedSocket } from "./socket.ts";

/** A request that may want to know how its exchange ends. Node's own requests know it by themselves. */
export interface CollectedRequest extends RequestSource {
  answered?(): void;
  /** It became a WebSocket. */
  upgraded?(port: WebSocketPort): void;
  /** The client has gone before it was answered. */
  aborted?(): void;
}

/**
 * An exchange whose `response` is created on first use. What middlewares write to it is collected, and sent when it has ended.
 */
export abstract class CollectedExchange {
  abstract readonly request: CollectedRequest;
  onAbort: (() => void) | undefined = undefined;
  ended: boolean = false;
  protected collected: CollectedResponse | undefined = undefined;

  get response(): ServerResponse {
    this.collected ??= this.#collect();
    return this.collected.response;
  }

  #collect(): CollectedResponse {
    const { head, message } = this.request;
    const socket = message.socket instanceof CopiedSocket ? message.socket : new CopiedSocket(head, this);
    return new CollectedResponse(message, socket, ({ status, headers, reason }, body) =>
      this.#send(status, headers, body, reason),
    );
  }

  respond(status: number, headers: OutgoingHttpHeaders, body: string | Buffer = ""): void {
    if (this.ended) return;
    const response = this.collected?.response;
    if (response !== undefined) {
      // For the middlewares that wait for it.
      respondThrough(response, status, headers, body);
    } else if (this.isValid(headers)) {
      this.#send(status, headers, body);
    }
  }

  #send(status: number, headers: OutgoingHttpHeaders, body: string | Buffer, reason?: string): void {
    if (this.ended) return;
    this.ended = true;
    this.write(status, headers, body, reason);
    this.request.answered?.();
  }

  /** For the host: the client has gone before it was answered. */
  abort(): void {
    if (this.ended) return;
    this.ended = true;
    this.onAbort?.();
    this.request.aborted?.();
    this.collected?.abort();
  }

  /** Drops the connection. The host reports the abort. */
  abstract destroy(): void;

  /** As on Node, a header that would break the response is the application's error, and the response is not sent. */
  protected isValid(headers: OutgoingHttpHeaders): boolean {
    try {
      validateHeaders(headers);
      return true;
    } catch (error) {
      rethrow(error);
      this.destroy();
      return false;
    }
  }

  /** Writes the whole response, with a reason phrase if middlewares had a say. */
  protected abstract write(
    status: number,
    headers: OutgoingHttpHeaders,
    body: string | Buffer,
    reason?: string,
  ): void;
}
