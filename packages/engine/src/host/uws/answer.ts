import { STATUS_CODES } from "node:http";
import type { OutgoingHttpHeaders } from "node:http";
import type { AnswerHead } from "../answer-head.ts";
import type { UwsResponse } from "./types.ts";
import { wellFormed } from "./well-formed.ts";

/** Writes the status line and the headers. Call while corked. */
export function writeHead(
  response: UwsResponse,
  status: number,
  headers: OutgoingHttpHeaders,
  reason?: string,
): void {
  // By default, uWebSockets.js writes 200 OK.
  if (status !== 200 || reason !== undefined) {
    response.writeStatus(`${status} ${reason ?? STATUS_CODES[status] ?? ""}`);
  }
  for (const name in headers) {
    const value = headers[name];
    // uWebSockets.js writes the length itself, and the connection header when it closes.
    if (value === undefined || isWrittenByHost(name)) continue;
    if (Array.isArray(value)) for (const each of value) response.writeHeader(name, each);
    else response.writeHeader(name, String(value));
  }
}

function isWrittenByHost(name: string): boolean {
  const lower = name.length === 14 || name.length === 10 || name.length === 17 ? name.toLowerCase() : "";
  return lower === "content-length" || lower === "connection" || lower === "transfer-encoding";
}

/**
 * Writes a whole answer in one system call.
 *
 * @param method - that of the request
 * @param last - whether the connection is closed afterwards
 */
export function writeAnswer(
  response: UwsResponse,
  method: string,
  status: number,
  headers: OutgoingHttpHeaders,
  body: string | Buffer,
  reason: string | undefined,
  last: boolean,
): void {
  response.cork(() => {
    writeHead(response, status, headers, reason);
    if (method === "HEAD") endWithLength(response, Buffer.byteLength(body), last);
    else if (status === 304 && last) response.endWithoutBody(0, true);
    else if (status === 304) response.endWithoutBody();
    else response.end(wellFormed(body), last);
  });
}

/**
 * Ends an answer without its body. After `endWithoutBody(length)`, uWebSockets.js still waits for the body, and closes a connection whose
 * next request comes meanwhile.
 */
function endWithLength(response: UwsResponse, length: number, last: boolean): void {
  if (last) return void response.endWithoutBody(length, true);
  response.writeHeader("Content-Length", String(length));
  response.endWithoutBody();
}

/** Writes an answer with status 200. uWebSockets.js does not look into a value, so all headers cross over to it at once. */
export function writeUsualAnswer(response: UwsResponse, head: AnswerHead, body: string | Buffer): void {
  response.cork(() => {
    response.writeHeader("Content-Type", head.lines);
    response.end(wellFormed(body));
  });
}
