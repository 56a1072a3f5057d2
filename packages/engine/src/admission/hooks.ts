import type { AllowRequest } from "../options.ts";
import type { EngineRequest } from "../http/query.ts";

/** Why a hook of the application does not let a handshake pass: the context of its `connection_error`. */
export type Refusal = Record<string, unknown>;

/**
 * Asks the application whether a handshake may go on. Its first answer counts. A hook that throws or rejects instead of
 * answering refuses: one request must not end the process, and what is to guard the door must not open it.
 */
export function askAllowRequest(
  allowRequest: AllowRequest,
  request: EngineRequest,
  decide: (refusal: Refusal | undefined) => void,
): void {
  let isDecided = false;
  const decideOnce = (refusal: Refusal | undefined): void => {
    if (isDecided) return;
    isDecided = true;
    decide(refusal);
  };
  const fail = (error: unknown): void => {
    // Not the hook's: thrown by what its answer led to, such as a listener of `connection`.
    if (isDecided) throw error;
    decideOnce({ name: "ALLOW_REQUEST_FAILURE", error });
  };
  let result: unknown;
  try {
    result = allowRequest(request, (message, success) => decideOnce(success ? undefined : { message }));
  } catch (error) {
    fail(error);
    return;
  }
  if (result instanceof Promise) result.catch(fail);
}

/** Checks what `generateId` made. A session never takes the place of another. */
export function checkId(made: unknown, isTaken: (id: string) => boolean): string {
  const id = typeof made === "number" ? String(made) : made;
  if (typeof id !== "string" || id === "") throw new TypeError("generateId() must give a string");
  if (isTaken(id)) throw new Error("generateId() gave the id of another session");
  return id;
}

export function isPromiseLike(value: unknown): value is PromiseLike<unknown> {
  return typeof (value as Partial<PromiseLike<unknown>> | null | undefined)?.then === "function";
}
