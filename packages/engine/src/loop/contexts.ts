import { AsyncResource } from "node:async_hooks";

/**
 * The async contexts of the handshakes of sessions, for those whose handshake ran in one of the application's: with a store of
 * an `AsyncLocalStorage`. Most have none, and cost nothing here.
 */
export class Contexts {
  readonly #own: AsyncResource = new AsyncResource("TIDEWIRE");
  #kept: Map<object, AsyncResource> | undefined = undefined;

  /** Keeps the context of what runs now for the session, until it is forgotten. */
  keep(session: object): void {
    const context = new AsyncResource("TIDEWIRE");
    if (!isLike(context, this.#own)) (this.#kept ??= new Map()).set(session, context);
  }

  forget(session: object): void {
    if (this.#kept?.delete(session) === true && this.#kept.size === 0) this.#kept = undefined;
  }

  /** Calls the method of the session in its context. */
  run<Target extends object>(session: Target, method: (this: Target) => void): void {
    const context = this.#kept?.get(session);
    if (context === undefined) method.call(session);
    else context.runInAsyncScope(method, session);
  }
}

/**
 * Whether both have the same stores. Node has no question for that, and holds them in properties under symbols: beside the two
 * numbers that each resource has of its own. Where it is not known how they are held, they count as different.
 */
function isLike(context: AsyncResource, other: AsyncResource): boolean {
  const properties = Object.getOwnPropertySymbols(context);
  if (properties.length === 0) return false;
  for (const property of properties) {
    if (Reflect.get(context, property) === Reflect.get(other, property)) continue;
    if (!OWN_NUMBERS.has(property.description)) return false;
  }
  return true;
}

const OWN_NUMBERS: ReadonlySet<string | undefined> = new Set(["async_id_symbol", "trigger_async_id_symbol"]);
