import { AsyncResource } from "node:async_hooks";

/**
 * The async contexts of sessions whose handshake ran in one of the application's, with a store of an `AsyncLocalStorage`. Most
 * sessions have none, and cost nothing here.
 */
export class Contexts {
  readonly #own: AsyncResource = new AsyncResource("TIDEWIRE");
  readonly #ownProperties: number = Object.getOwnPropertySymbols(this.#own).length;
  #kept: Map<object, AsyncResource> | undefined = undefined;

  /** Keeps the current context for the session, until it is forgotten. */
  keep(session: object): void {
    const context = new AsyncResource("TIDEWIRE");
    const properties = Object.getOwnPropertySymbols(context);
    // Usually there are no stores at all.
    if (properties.length === OWN_NUMBERS.size && this.#ownProperties === OWN_NUMBERS.size) return;
    if (!isLike(context, this.#own, properties)) (this.#kept ??= new Map()).set(session, context);
  }

  forget(session: object): void {
    if (this.#kept?.delete(session) === true && this.#kept.size === 0) this.#kept = undefined;
  }

  /** Calls the function with the session, in the context of the session. */
  run<Session extends object>(session: Session, call: (session: Session) => void): void {
    const context = this.#kept?.get(session);
    if (context === undefined) call(session);
    else context.runInAsyncScope(call, undefined, session);
  }
}

/**
 * Whether both have the same stores. Node offers no way to ask: it holds the stores in properties under symbols, beside the two
 * numbers of each resource. Where it is not known how they are held, they count as different.
 */
function isLike(context: AsyncResource, other: AsyncResource, properties: readonly symbol[]): boolean {
  if (properties.length === 0) return false;
  for (const property of properties) {
    if (Reflect.get(context, property) === Reflect.get(other, property)) continue;
    if (!OWN_NUMBERS.has(property.description)) return false;
  }
  return true;
}

const OWN_NUMBERS: ReadonlySet<string | undefined> = new Set(["async_id_symbol", "trigger_async_id_symbol"]);
