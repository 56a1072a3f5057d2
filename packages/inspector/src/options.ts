import { internals } from "@tidewire/engine";
import type { InspectorAuth, InspectorOptions } from "@tidewire/server";

const { flag, INVALID, readOptions, warnOfUnknownOptions } = internals.optionRules;

const pathRule: internals.OptionRule = {
  expected: 'a path such as "/_tidewire"',
  read: (given) =>
    typeof given === "string" && /^(?:\/[\w~.@-]+)+\/?$/.test(given) ? given.replace(/\/$/, "") : INVALID,
};

function isText(value: unknown): boolean {
  return typeof value === "string" && value !== "";
}

/** Credentials that are not complete are a mistake: they must not open the page. */
const authRule: internals.OptionRule = {
  expected: "{ username, password }, neither of them empty, or a function",
  read(given) {
    if (typeof given === "function") return given;
    const { username, password } = (given ?? {}) as { username?: unknown; password?: unknown };
    return isText(username) && isText(password) && !(username as string).includes(":") ? given : INVALID;
  },
};

const rules: internals.OptionRules = { path: pathRule, auth: authRule, readonly: flag };

/** The options with every default filled in. */
export interface ResolvedOptions {
  /** Without a slash at its end. */
  readonly path: string;
  readonly auth: InspectorAuth | undefined;
  readonly readonly: boolean;
}

/** @throws OptionError for an invalid value */
export function resolveOptions(given: InspectorOptions): ResolvedOptions {
  warnOfUnknownOptions(given, rules);
  const { path = "/_tidewire", auth, readonly = false } = readOptions(given, rules);
  return { path, auth, readonly: Boolean(readonly) };
}
