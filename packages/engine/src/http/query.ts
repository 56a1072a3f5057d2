import type { IncomingMessage, ServerResponse } from "node:http";
import type { RequestSource } from "../host/host.ts";

/** The query of a request, the last value of each name, as `req._query` shows it. */
export type Query = Record<string, string>;

/** The request as middlewares and applications see it. */
export type EngineRequest = IncomingMessage & {
  /** The parsed query. */
  _query: Query;
  /** The response, while middlewares run. */
  res?: ServerResponse | null;
};

const PLAIN = { enumerable: true, configurable: true, writable: true } as const;

/** Parses what follows the `?` of a URL as `URLSearchParams` does, at a fifth of its cost for the queries clients send. */
export function parseQuery(url: string): Query {
  const query: Query = {};
  const hash = url.indexOf("#");
  const end = hash === -1 ? url.length : hash;
  let start = url.indexOf("?") + 1;
  if (start === 0 || start > end) return query;
  while (start < end) {
    let next = url.indexOf("&", start);
    if (next === -1 || next > end) next = end;
    if (next > start) {
      let equals = url.indexOf("=", start);
      if (equals === -1 || equals > next) equals = next;
      const name = decode(url.slice(start, equals));
      const value = decode(url.slice(equals + 1, next));
      // An assignment would set the prototype.
      if (name === "__proto__") Object.defineProperty(query, name, { value, ...PLAIN });
      else query[name] = value;
    }
    start = next + 1;
  }
  return query;
}

/** The request as middlewares and applications see it, with its `_query`. */
export function toIncomingMessage({ head, message }: RequestSource): EngineRequest {
  return withQuery(message, head.url);
}

/** Gives a request its `_query`, unless it has one. */
export function withQuery(
  request: IncomingMessage & { _query?: Query },
  url: string = request.url ?? "/",
): EngineRequest {
  return Object.assign(request, { _query: request._query ?? parseQuery(url) });
}

/** Returns the request if this is the source of one, as a session keeps it. */
export function requestOf(source: unknown): EngineRequest | undefined {
  return isRequestSource(source) ? toIncomingMessage(source) : undefined;
}

function isRequestSource(value: unknown): value is RequestSource {
  return typeof value === "object" && value !== null && "head" in value && "message" in value;
}

function decode(text: string): string {
  const spaced = text.includes("+") ? text.replaceAll("+", " ") : text;
  if (!spaced.includes("%")) return spaced;
  try {
    return decodeURIComponent(spaced);
  } catch {
    // URLSearchParams keeps invalid escapes and replaces invalid UTF-8.
    return new URLSearchParams(`x=${text}`).get("x") ?? "";
  }
}
