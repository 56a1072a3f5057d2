import type { IncomingHttpHeaders } from "node:http";
import { formatAddress } from "../copied/address.ts";
import { PLAIN_HEADERS } from "../host.ts";
import type { PlainHeader, RequestHead } from "../host.ts";
import { RawHead } from "../copied/head.ts";
import { framing } from "./framing.ts";
import type { UwsRequest, UwsResponse } from "./types.ts";

/** Path and query, as one flat string: `+` would make a tree of the parts. */
export function urlOf(request: UwsRequest, path: string): string {
  const query = request.getQuery();
  return query === undefined ? path : [path, query].join("?");
}

/** Reads bytes as node:http does, each as a character. uWebSockets.js reads UTF-8, and trims other bytes off the ends of headers. */
function latin1(text: string): string {
  return /[^\0-\x7f]/.test(text) ? Buffer.from(text).toString("latin1") : text;
}

function methodOf(request: UwsRequest): string {
  const method = request.getMethod();
  if (method === "get") return "GET";
  return method === "post" ? "POST" : method.toUpperCase();
}

/** Returns the address of a client, as bytes. */
export type AddressOf = (response: UwsResponse) => ArrayBuffer;

/** The other end of the connection. */
export const addressOfPeer: AddressOf = (response) => response.getRemoteAddress();

/** The client's address in the header of the PROXY protocol, if there is one. */
export const addressBehindProxy: AddressOf = (response) => {
  const address = response.getProxiedRemoteAddress();
  return address.byteLength > 0 ? address.slice(0) : response.getRemoteAddress();
};

/**
 * Copies a request, which is gone when its handler returns. Its headers are joined into one string, as sessions keep them. What
 * the head says about the body is left in {@link framing}.
 */
export function copyHead(
  response: UwsResponse,
  request: UwsRequest,
  url: string,
  secure: boolean,
  addressOf: AddressOf,
): RawHead {
  const lines: string[] = [];
  framing.reset();
  request.forEach((name, value) => {
    lines.push("\n", name, ": ", value);
    framing.see(name, value);
  });
  return new RawHead(methodOf(request), latin1(url), latin1(lines.join("")), addressOf(response), secure);
}

/** The headers of the POST that is being read. */
let origin = "";
let userAgent = "";
let contentType = "";

function collect(name: string, value: string): void {
  if (name === "origin") origin ||= value;
  else if (name === "user-agent") userAgent ||= value;
  else if (name === "content-type") contentType ||= value;
  else framing.see(name, value);
}

/** The part of a poll or post that the engine reads. To copy its whole head costs a seventh of a round trip. */
export class PartialHead implements RequestHead {
  readonly method: string;
  readonly url: string;
  readonly secure: boolean;
  readonly #origin: string;
  readonly #userAgent: string;
  /** `accept-encoding` of a GET, `content-type` of a POST: only that one is read. */
  readonly #content: string;
  #response: UwsResponse | undefined;
  readonly #addressOf: AddressOf;

  constructor(
    response: UwsResponse,
    request: UwsRequest,
    url: string,
    secure: boolean,
    addressOf: AddressOf,
  ) {
    this.#addressOf = addressOf;
    this.method = methodOf(request);
    this.url = url;
    this.secure = secure;
    if (this.method === "GET") {
      framing.readBodiless(request);
      this.#origin = latin1(request.getHeader("origin"));
      this.#userAgent = request.getHeader("user-agent");
      this.#content = request.getHeader("accept-encoding");
    } else {
      framing.reset();
      origin = userAgent = contentType = "";
      request.forEach(collect);
      this.#origin = latin1(origin);
      this.#userAgent = userAgent;
      this.#content = contentType;
    }
    this.#response = response;
  }

  /** Unknown once the request was answered. */
  get remoteAddress(): string {
    return this.#response === undefined ? "" : formatAddress(this.#addressOf(this.#response));
  }

  get headers(): IncomingHttpHeaders {
    const headers: IncomingHttpHeaders = {};
    for (const name of PLAIN_HEADERS) {
      const value = this.header(name);
      if (value !== undefined) headers[name] = value;
    }
    return headers;
  }

  header(name: PlainHeader): string | undefined {
    // An empty header reads like a missing one.
    return this.#valueOf(name) || undefined;
  }

  #valueOf(name: PlainHeader): string {
    switch (name) {
      case "origin":
        return this.#origin;
      case "user-agent":
        return this.#userAgent;
      case "accept-encoding":
        return this.method === "GET" ? this.#content : "";
      case "content-type":
        return this.method === "GET" ? "" : this.#content;
    }
  }

  /** For the exchange: the response is gone. */
  answered(): void {
    this.#response = undefined;
  }
}
