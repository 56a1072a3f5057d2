import type { OutgoingHttpHeaders } from "node:http";
import { CopiedHttpExchange } from "../copied/http-exchange.ts";
import type { RequestHead } from "../host.ts";
import { createError } from "./errors.ts";
import { toResponse } from "./response.ts";
import type { MemoryResponse } from "./response.ts";

/** A plain request in memory. */
export class MemoryHttpExchange extends CopiedHttpExchange {
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
    this.#reject(createError("REQUEST_ABORTED"));
  }

  override destroy(): void {
    this.abort();
    this.#reject(createError("REQUEST_DROPPED"));
  }
}
