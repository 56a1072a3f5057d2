import accepts from "accepts";
import type { IncomingMessage } from "node:http";
import { deflate, gzip } from "node:zlib";
import type { RequestHead } from "../host/host.ts";

export type ContentEncoding = "gzip" | "deflate";

/** The best encoding that the client takes and we make; `undefined` if it takes none. */
export function negotiateEncoding(head: RequestHead): ContentEncoding | undefined {
  if (head.header("accept-encoding") === undefined) return undefined;
  const chosen = accepts({ headers: head.headers } as IncomingMessage).encodings(["gzip", "deflate"]);
  return chosen === "gzip" || chosen === "deflate" ? chosen : undefined;
}

const compressors = { gzip, deflate };

/** Compresses off the main thread; answers `undefined` if that failed. */
export function compress(
  encoding: ContentEncoding,
  data: string | Buffer,
  options: object,
  done: (compressed: Buffer | undefined) => void,
): void {
  compressors[encoding](data, options, (error, result) => done(error ? undefined : result));
}
