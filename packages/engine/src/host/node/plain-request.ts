import type { IncomingMessage } from "node:http";
import type { Duplex } from "node:stream";
import type { NodeServer } from "./http2.ts";

/** As on uWebSockets.js: a proxy that writes `Upgrade: websocket` into every request adds no key. */
export function isWebSocketHandshake({ headers }: IncomingMessage): boolean {
  return "sec-websocket-key" in headers;
}

/** Whether the client offers to change to HTTP/2, which the server may ignore. */
export function offersHttp2({ headers }: IncomingMessage): boolean {
  return /^h2c$/i.test(headers.upgrade ?? "");
}

/**
 * Hands a request back to its server without its `Upgrade` header. As soon as anybody listens for upgrades, Node takes every
 * request with that header out of HTTP; a server that does not know the protocol should ignore it (RFC 9110, section 7.8).
 */
export function serveAsPlainRequest(
  server: NodeServer,
  request: IncomingMessage,
  socket: Duplex,
  head: Buffer,
): void {
  const { method, url, httpVersion, rawHeaders } = request;
  const lines = [`${method} ${url} HTTP/${httpVersion}`];
  for (let i = 0; i < rawHeaders.length; i += 2) {
    const name = rawHeaders[i]!;
    if (name.toLowerCase() !== "upgrade") lines.push(`${name}: ${rawHeaders[i + 1]!}`);
  }
  lines.push("", "");
  socket.unshift(Buffer.concat([Buffer.from(lines.join("\r\n"), "latin1"), head]));
  // The server's own event. Of https, the TLS handshake is over.
  server.emit("encrypted" in socket ? "secureConnection" : "connection", socket);
}
