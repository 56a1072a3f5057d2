/**
 * Returns the number of a port that is given as a number or as text.
 *
 * @throws RangeError (`ERR_SOCKET_BAD_PORT`), as node:http does, if there is no such port
 */
export function portNumber(given: number | string): number {
  const port = typeof given === "string" && given.trim() === "" ? NaN : Number(given);
  if (Number.isInteger(port) && port >= 0 && port <= 0xff_ff) return port;
  const received = typeof given === "string" ? `type string ('${given}')` : `type number (${port})`;
  const message = `options.port should be >= 0 and < 65536. Received ${received}.`;
  throw Object.assign(new RangeError(message), { code: "ERR_SOCKET_BAD_PORT" });
}
