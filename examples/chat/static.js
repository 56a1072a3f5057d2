// Serves the files of the page from memory, on both hosts.
import { createHash } from "node:crypto";
import { readdirSync, readFileSync } from "node:fs";
import { basename, extname, join } from "node:path";

const TYPES = {
  ".html": "text/html; charset=utf-8",
  ".css": "text/css; charset=utf-8",
  ".js": "text/javascript; charset=utf-8",
  ".svg": "image/svg+xml",
};

const HEADERS = {
  "content-security-policy":
    "default-src 'self'; img-src 'self' blob: data:; frame-ancestors 'none'; base-uri 'none'",
  "referrer-policy": "no-referrer",
  "x-content-type-options": "nosniff",
  // The browser revalidates every time, and usually gets a 304.
  "cache-control": "no-cache",
};

const NOT_FOUND = { status: "404 Not Found", headers: { "content-type": "text/plain" }, body: "Not found\n" };
const NOT_ALLOWED = { status: "405 Method Not Allowed", headers: { allow: "GET, HEAD" }, body: "" };

/** Reads the files of these directories, which have no further ones, and returns a handler for each host. */
export function staticFiles(...directories) {
  const files = new Map();
  const paths = directories.flatMap((directory) =>
    readdirSync(directory).map((name) => join(directory, name)),
  );
  for (const path of paths) {
    const name = basename(path);
    const body = readFileSync(path);
    const etag = `"${createHash("sha256").update(body).digest("base64url").slice(0, 16)}"`;
    const type = TYPES[extname(name)] ?? "application/octet-stream";
    files.set(`/${name}`, { body, headers: { ...HEADERS, "content-type": type, etag } });
  }
  files.set("/", files.get("/index.html"));

  function answer(method, path, ifNoneMatch) {
    if (method !== "GET" && method !== "HEAD") return NOT_ALLOWED;
    const file = files.get(path);
    if (!file) return NOT_FOUND;
    if (ifNoneMatch === file.headers.etag)
      return { status: "304 Not Modified", headers: file.headers, body: "" };
    return { status: "200 OK", ...file };
  }

  return {
    /** A request listener of node:http. */
    node(request, response) {
      const path = request.url.split("?", 1)[0];
      const { status, headers, body } = answer(request.method, path, request.headers["if-none-match"]);
      response.writeHead(Number.parseInt(status, 10), {
        ...headers,
        "content-length": Buffer.byteLength(body),
      });
      response.end(body);
    },

    /** A handler of uWebSockets.js. */
    uws(response, request) {
      const method = request.getMethod().toUpperCase();
      const { status, headers, body } = answer(method, request.getUrl(), request.getHeader("if-none-match"));
      response.cork(() => {
        response.writeStatus(status);
        for (const [name, value] of Object.entries(headers)) response.writeHeader(name, value);
        if (method !== "HEAD") return response.end(body);
        // With the length as an argument, endWithoutBody() leaves the response open, and uWebSockets.js aborts.
        response.writeHeader("content-length", String(body.length));
        response.endWithoutBody();
      });
    },
  };
}
