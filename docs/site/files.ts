// Serves the built site.
import { readFile } from "node:fs/promises";
import type { IncomingMessage, ServerResponse } from "node:http";
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

/**
 * Returns a request listener that serves the site.
 *
 * @param isLive - whether the server of the demo is behind it, as the pages are told
 */
export function siteFiles(isLive: boolean): (request: IncomingMessage, response: ServerResponse) => void {
  async function send(path: string, status: number, response: ServerResponse): Promise<void> {
    const place = join(dist, path);
    if (!place.startsWith(dist)) throw new Error(`${path} is not part of the site`);
    const file = await readFile(place);
    const isPage = path.endsWith(".html");
    const body = isPage && isLive ? file.toString().replace("<html ", "<html data-live ") : file;
    response.writeHead(status, {
      ...HEADERS,
      "content-type": TYPES[extname(path)] ?? "application/octet-stream",
    });
    response.end(body);
  }

  return (request, response) => {
    send(fileFor(request.url ?? "/"), 200, response)
      .catch(() => send("404.html", 404, response))
      .catch(() => response.writeHead(500).end());
  };
}

/** The file that a URL stands for. The names of all files are ASCII, so nothing is decoded. */
function fileFor(url: string): string {
  const { pathname } = new URL(url, "http://localhost");
  if (pathname.endsWith("/")) return `${pathname}index.html`;
  return extname(pathname) === "" ? `${pathname}.html` : pathname;
}
