import { internals } from "@tidewire/engine";
import type { RequestHead } from "@tidewire/engine";
import type { PayloadReader } from "../link/reader.ts";
import type { PayloadWriter } from "../link/writer.ts";

const { linesOf, PLAIN_HEADERS, RawHead } = internals;

/** Writes a whole head. */
export function writeWholeHead(writer: PayloadWriter, head: RequestHead): PayloadWriter {
  return write(writer, head, linesOf(head), head.remoteAddress);
}

/** Writes what the engine reads of a head. The address of the client, which costs a little to know, is left out. */
export function writePlainHead(writer: PayloadWriter, head: RequestHead): PayloadWriter {
  let lines = "";
  for (const name of PLAIN_HEADERS) {
    const value = head.header(name);
    if (value !== undefined) lines += `\n${name}: ${value}`;
  }
  return write(writer, head, lines, "");
}

/** The texts travel as one: each by itself costs both ends a call into C++. */
function write(writer: PayloadWriter, head: RequestHead, lines: string, address: string): PayloadWriter {
  const { method, url } = head;
  return writer
    .u8(head.secure ? 1 : 0)
    .u32(method.length)
    .u32(url.length)
    .text(method + url + lines)
    .text(address);
}

export function readHead(reader: PayloadReader): RequestHead {
  const isSecure = reader.u8() === 1;
  const urlAt = reader.u32();
  const linesAt = urlAt + reader.u32();
  const text = reader.text();
  const [method, url, lines] = [text.slice(0, urlAt), text.slice(urlAt, linesAt), text.slice(linesAt)];
  return new RawHead(method, url, lines, reader.text(), isSecure);
}

/** Returns the same head with other cookies; with its own if there are no others. */
export function withCookies(head: RequestHead, cookies: string | undefined): RequestHead {
  if (cookies === undefined) return head;
  const others = linesOf(head)
    .split("\n")
    .filter((line) => !line.startsWith("cookie: "));
  const lines = [...others, `cookie: ${cookies}`].join("\n");
  return new RawHead(head.method, head.url, lines, head.remoteAddress, head.secure);
}
