import type { IncomingMessage, ServerResponse } from "node:http";
import type { FileExchange } from "./files.ts";

/** A plain HTTP request under the path of the engine, on whichever host. */
export interface Exchange {
  readonly request: { readonly head: { readonly url: string }; readonly view: object };
  readonly response: object;
  respond(status: number, headers: Record<string, string>, body?: Buffer): void;
}

/** The exchange as client files are served on it: `node:http` types, on other hosts over views with their members. */
export function toFileExchange(exchange: Exchange): FileExchange {
  return {
    req: exchange.request.view as IncomingMessage,
    res: exchange.response as ServerResponse,
    respond: (status, headers, body) => exchange.respond(status, headers, body),
  };
}
