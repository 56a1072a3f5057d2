import type { IncomingMessage } from "node:http";
import type { Duplex } from "node:stream";
import type { NodeServer } from "./http2.ts";

/** As uWebSockets.js tells them apart: a proxy that puts `Upgrade: websocket` into every request makes up no key. */
export function isWebSocketHandshake({ headers }: IncomingMessage): boolean {
  return "sec-websocket-key" in headers;
}

/** Whether it would rather be answered over HTTP/2, but need not be: no other listener takes that up. */
export function offersHttp2({ headers }: IncomingMessage): boolean {
  return /^h2c$/i.test(headers.upgrade ?? "");
}

/**
 * Gives a request back to its server without its `Upgrade` header, as if it had come so. Node takes any request with one out of
 * HTTP as soon as anybody listens for upgrades; a server that knows nothing of the protocol ignores it: RFC 9110, section 7.8.
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
  // What the server listens to itself: of https the handshake of TLS is over.
  server.emit("encrypted" in socket ? "secureConnection" : "connection", socket);
}
