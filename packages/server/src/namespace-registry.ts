import createDebug from "debug";
import type { Auth } from "./connection/dialect.ts";
import { createError } from "./errors.ts";
import { ClientNamespaces } from "./limits/client-namespaces.ts";
import type { CountedNamespace, NamespaceLimits } from "./limits/client-namespaces.ts";
import type { Untyped } from "./events/typed-events.ts";
import type { UserCode } from "./events/user-code.ts";

const debug = createDebug("socket.io:server");

/** Decides whether a namespace of this name may be created: `fn(null, true)` creates it. */
export type ParentNspNameMatchFn = (
  name: string,
  auth: { [key: string]: Untyped },
  fn: (err: Error | null, success: boolean) => void,
) => void;

/** How the server creates namespaces. */
export interface NamespaceFactory<Namespace, Parent> {
  namespace(name: string): Namespace;
  parent(): Parent;
  /** Called with each new namespace except the root namespace. */
  announce(nsp: Namespace): void;
}

/** A parent namespace, which registers its children itself. */
export interface ParentOf<Namespace> {
  readonly name: string;
  createChild(name: string): Namespace;
  /** Creates a child that counts as made by a client. */
  _createForClient(name: string): Namespace;
}

/** The namespaces of a server, and the parent namespaces that decide which others may exist. */
export class NamespaceRegistry<Namespace extends CountedNamespace, Parent extends ParentOf<Namespace>> {
  /** by name */
  readonly namespaces: Map<string, Namespace> = new Map();
  /** by the function that decides about the names of their children */
  readonly parents: Map<ParentNspNameMatchFn, Parent> = new Map();
  /** the parents that were given as a regular expression */
  readonly parentsByRegExp: Map<RegExp, Parent> = new Map();
  /** those that clients have asked for */
  readonly clientMade: ClientNamespaces<Namespace>;
  readonly #make: NamespaceFactory<Namespace, Parent>;

  constructor(make: NamespaceFactory<Namespace, Parent>, limits: NamespaceLimits) {
    this.#make = make;
    this.clientMade = new ClientNamespaces(limits);
  }

  /**
   * Returns the namespace of this name, with or without the leading slash, and creates it if it does not exist. From now on it
   * belongs to the application, which may hold it.
   */
  of(given: string): Namespace {
    const name = String(given).startsWith("/") ? String(given) : `/${given}`;
    const existing = this.namespaces.get(name);
    if (existing) {
      this.clientMade.delete(existing);
      return existing;
    }
    for (const [regexp, parent] of this.parentsByRegExp) {
      if (regexp.test(name)) {
        return parent.createChild(name);
      }
    }
    debug("initializing namespace %s", name);
    const nsp = this.#make.namespace(name);
    this.namespaces.set(name, nsp);
    if (name !== "/") {
      this.#make.announce(nsp);
    }
    return nsp;
  }

  /**
   * Creates a parent namespace.
   * @throws Error if a regular expression is stateful (`g` or `y`)
   */
  createParent(match: RegExp | ParentNspNameMatchFn): Parent {
    if (typeof match !== "function" && (match.global || match.sticky)) {
      throw createError("STATEFUL_REGEXP");
    }
    const parent = this.#make.parent();
    debug("initializing parent namespace %s", parent.name);
    if (typeof match === "function") {
      this.parents.set(match, parent);
    } else {
      this.parents.set((nsp, _auth, next) => next(null, match.test(nsp)), parent);
      this.parentsByRegExp.set(match, parent);
    }
    return parent;
  }

  /**
   * Asks the parent namespaces in turn whether one of them accepts a child of this name. Nothing is created for a client that has
   * left meanwhile, because nothing would remove it, nor beyond the limit.
   */
  askParents(
    name: string,
    auth: Auth,
    fn: (nsp: Namespace | false | "exhausted") => void,
    { isWanted, userCode }: { isWanted: () => boolean; userCode: Pick<UserCode, "watch"> },
  ): void {
    const parents = this.parents.entries();
    const askNext = (): void => {
      const next = parents.next();
      if (next.done) {
        return fn(false);
      }
      const [match, parent] = next.value;
      let hasDecided = false;
      const decided: unknown = match(name, auth, (error, allowed) => {
        // Only the first answer counts, because a second one would admit the client twice.
        if (hasDecided || !isWanted()) return;
        hasDecided = true;
        if (error || !allowed) {
          return askNext();
        }
        // It may have been created while the application was deciding.
        const existing = this.namespaces.get(name);
        if (existing !== undefined) fn(existing);
        else fn(this.clientMade.hasRoom() ? parent._createForClient(name) : "exhausted");
      });
      userCode.watch(decided, { source: "connection", event: undefined, socket: undefined }, () => {
        if (!hasDecided) askNext();
      });
    };
    askNext();
  }
}
