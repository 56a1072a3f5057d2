/**
 * Text that can be written as UTF-8. uWebSockets.js would write half of a surrogate pair as three bytes of its own, which no
 * client takes for UTF-8; node:http and `ws` write U+FFFD. Text of Latin letters costs nothing to ask.
 */
export function wellFormed(data: string | Buffer): string | Buffer {
  return typeof data !== "string" || data.isWellFormed() ? data : data.toWellFormed();
}
