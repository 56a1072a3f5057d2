import { createError } from "../errors.ts";
import type { AllowRequest } from "../options.ts";
import type { EngineRequest } from "../http/query.ts";
import { isThenable } from "../loop/thenable.ts";

/** Why `allowRequest` refuses a handshake: the context of its `connection_error`. */
export type Refusal = Record<string, unknown>;

/**
 * Asks the application whether a handshake may go on. Only its first answer counts. If it throws or rejects instead, the
 * handshake is refused: one request must not end the process, and a broken guard must let nobody in.
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
    // What its answer led to has thrown, such as a listener of `connection`.
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
  if (isThenable(result)) void result.then(undefined, fail);
}

/** Where an id may be taken. */
interface Sessions {
  find(id: string): unknown;
}

/**
 * Checks what `generateId` returned.
 *
 * @param held - sessions that are not open yet
 * @throws TypeError (`INVALID_ID`) if it is neither text nor a number; Error if it does not name the node (`FOREIGN_ID`), or if another
 * session has it (`ID_IN_USE`)
 */
export function checkId(
  made: unknown,
  engine: Sessions & { readonly idPrefix: string },
  held?: Sessions,
): string {
  const id = typeof made === "number" ? String(made) : made;
  if (typeof id !== "string" || id === "") throw createError("INVALID_ID");
  if (!id.startsWith(engine.idPrefix)) throw createError("FOREIGN_ID");
  if (engine.find(id) !== undefined || held?.find(id) !== undefined) throw createError("ID_IN_USE");
  return id;
}
