import accepts from "accepts";
import type { IncomingHttpHeaders, IncomingMessage } from "node:http";
import { deflate, gzip } from "node:zlib";

export type ContentEncoding = "gzip" | "deflate";

/** The best encoding that the client takes and we make; `undefined` if it takes none. */
export function negotiateEncoding(headers: IncomingHttpHeaders): ContentEncoding | undefined {
  if (headers["accept-encoding"] === undefined) return undefined;
  const chosen = accepts({ headers } as IncomingMessage).encodings(["gzip", "deflate"]);
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
