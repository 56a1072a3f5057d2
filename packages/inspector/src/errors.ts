/** What the inspector refuses, and why. */
const messages = {
  NO_HTTP_SERVER: "the inspector has no page here: this engine has no HTTP server",
  PATH_IN_USE: "the path of the inspector must not be that of the server, or below it",
  READ_ONLY: "this inspector is read-only",
  UNAUTHORIZED: "reload the page",
  TOO_MANY_WATCHERS: "too many pages are open",
  NOT_FOUND: "it is not there any more",
  INVALID_REQUEST: "this request makes no sense",
} as const;

/** Identifies an error of the inspector. */
export type InspectorErrorCode = keyof typeof messages;

/** An error of the inspector, identified by `code`. */
export interface InspectorError extends Error {
  readonly code: InspectorErrorCode;
}

export function createError(code: InspectorErrorCode): InspectorError {
  return Object.assign(new Error(messages[code]), { code });
}
