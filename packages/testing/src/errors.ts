/** Every error of this package, with its message. */
export const testMessages = {
  REAL_CLOCK: 'The clock is the real one: start the server with testServer(setUp, { clock: "manual" })',
  NO_WEBSOCKET: "The client has no open WebSocket of this server",
} as const;

/** Creates the error of a code. */
export function createError(code: keyof typeof testMessages): Error {
  return Object.assign(new Error(testMessages[code]), { code });
}
