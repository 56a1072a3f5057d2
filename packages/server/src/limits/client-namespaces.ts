/** A namespace, as this list uses it. */
export interface CountedNamespace {
  /** Whether no client is in it or about to join it. */
  readonly _isEmpty: boolean;
  /** Removes it from the server, unless something still needs it. */
  _dispose(): void;
}

/** How many namespaces clients may cause. */
export interface NamespaceLimits {
  readonly namespaces: number;
  readonly emptyNamespaces: number;
}

/**
 * The namespaces that exist because a client has asked for them. Those without a client are kept, as officially, but not without
 * bound: the one that has been empty for the longest time goes first.
 */
export class ClientNamespaces<Namespace extends CountedNamespace> {
  readonly #all: Set<Namespace> = new Set();
  /** Those that were empty once, the latest at the end. A client may have joined since. */
  readonly #empty: Set<Namespace> = new Set();
  readonly #limits: NamespaceLimits;

  constructor(limits: NamespaceLimits) {
    this.#limits = limits;
  }

  /** Whether there may be one more. Removes one without a client if there are too many. */
  hasRoom(): boolean {
    const { namespaces } = this.#limits;
    while (this.#all.size >= namespaces && this.#empty.size > 0) this.#removeFirst();
    return this.#all.size < namespaces;
  }

  add(nsp: Namespace): void {
    this.#all.add(nsp);
    this.#empty.add(nsp);
  }

  /** Called when the namespace was removed, or has become one of the application's own. */
  delete(nsp: Namespace): void {
    this.#all.delete(nsp);
    this.#empty.delete(nsp);
  }

  /** Called when the last client has left. */
  emptied(nsp: Namespace): void {
    if (!this.#all.has(nsp)) return;
    this.#empty.delete(nsp);
    this.#empty.add(nsp);
    while (this.#empty.size > this.#limits.emptyNamespaces) this.#removeFirst();
  }

  #removeFirst(): void {
    for (const nsp of this.#empty) {
      this.#empty.delete(nsp);
      if (nsp._isEmpty) nsp._dispose();
      return;
    }
  }
}
