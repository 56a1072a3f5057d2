/** Every error of a host in memory, with its message. */
export const memoryMessages = {
  NO_ENGINE: "No engine is attached to this host: call engine.attachHost(host)",
  REQUEST_ABORTED: "aborted",
  REQUEST_DROPPED: "dropped by the server",
  UPGRADE_REFUSED: "Unexpected server response: ",
} as const;

/** Creates the error of a code. */
export function createError(code: keyof typeof memoryMessages): Error {
  return Object.assign(new Error(memoryMessages[code]), { code });
}
