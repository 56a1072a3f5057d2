import { STATUS_CODES } from "node:http";
import type { OutgoingHttpHeaders } from "node:http";
import type { HttpExchange, UpgradeExchange } from "@tidewire/engine";
import { LinkError } from "../errors.ts";
import type { PayloadReader } from "../link/reader.ts";
import type { PayloadWriter } from "../link/writer.ts";

/** The head of an answer. */
export interface AnswerHead {
  readonly status: number;
  /** The reason phrase, if it is not that of the status. */
  readonly reason: string;
  readonly headers: OutgoingHttpHeaders;
}

export function writeHeaders(writer: PayloadWriter, headers: OutgoingHttpHeaders): PayloadWriter {
  const lines: string[] = [];
  for (const name in headers) {
    const value = headers[name];
    if (value === undefined || isFraming(name)) continue;
    if (Array.isArray(value)) for (const each of value) lines.push(name, each);
    else lines.push(name, String(value));
  }
  return writer.texts(lines);
}

/** The node that has the connection frames the body. */
function isFraming(name: string): boolean {
  return name.length === "transfer-encoding".length && name.toLowerCase() === "transfer-encoding";
}

export function readHeaders(reader: PayloadReader): OutgoingHttpHeaders {
  const headers: OutgoingHttpHeaders = {};
  const lines = reader.texts();
  for (let i = 0; i + 1 < lines.length; i += 2) {
    const name = lines[i]!;
    const value = lines[i + 1]!;
    const existing = headers[name];
    headers[name] = existing === undefined ? value : [existing, value].flat().map(String);
  }
  return headers;
}

export function writeAnswerHead(
  writer: PayloadWriter,
  status: number,
  headers: OutgoingHttpHeaders,
  reason: string | undefined,
): PayloadWriter {
  const isUsual = reason === undefined || reason === STATUS_CODES[status];
  return writeHeaders(writer.u32(status).text(isUsual ? "" : reason), headers);
}

/** @throws LinkError if it is none that HTTP has */
export function readAnswerHead(reader: PayloadReader): AnswerHead {
  const status = reader.u32();
  const reason = reader.text();
  if (status < 100 || status > 999) throw new LinkError("MALFORMED", `the status ${status}`);
  if (UNPRINTABLE.test(reason)) throw new LinkError("MALFORMED", "a reason phrase with control characters");
  return { status, reason, headers: readHeaders(reader) };
}

/** What Node does not take in a reason phrase. */
const UNPRINTABLE = /[^\t\x20-\x7e\x80-\xff]/;

/** Answers with exactly this, also where the exchange alone offers less. */
export function answerThroughResponse(
  { response }: HttpExchange | UpgradeExchange,
  { status, reason, headers }: AnswerHead,
  body: Buffer,
): void {
  if (reason === "") response.writeHead(status, headers);
  else response.writeHead(status, reason, headers);
  response.end(body);
}
