import { inspect } from "node:util";

/** What an option may be. */
export interface OptionRule {
  /** For the error: "expected …". */
  readonly expected: string;
  /** The value that is meant by the given one, or {@link INVALID}. */
  read(given: unknown): unknown;
  /** The options it has itself, if it is an object. */
  readonly options?: OptionRules;
}

/** The options of an object by name; one that is not among them is unknown. */
export type OptionRules = Readonly<Record<string, OptionRule>>;

export const INVALID: unique symbol = Symbol("invalid");

/** Longest delay of Node's timers and of browsers', in ms; a longer one is over at once. */
const MAX_DELAY = 2 ** 31 - 1;

const numbers = (expected: string, isValid: (value: number) => boolean): OptionRule => ({
  expected,
  read(given) {
    // As from an environment variable or a configuration file.
    const value = typeof given === "string" && given.trim() !== "" ? Number(given) : given;
    return typeof value === "number" && isValid(value) ? value : INVALID;
  },
});

/** Clients wait for as long, too. */
export const delay: OptionRule = numbers(
  `a number of ms from 0 to ${MAX_DELAY}`,
  (value) => value >= 0 && value <= MAX_DELAY,
);
export const duration: OptionRule = numbers("a number of ms, 0 or more", (value) => value >= 0);
export const size: OptionRule = numbers("a number of bytes, 0 or more", (value) => value >= 0);
export const integer: OptionRule = numbers("a whole number", (value) => Number.isInteger(value));
export const idleSeconds: OptionRule = numbers(
  "0 or a number of seconds from 8 to 960",
  (value) => value === 0 || (value >= 8 && value <= 960),
);
export const count: OptionRule = numbers("a number, 0 or more", (value) => value >= 0);
export const finite: OptionRule = numbers("a number", (value) => Number.isFinite(value));
const bits = numbers("a whole number from 8 to 15", (value) =>
  [8, 9, 10, 11, 12, 13, 14, 15].includes(value),
);
export const windowBits: OptionRule = bits;
export const windowBitsOrFlag: OptionRule = {
  expected: `true, false, or ${bits.expected}`,
  read: (given) => (typeof given === "boolean" ? given : bits.read(given)),
};

/** What is not false, 0 or empty counts as true, as officially; text that says the opposite of what it does is a mistake. */
export const flag: OptionRule = {
  expected: "true or false, not text",
  read: (given) => (given === "false" ? INVALID : given),
};

export const anything: OptionRule = { expected: "anything", read: (given) => given };

export const text: OptionRule = {
  expected: "text",
  read: (given) => (typeof given === "string" ? given : INVALID),
};

export const callback: OptionRule = {
  expected: "a function",
  read: (given) => (typeof given === "function" || given === false ? given : INVALID),
};

/** One of the names. */
export function oneOf(names: readonly string[]): OptionRule {
  return {
    expected: names.map(quote).join(" or "),
    read: (given) => (names.includes(given as string) ? given : INVALID),
  };
}

/** A list of the names; text stands for a list with commas. */
export function listOf(names: readonly string[]): OptionRule {
  return {
    expected: `a list of ${names.map(quote).join(", ")}`,
    read(given) {
      const list = typeof given === "string" ? given.split(/[\s,]+/).filter((name) => name !== "") : given;
      return Array.isArray(list) && list.every((name) => names.includes(name as string)) ? list : INVALID;
    },
  };
}

/** Options of its own, or true or false. */
export function group(options: OptionRules): OptionRule {
  return { ...flag, options };
}

/** A mistake in the options of a server. */
export interface OptionError extends Error {
  readonly code: "INVALID_OPTION";
  /** Its name; `perMessageDeflate.threshold` for one of an option. */
  readonly option: string;
}

function optionError(option: string, { expected }: OptionRule, given: unknown): OptionError {
  const message = `Invalid option "${option}": expected ${expected}, got ${inspect(given, { depth: 1, maxStringLength: 80 })}`;
  const error = typeof given === "number" ? new RangeError(message) : new TypeError(message);
  return Object.assign(error, { code: "INVALID_OPTION" as const, option });
}

/**
 * A copy of the options, with numbers for numbers in text. Those that are undefined, or null, are left out if there is a rule for
 * them.
 *
 * @throws OptionError for one that cannot mean anything
 */
export function readOptions<T extends object>(given: T, rules: OptionRules, prefix: string = ""): T {
  const entries: [string, unknown][] = [];
  for (const [name, value] of Object.entries(given)) {
    const rule = Object.hasOwn(rules, name) ? rules[name]! : anything;
    if (value === undefined || (value === null && rule !== anything)) continue;
    entries.push([name, readOption(`${prefix}${name}`, rule, value)]);
  }
  return Object.fromEntries(entries) as T;
}

/**
 * The value that is meant by the given one.
 *
 * @throws OptionError if it cannot mean anything
 */
export function readOption(name: string, rule: OptionRule, given: unknown): unknown {
  if (rule.options !== undefined && isObject(given)) return readOptions(given, rule.options, `${name}.`);
  const value = rule.read(given);
  if (value === INVALID) throw optionError(name, rule, given);
  return value;
}

/** Names that were warned about: once in a process is enough. */
const warned = new Set<string>();

/** Warns of each option that does not exist, with the one that is probably meant. */
export function warnOfUnknownOptions(given: object, rules: OptionRules, prefix: string = ""): void {
  for (const [name, value] of Object.entries(given)) {
    if (value === undefined) continue;
    if (Object.hasOwn(rules, name)) {
      const { options } = rules[name]!;
      if (options !== undefined && isObject(value)) warnOfUnknownOptions(value, options, `${name}.`);
    } else if (!warned.has(prefix + name)) {
      warned.add(prefix + name);
      const meant = closest(name, Object.keys(rules));
      const hint = meant === undefined ? "it has no effect" : `did you mean ${quote(prefix + meant)}?`;
      process.emitWarning(`Unknown option ${quote(prefix + name)}: ${hint}`, {
        type: "TidewireWarning",
        code: "TIDEWIRE_UNKNOWN_OPTION",
      });
    }
  }
}

function isObject(value: unknown): value is object {
  return typeof value === "object" && value !== null;
}

function quote(name: string): string {
  return `"${name}"`;
}

/** The name that takes the fewest changes to get to, if they are few. */
function closest(name: string, names: readonly string[]): string | undefined {
  let best: string | undefined = undefined;
  let fewest = Math.max(1, Math.floor((name.length + 1) / 3)) + 1;
  for (const candidate of names) {
    const changes = distance(name.toLowerCase(), candidate.toLowerCase());
    if (changes < fewest) [best, fewest] = [candidate, changes];
  }
  return best;
}

/** Characters to add, leave out or replace on the way from one text to the other. */
function distance(from: string, to: string): number {
  let row = Array.from({ length: to.length + 1 }, (_, column) => column);
  for (let i = 1; i <= from.length; i++) {
    const next = [i];
    for (let j = 1; j <= to.length; j++) {
      const replaced = row[j - 1]! + (from[i - 1] === to[j - 1] ? 0 : 1);
      next.push(Math.min(replaced, row[j]! + 1, next[j - 1]! + 1));
    }
    row = next;
  }
  return row[to.length]!;
}
