import accepts from "accepts";
import createDebug from "debug";
import { readFile } from "node:fs/promises";
import type { IncomingMessage, ServerResponse } from "node:http";
import path from "node:path";
import { promisify } from "node:util";
import { brotliCompress, deflate, gzip } from "node:zlib";
import { clientDist } from "../../client-dist.js";

const debug = createDebug("socket.io:server");

/** The only files of the folder that are served. */
const clientFiles: ReadonlySet<string> = new Set([
  "socket.io.esm.min.js",
  "socket.io.esm.min.js.map",
  "socket.io.js",
  "socket.io.js.map",
  "socket.io.min.js",
  "socket.io.min.js.map",
  "socket.io.msgpack.min.js",
  "socket.io.msgpack.min.js.map",
]);

/** Content codings in order of preference. */
const compressors = {
  br: promisify<Buffer, Buffer>(brotliCompress),
  gzip: promisify<Buffer, Buffer>(gzip),
  deflate: promisify<Buffer, Buffer>(deflate),
};
type Coding = keyof typeof compressors;
const codings = Object.keys(compressors) as Coding[];

const QUESTION_MARK = 63;

/** Returns the name of the client file that a URL refers to, if it is one. `prefix` has no slash at its end. */
export function clientFileOf(url: string, prefix: string): string | undefined {
  // Most requests have a query right after the path.
  if (url.charCodeAt(prefix.length + 1) === QUESTION_MARK || !url.startsWith(prefix)) {
    return undefined;
  }
  const name = fileNameOf(url, prefix);
  return clientFiles.has(name) ? name : undefined;
}

/** Returns what follows the prefix and a slash in a URL, without the query. */
export function fileNameOf(url: string, prefix: string): string {
  return url.slice(prefix.length + 1).split("?", 1)[0] as string;
}

/** Each file, read once, and compressed once per coding. */
const variants = new Map<string, Promise<Buffer>>();

function variantOf(folder: string, file: string, coding: Coding | undefined): Promise<Buffer> {
  const key = `${file} ${coding ?? "identity"}`;
  let variant = variants.get(key);
  if (variant === undefined) {
    variant =
      coding === undefined
        ? readFile(path.join(folder, file))
        : variantOf(folder, file, undefined).then((content) => compressors[coding](content));
    variants.set(key, variant);
    variant.catch(() => variants.delete(key));
  }
  return variant;
}

/** Reads the version of the client from the banner of its files. */
async function clientVersion(folder: string): Promise<string> {
  const source = await variantOf(folder, "socket.io.min.js", undefined);
  return /Socket\.IO v(\S+)/.exec(source.toString("latin1", 0, 200))?.[1] ?? "0";
}

/** A request for a file, on any host. The response includes headers that are set on `res`. */
export interface FileExchange {
  readonly req: IncomingMessage;
  readonly res: ServerResponse;
  readonly respond: (status: number, headers: Record<string, string>, body?: Buffer) => void;
}

/** Creates the exchange of a request of `node:http`. */
export function fileExchangeOf(req: IncomingMessage, res: ServerResponse): FileExchange {
  return { req, res, respond: (status, headers, body) => void res.writeHead(status, headers).end(body) };
}

/** A middleware of the package `cors`. */
export type CorsMiddleware = (req: IncomingMessage, res: ServerResponse, next: () => void) => void;

/** Responds with a client file and the headers that `cors` sets, unless `cors` responds itself, to a preflight. */
export function serveClientFile(
  file: string,
  exchange: FileExchange,
  cors: CorsMiddleware | undefined,
): void {
  const serve = (): void => {
    respondWithFile(file, exchange).catch((error: unknown) => {
      debug("cannot serve client file %s: %s", file, error);
      // The application may have responded meanwhile, such as when a time limit of its own was over.
      if (!exchange.res.headersSent) exchange.respond(500, {});
    });
  };
  if (cors === undefined) serve();
  else cors(exchange.req, exchange.res, serve);
}

/** Responds with the file, compressed if the client accepts that, or with 304. */
async function respondWithFile(file: string, { req, res, respond }: FileExchange): Promise<void> {
  const folder = clientDist();
  if (folder === undefined) {
    warnOfMissingFiles();
    return respond(404, {});
  }
  const etag = `"${await clientVersion(folder)}"`;
  const known = req.headers["if-none-match"];
  if (known === etag || known === `W/${etag}`) {
    debug("serve client %s 304", file);
    return respond(304, {});
  }
  debug("serve client %s", file);
  const coding = accepts(req).encodings(codings) || undefined;
  const content = await variantOf(folder, file, coding as Coding | undefined);
  const type = file.endsWith(".map") ? "json" : "javascript";
  const vary = res.getHeader("Vary");
  const headers: Record<string, string> = {
    "Cache-Control": "public, max-age=0",
    "Content-Type": `application/${type}; charset=utf-8`,
    ETag: etag,
    // A cache must not pass a compressed file to a client that cannot read it.
    Vary: vary === undefined ? "Accept-Encoding" : `${String(vary)}, Accept-Encoding`,
  };
  if (coding) headers["Content-Encoding"] = coding;
  // In response to a HEAD the host sends the length only.
  respond(200, headers, content);
}

let warned = false;

function warnOfMissingFiles(): void {
  if (warned) return;
  warned = true;
  process.emitWarning(
    "The client files were not found, so requests for them get 404. Copy the package's folder client-dist next to the bundle, " +
      "keep the package out of the bundle, or set serveClient: false.",
    { type: "TidewireWarning", code: "TIDEWIRE_NO_CLIENT_FILES" },
  );
}
