import type { IncomingMessage, ServerResponse } from "node:http";
import type { FileExchange } from "./files.ts";

/** A plain HTTP request under the path of the engine, on any host. */
export interface Exchange {
  readonly request: { readonly head: { readonly url: string }; readonly view: object };
  readonly response: object;
  respond(status: number, headers: Record<string, string>, body?: Buffer): void;
}

/** Converts an exchange of the engine to one on which client files are served. */
export function toFileExchange(exchange: Exchange): FileExchange {
  return {
    req: exchange.request.view as IncomingMessage,
    res: exchange.response as ServerResponse,
    respond: (status, headers, body) => exchange.respond(status, headers, body),
  };
}
