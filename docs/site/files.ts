// The files of the built site.
import { readFile } from "node:fs/promises";
import { extname, join } from "node:path";
import { dist } from "./paths.ts";

const TYPES: Readonly<Record<string, string>> = {
  ".css": "text/css; charset=utf-8",
  ".html": "text/html; charset=utf-8",
  ".js": "text/javascript; charset=utf-8",
  ".json": "application/json",
  ".svg": "image/svg+xml",
};

const HEADERS = {
  // The pages have inline scripts, and load nothing from other hosts.
  "content-security-policy":
    "default-src 'self'; script-src 'self' 'unsafe-inline'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; frame-ancestors 'none'; base-uri 'none'",
  "x-content-type-options": "nosniff",
  "cache-control": "no-cache",
};

export interface SiteFile {
  readonly status: 200 | 404 | 500;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string | Buffer;
}

/** Returns what a URL of the site is answered with. */
export type SiteFiles = (url: string) => Promise<SiteFile>;

/** @param host - what the server of the demo runs on, which the pages are told; undefined if there is none */
export function siteFiles(host: string | undefined): SiteFiles {
  async function read(path: string, status: SiteFile["status"]): Promise<SiteFile> {
    const place = join(dist, path);
    if (!place.startsWith(dist)) throw new Error(`${path} is not part of the site`);
    const file = await readFile(place);
    const isLive = path.endsWith(".html") && host !== undefined;
    return {
      status,
      headers: { ...HEADERS, "content-type": TYPES[extname(path)] ?? "application/octet-stream" },
      body: isLive ? file.toString().replace("<html ", `<html data-live="${host}" `) : file,
    };
  }

  return (url) =>
    read(fileFor(url), 200)
      .catch(() => read("404.html", 404))
      .catch(() => ({ status: 500, headers: {}, body: "" }));
}

/** The file that a URL stands for. The names of all files are ASCII, so nothing is decoded. */
function fileFor(url: string): string {
  const { pathname } = new URL(url, "http://localhost");
  if (pathname.endsWith("/")) return `${pathname}index.html`;
  return extname(pathname) === "" ? `${pathname}.html` : pathname;
}
