import { internals } from "@tidewire/engine";

/**
 * What clients may do; none of it is checked by the official server. The defaults are meant to be met by attacks only. `Infinity`
 * switches a limit off.
 */
export interface Limits {
  /**
   * How many namespaces one connection may be in, those it is about to join included. Beyond it a CONNECT is refused with
   * `TOO_MANY_NAMESPACES`.
   * @default 1000
   */
  namespacesPerConnection?: number;
  /**
   * How many namespaces may exist because clients have asked for them; namespaces that the application has named in `io.of()` do
   * not count. Beyond it a CONNECT that would create one is refused with `NAMESPACES_EXHAUSTED`.
   * @default 100000
   */
  namespaces?: number;
  /**
   * How many of these are kept after their last client has left. Beyond it, the one that has been empty for the longest time is
   * removed, as by `cleanupEmptyChildNamespaces`.
   * @default 10000
   */
  emptyNamespaces?: number;
  /**
   * How many binary attachments one packet may have. Beyond it the connection is closed, with the reason `forced close` and
   * `TOO_MANY_ATTACHMENTS` as `parseCode` of the description. Applies to the default parser; others have their own limit.
   * @default 10
   */
  attachments?: number;
}

/** The limits with every default filled in. */
export type ResolvedLimits = Required<Limits>;

const defaults: ResolvedLimits = {
  namespacesPerConnection: 1000,
  namespaces: 100_000,
  emptyNamespaces: 10_000,
  attachments: 10,
};

const { count, group } = internals.optionRules;

/** The rules of the limits. */
export const limitsRule: internals.OptionRule = group({
  namespacesPerConnection: count,
  namespaces: count,
  emptyNamespaces: count,
  attachments: count,
});

/** Fills in the defaults. */
export function resolveLimits(given: Limits | undefined): ResolvedLimits {
  return { ...defaults, ...given };
}
