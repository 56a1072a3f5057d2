import { IncomingMessage } from "node:http";
import type { IncomingHttpHeaders } from "node:http";
import type { Socket } from "node:net";

/** What an `IncomingMessage` is created from. */
export interface MessageParts {
  readonly method: string;
  readonly url: string;
  readonly httpVersion: string;
  readonly headers: IncomingHttpHeaders;
  /** Names and values in turn. */
  readonly rawHeaders: string[];
  readonly upgrade: boolean;
}

/** Creates a request of Node outside of its HTTP server. It is complete. */
export function createMessage(socket: Socket, parts: MessageParts): IncomingMessage {
  const message = new IncomingMessage(socket);
  const { httpVersion } = parts;
  message.method = parts.method;
  message.url = parts.url;
  message.httpVersion = httpVersion;
  message.httpVersionMajor = Number(httpVersion.slice(0, 1));
  message.httpVersionMinor = Number(httpVersion.slice(2));
  message.headers = parts.headers;
  message.rawHeaders = parts.rawHeaders;
  message.complete = true;
  // Node derives it from headers that its own parser has added.
  Object.defineProperty(message, "headersDistinct", distinct);
  return Object.assign(message, { upgrade: parts.upgrade });
}

const distinct: PropertyDescriptor & ThisType<IncomingMessage> = {
  get() {
    const { rawHeaders } = this;
    const headers: NodeJS.Dict<string[]> = Object.create(null);
    for (let i = 0; i < rawHeaders.length; i += 2) {
      (headers[rawHeaders[i]!.toLowerCase()] ??= []).push(rawHeaders[i + 1]!);
    }
    this.headersDistinct = headers;
    return headers;
  },
  set(value: unknown) {
    Object.defineProperty(this, "headersDistinct", { value, writable: true });
  },
  configurable: true,
};

/** Headers of which Node keeps the first and ignores the rest. */
const single: ReadonlySet<string> = new Set(
  (
    "age authorization content-length content-type etag expires from host if-modified-since if-unmodified-since " +
    "last-modified location max-forwards proxy-authorization referer retry-after server user-agent"
  ).split(" "),
);

/**
 * Adds a header as Node's parser does.
 *
 * @param name - in lower case
 * @param joins - whether repeated headers are joined even if Node keeps the first by default: `joinDuplicateHeaders`
 */
export function addHeader(
  headers: IncomingHttpHeaders,
  name: string,
  value: string,
  joins: boolean = false,
): void {
  const existing = headers[name];
  if (Array.isArray(existing)) existing.push(value);
  // A header may be called like a member of every object.
  else if (typeof existing !== "string") headers[name] = name === "set-cookie" ? [value] : value;
  else if (joins || !single.has(name))
    headers[name] = `${existing}${name === "cookie" ? "; " : ", "}${value}`;
}
