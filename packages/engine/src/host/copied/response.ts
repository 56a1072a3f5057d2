import { IncomingMessage, ServerResponse, validateHeaderName, validateHeaderValue } from "node:http";
import type { OutgoingHttpHeaders } from "node:http";
import { Socket } from "node:net";
import type { CopiedSocket } from "./socket.ts";
import { rethrow } from "../rethrow.ts";
import { nextTick } from "../timers.ts";

/** The head of a response, as it was written. */
export interface WrittenHead {
  readonly status: number;
  readonly reason: string;
  /** A header that was written several times is a list. */
  readonly headers: OutgoingHttpHeaders;
}

/**
 * Responses are created for it. With that of a HEAD request, Node would drop the body, whose length hosts want to know; with an
 * original request, Bun would write to its connection.
 */
const standIn = new IncomingMessage(new Socket());

/**
 * A `ServerResponse` whose bytes go to a host instead of a connection: they are collected, and handed over once it is ended.
 * Everything is done through the instance, whose methods middlewares replace.
 */
export class CollectedResponse {
  readonly response: ServerResponse;
  readonly #socket: CopiedSocket;
  #head: WrittenHead | undefined = undefined;
  #chunks: Buffer[] = [];

  /** @param done - called once, when the response was ended */
  constructor(
    request: IncomingMessage,
    socket: CopiedSocket,
    done: (head: WrittenHead, body: Buffer) => void,
  ) {
    const response = Object.assign(new ServerResponse(standIn), { req: request });
    // Hosts frame the body, and decide about the connection.
    response.useChunkedEncodingByDefault = false;
    response.removeHeader("Connection");
    response.sendDate = false;
    socket.output = (chunk, encoding) => this.#take(chunk, encoding);
    response.assignSocket(socket);
    response.once("prefinish", () => {
      socket.output = undefined;
      if (this.#head !== undefined) done(this.#head, this.#body());
    });
    response.once("finish", close);
    this.response = response;
    this.#socket = socket;
  }

  /** Writes the head of an upgrade. Some middlewares wait for it before they set their headers. */
  writeHead(status: number): OutgoingHttpHeaders {
    const { response } = this;
    try {
      if (!response.headersSent) response.writeHead(status);
      response.flushHeaders();
    } catch (error) {
      fail(response, error);
    }
    return this.#head?.headers ?? {};
  }

  /** Ends the response of an upgrade, past what middlewares do with a body. */
  end(): void {
    if (this.#head !== undefined) ServerResponse.prototype.end.call(this.response, undefined, "utf8");
  }

  /** The client has gone. */
  abort(): void {
    this.#socket.destroy();
  }

  #take(chunk: string | Uint8Array, encoding: BufferEncoding): void {
    if (this.#head !== undefined) {
      this.#chunks.push(toBuffer(chunk, encoding));
      return;
    }
    // Node writes a head whole, alone or in front of text.
    const text = chunk.toString();
    const end = text.indexOf("\r\n\r\n");
    const head = parseHead(text.slice(0, end));
    // Interim responses, such as 103, are not sent on.
    if (head.status < 200 && head.status !== 101) return;
    this.#head = head;
    if (text.length > end + 4) this.#chunks.push(toBuffer(text.slice(end + 4), encoding));
  }

  #body(): Buffer {
    const [only] = this.#chunks;
    const body = this.#chunks.length === 1 ? only! : Buffer.concat(this.#chunks);
    this.#chunks = [];
    return isChunked(this.#head!.headers) ? withoutChunks(body) : body;
  }
}

/** What Node's HTTP server does with a response that has finished. */
function close(this: ServerResponse): void {
  if (this.socket !== null) this.detachSocket(this.socket);
  nextTick(() => {
    this.destroyed = true;
    this.emit("close");
  });
}

/** A copy: the application may write into its memory again. */
function toBuffer(chunk: string | Uint8Array, encoding: BufferEncoding): Buffer {
  return typeof chunk === "string" ? Buffer.from(chunk, encoding) : Buffer.from(chunk);
}

function parseHead(text: string): WrittenHead {
  const lines = text.split("\r\n");
  const [statusLine = ""] = lines;
  const headers: OutgoingHttpHeaders = {};
  for (let i = 1; i < lines.length; i++) {
    const line = lines[i]!;
    const colon = line.indexOf(": ");
    const name = line.slice(0, colon);
    const value = line.slice(colon + 2);
    const existing = headers[name];
    if (existing !== undefined) headers[name] = [existing, value].flat().map(String);
    else headers[name] = isNamed(name, "set-cookie") ? [value] : value;
  }
  return { status: Number(statusLine.slice(9, 12)), reason: statusLine.slice(13), headers };
}

/** @param lower - the name in lower case */
function isNamed(name: string, lower: string): boolean {
  return name.length === lower.length && name.toLowerCase() === lower;
}

/** Whether a middleware has asked for chunks. */
function isChunked(headers: OutgoingHttpHeaders): boolean {
  for (const name in headers) {
    if (isNamed(name, "transfer-encoding")) return /chunked$/i.test(String(headers[name]));
  }
  return false;
}

/** Takes the body out of its chunks, as Node writes them: no extensions, and all of it. */
function withoutChunks(body: Buffer): Buffer {
  const chunks: Buffer[] = [];
  let at = 0;
  while (at < body.length) {
    const start = body.indexOf("\r\n", at) + 2;
    const size = Number.parseInt(body.toString("latin1", at, start), 16);
    if (size === 0) break;
    chunks.push(body.subarray(start, start + size));
    at = start + size + 2;
  }
  return Buffer.concat(chunks);
}

/**
 * Answers through a response, whatever middlewares have put around its methods. If one has sent its head already, that is the
 * answer.
 */
export function respondThrough(
  response: ServerResponse,
  status: number,
  headers: OutgoingHttpHeaders,
  body: string | Buffer,
): void {
  try {
    if (response.headersSent) {
      response.end();
      return;
    }
    response.writeHead(status, withEarlierCookies(response, headers));
    response.end(body);
  } catch (error) {
    fail(response, error);
  }
}

/** A middleware threw while the response was written: uncaught, as on Node, and only its own connection is dropped. */
function fail(response: ServerResponse, error: unknown): void {
  rethrow(error);
  response.destroy();
}

/** Cookies that a middleware has set, and then ours: with one header each, the later would replace the earlier. */
function withEarlierCookies(response: ServerResponse, headers: OutgoingHttpHeaders): OutgoingHttpHeaders {
  const ours = headers["Set-Cookie"];
  const earlier = ours === undefined ? undefined : response.getHeader("Set-Cookie");
  if (earlier === undefined) return headers;
  return { ...headers, "Set-Cookie": [earlier, ours].flat().map(String) };
}

/** @throws TypeError for a name or a value that no header may have */
export function validateHeaders(headers: OutgoingHttpHeaders): void {
  for (const name in headers) {
    const value = headers[name];
    if (value === undefined || isUsual(name, value)) continue;
    validateHeaderName(name);
    // A line break would begin another header.
    for (const each of Array.isArray(value) ? value : [value]) validateHeaderValue(name, String(each));
  }
}

const usualNames: ReadonlySet<string> = new Set(["Content-Type", "Content-Length", "cache-control"]);
const usualValues: ReadonlySet<unknown> = new Set([
  "text/plain; charset=UTF-8",
  "text/html",
  "no-store",
  "2",
]);

/** What long-polling writes, known to be valid. */
function isUsual(name: string, value: unknown): boolean {
  return usualNames.has(name) && (typeof value === "number" || usualValues.has(value));
}
