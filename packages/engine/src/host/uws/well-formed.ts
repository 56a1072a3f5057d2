/**
 * Replaces lone surrogates by U+FFFD, as node:http and `ws` do. uWebSockets.js would write three bytes that are not valid UTF-8.
 * For Latin-1 strings the check costs nothing.
 */
export function wellFormed(data: string | Buffer): string | Buffer {
  return typeof data !== "string" || data.isWellFormed() ? data : data.toWellFormed();
}
