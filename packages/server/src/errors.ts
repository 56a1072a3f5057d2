import { internals } from "@tidewire/engine";

/** Every error that the server throws at the application, with the message of the official server where it has one. */
export const serverMessages = {
  RESERVED_EVENT: (event: string): string => `"${event}" is a reserved event name`,
  ACK_TIMEOUT: (): string => "operation has timed out",
  SOCKET_DISCONNECTED: (): string => "socket has been disconnected",
  REQUEST_HANDLER: (): string =>
    "You are trying to attach socket.io to an express request handler function. Please pass a http.Server instance.",
  NO_SERVER: (given: string): string => `expected a server or a port, got ${given}`,
  STATEFUL_REGEXP: (): string => "stateful regular expressions are not supported",
  PARENT_FETCH: (): string => "fetchSockets() is not supported on parent namespaces",
  PARENT_COUNT: (): string => "count() is not supported on parent namespaces",
  PARENT_REVALIDATE: (): string => "revalidateSockets() is not supported on parent namespaces",
  NO_ADAPTER: (): string =>
    "No adapter for this namespace, are you trying to get the list of clients of a dynamic namespace?",
  MIDDLEWARE_FAILED: (): string => "Internal server error",
  INVALID_DATE: (given: string): string => `expected a Date or a number of ms since 1970, got ${given}`,
  INSPECTOR_NOT_INSTALLED: (): string =>
    "io.inspect() needs a package that does not load here: npm install @tidewire/inspector",
  CANNOT_CARRY: (): string =>
    "expected a server or a namespace of @tidewire/server, of the same version as @tidewire/metrics",
  NOT_ATTACHED: (): string => "cannot close a server that is not attached; call listen() or attach() first",
} as const;

/** Identifies an error of the server. */
export type ServerErrorCode = keyof typeof serverMessages;

const typeErrors: ReadonlySet<ServerErrorCode> = new Set<ServerErrorCode>([
  "NO_SERVER",
  "NOT_ATTACHED",
  "INVALID_DATE",
  "CANNOT_CARRY",
]);

/** An error of the server, identified by `code`. */
export interface ServerError extends Error {
  readonly code: ServerErrorCode;
}

/** Creates the error of a code; `detail` is the value in its message, if there is one. */
export function createError(code: ServerErrorCode, detail: string = ""): ServerError {
  const message = serverMessages[code](detail);
  return Object.assign(typeErrors.has(code) ? new TypeError(message) : new Error(message), { code });
}

/** Whether an answer has not come in time. */
export function isTimeout(error: Error | null): boolean {
  return error !== null && (error as Partial<ServerError>).code === "ACK_TIMEOUT";
}

/** @throws Error if the name of the event is reserved */
export function assertNotReserved(reserved: ReadonlySet<string | symbol>, event: string | symbol): void {
  if (reserved.has(event)) {
    throw createError("RESERVED_EVENT", String(event));
  }
}

/** Throws an error of the application on the next tick, so that the remaining packets and sockets are served first. */
export const rethrow: (error: unknown) => void = internals.rethrow;
