import accepts from "accepts";
import type { IncomingMessage } from "node:http";
import { deflate, gzip } from "node:zlib";
import type { RequestHead } from "../host/host.ts";

export type ContentEncoding = "gzip" | "deflate";

/** Returns the best encoding that the client accepts, or `undefined` if it accepts none of ours. */
export function negotiateEncoding(head: RequestHead): ContentEncoding | undefined {
  if (head.header("accept-encoding") === undefined) return undefined;
  const chosen = accepts({ headers: head.headers } as IncomingMessage).encodings(["gzip", "deflate"]);
  return chosen === "gzip" || chosen === "deflate" ? chosen : undefined;
}

/** Whether the data has that many bytes. A UTF-16 unit takes one to three, so most texts need no counting. */
export function isAtLeast(data: string | Buffer, bytes: number): boolean {
  if (data.length >= bytes) return true;
  return typeof data === "string" && data.length * 3 >= bytes && Buffer.byteLength(data) >= bytes;
}

const compressors = { gzip, deflate };

/** Compresses off the main thread. Calls back with `undefined` if that fails. */
export function compress(
  encoding: ContentEncoding,
  data: string | Buffer,
  options: object,
  done: (compressed: Buffer | undefined) => void,
): void {
  compressors[encoding](data, options, (error, result) => done(error ? undefined : result));
}
