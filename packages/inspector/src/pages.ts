import { createHash } from "node:crypto";
import { readFile } from "node:fs/promises";
import path from "node:path";
import { pageFolder } from "../page-folder.js";

/** A file of the page. */
export interface PageFile {
  readonly type: string;
  readonly etag: string;
  readonly body: Buffer;
}

/** The only files that are served. */
const types: Readonly<Record<string, string>> = {
  "index.html": "text/html",
  "palette.css": "text/css",
  "style.css": "text/css",
  "icon.svg": "image/svg+xml",
  "actions.js": "text/javascript",
  "charts.js": "text/javascript",
  "client.js": "text/javascript",
  "clients.js": "text/javascript",
  "dom.js": "text/javascript",
  "events.js": "text/javascript",
  "format.js": "text/javascript",
  "main.js": "text/javascript",
  "overview.js": "text/javascript",
  "rooms.js": "text/javascript",
};

/** Sent with everything: the page loads nothing from elsewhere, and nobody may frame it. */
export const securityHeaders: Readonly<Record<string, string>> = {
  "Content-Security-Policy":
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; " +
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'; require-trusted-types-for 'script'; trusted-types 'none'",
  "Cross-Origin-Opener-Policy": "same-origin",
  "Cross-Origin-Resource-Policy": "same-origin",
  "Referrer-Policy": "no-referrer",
  "X-Content-Type-Options": "nosniff",
  "X-Frame-Options": "DENY",
  "X-Robots-Tag": "noindex",
};

/** Each file, read once. */
const files = new Map<string, Promise<PageFile>>();

/** Returns a file of the page; undefined if there is none of the name. */
export function pageFile(name: string): Promise<PageFile> | undefined {
  const type = Object.hasOwn(types, name) ? types[name] : undefined;
  if (type === undefined) return undefined;
  let file = files.get(name);
  if (file === undefined) {
    file = read(name, type);
    file.catch(() => files.delete(name));
    files.set(name, file);
  }
  return file;
}

async function read(name: string, type: string): Promise<PageFile> {
  const body = await readFile(path.join(pageFolder, name));
  const etag = `"${createHash("sha256").update(body).digest("base64url").slice(0, 20)}"`;
  return { type: `${type}; charset=utf-8`, etag, body };
}
