import type { IncomingHttpHeaders } from "node:http";
import { formatAddress } from "./address.ts";
import { addHeader } from "./message.ts";
import type { RequestHead, WholeHead } from "../host.ts";

/** A head whose headers have been parsed. */
export class ParsedHead implements WholeHead {
  readonly method: string;
  readonly url: string;
  readonly headers: IncomingHttpHeaders;
  readonly remoteAddress: string;
  readonly secure: boolean;

  constructor(
    method: string,
    url: string,
    headers: IncomingHttpHeaders,
    remoteAddress: string,
    secure: boolean,
  ) {
    this.method = method;
    this.url = url;
    this.headers = headers;
    this.remoteAddress = remoteAddress;
    this.secure = secure;
  }

  header(name: string): string | undefined {
    return this.headers[name] as string | undefined;
  }
}

/**
 * A head with its headers in one string, until somebody reads them. Sessions keep their head until they end, and the string
 * takes a fifth of the memory of the record.
 */
export class RawHead implements WholeHead {
  readonly method: string;
  readonly url: string;
  readonly secure: boolean;
  /** The bytes, until somebody reads it. */
  #remoteAddress: ArrayBuffer | string;
  /** `name: value`, each after a line feed. Names are in lower case. */
  readonly lines: string;
  #headers: IncomingHttpHeaders | undefined = undefined;

  constructor(
    method: string,
    url: string,
    lines: string,
    remoteAddress: ArrayBuffer | string,
    secure: boolean,
  ) {
    this.method = method;
    this.url = url;
    this.lines = lines;
    this.#remoteAddress = remoteAddress;
    this.secure = secure;
  }

  get remoteAddress(): string {
    if (typeof this.#remoteAddress !== "string") this.#remoteAddress = formatAddress(this.#remoteAddress);
    return this.#remoteAddress;
  }

  get headers(): IncomingHttpHeaders {
    return (this.#headers ??= parseHeaders(this.lines));
  }

  header(name: string): string | undefined {
    if (this.#headers !== undefined) return this.#headers[name] as string | undefined;
    const { lines } = this;
    const label = `\n${name}: `;
    const at = lines.indexOf(label);
    if (at === -1) return undefined;
    const start = at + label.length;
    // Repeated headers need the rules of the record.
    if (lines.includes(label, start)) return this.headers[name] as string | undefined;
    const end = lines.indexOf("\n", start);
    return end === -1 ? lines.slice(start) : lines.slice(start, end);
  }
}

function parseHeaders(lines: string): IncomingHttpHeaders {
  const headers: IncomingHttpHeaders = {};
  let at = 1;
  while (at < lines.length) {
    const next = lines.indexOf("\n", at);
    const end = next === -1 ? lines.length : next;
    const colon = lines.indexOf(": ", at);
    addHeader(headers, lines.slice(at, colon), lines.slice(colon + 2, end));
    at = end + 1;
  }
  return headers;
}

/** Whether node:http takes a request with these headers for an upgrade. A proxy may remove either. */
export function asksForUpgrade(upgrade: string | undefined, connection: string | undefined): boolean {
  return Boolean(upgrade) && /(?:^|,)\s*upgrade\s*(?:,|$)/i.test(connection ?? "");
}

/** Returns the headers of a request in one string, as `RawHead` has them. */
export function linesOf(head: RequestHead): string {
  if (head instanceof RawHead) return head.lines;
  const lines: string[] = [];
  const { headers } = head;
  for (const name in headers) {
    const value = headers[name];
    if (Array.isArray(value)) for (const each of value) lines.push("\n", name, ": ", each);
    else if (value !== undefined) lines.push("\n", name, ": ", value);
  }
  return lines.join("");
}
