import type { IncomingHttpHeaders } from "node:http";
import { formatAddress } from "../copied/address.ts";
import { READ_HEADERS } from "../host.ts";
import type { RequestHead } from "../host.ts";
import { RawHead } from "../copied/head.ts";
import type { UwsRequest, UwsResponse } from "./types.ts";

/** Path and query. Joined: with `+` a string would be a tree of its parts. */
export function urlOf(request: UwsRequest, path: string): string {
  const query = request.getQuery();
  return query === undefined ? path : [path, query].join("?");
}

function methodOf(request: UwsRequest): string {
  const method = request.getMethod();
  if (method === "get") return "GET";
  return method === "post" ? "POST" : method.toUpperCase();
}

/**
 * Copies a request; uWebSockets.js takes it away when its handler returns. Its parts are joined, as sessions keep them.
 */
export function copyHead(
  response: UwsResponse,
  request: UwsRequest,
  url: string,
  secure: boolean,
): RequestHead {
  const lines: string[] = [];
  request.forEach((name, value) => lines.push("\n", name, ": ", value));
  return new RawHead(methodOf(request), url, lines.join(""), response.getRemoteAddress(), secure);
}

/** What is read of a request of long-polling. To copy the rest of its head for nobody costs a seventh of a round trip. */
export class PartialHead implements RequestHead {
  readonly method: string;
  readonly url: string;
  readonly secure: boolean;
  readonly #origin: string;
  readonly #userAgent: string;
  /** The one of the two that is read: of a body or of an answer. */
  readonly #content: string;
  #response: UwsResponse | undefined;

  constructor(response: UwsResponse, request: UwsRequest, url: string, secure: boolean) {
    this.method = methodOf(request);
    this.url = url;
    this.secure = secure;
    this.#origin = request.getHeader("origin");
    this.#userAgent = request.getHeader("user-agent");
    this.#content = request.getHeader(this.method === "GET" ? "accept-encoding" : "content-type");
    this.#response = response;
  }

  /** Unknown once the request was answered. */
  get remoteAddress(): string {
    return this.#response === undefined ? "" : formatAddress(this.#response.getRemoteAddress());
  }

  get headers(): IncomingHttpHeaders {
    const headers: IncomingHttpHeaders = {};
    for (const name of READ_HEADERS) {
      const value = this.header(name);
      if (value !== undefined) headers[name] = value;
    }
    return headers;
  }

  header(name: string): string | undefined {
    // An empty header reads like none.
    return this.#valueOf(name) || undefined;
  }

  #valueOf(name: string): string {
    switch (name) {
      case "origin":
        return this.#origin;
      case "user-agent":
        return this.#userAgent;
      case "accept-encoding":
        return this.method === "GET" ? this.#content : "";
      case "content-type":
        return this.method === "GET" ? "" : this.#content;
      default:
        return "";
    }
  }

  /** For the exchange: the response can be asked no more. */
  answered(): void {
    this.#response = undefined;
  }
}
