import { inspect } from "node:util";

/** The valid values of an option. */
export interface OptionRule {
  /** For the error: "expected …". */
  readonly expected: string;
  /** Converts a given value, or returns {@link INVALID}. */
  read(given: unknown): unknown;
  /** The rules of its own options, if the value is an object. */
  readonly options?: OptionRules;
}

/** The rules of an object's options by name. Other names are unknown. */
export type OptionRules = Readonly<Record<string, OptionRule>>;

export const INVALID: unique symbol = Symbol("invalid");

/** The longest delay of timers in Node.js and in browsers, in ms. A longer one expires at once. */
const MAX_DELAY = 2 ** 31 - 1;

const numbers = (expected: string, isValid: (value: number) => boolean): OptionRule => ({
  expected,
  read(given) {
    // As from an environment variable or a configuration file.
    const value = typeof given === "string" && given.trim() !== "" ? Number(given) : given;
    return typeof value === "number" && isValid(value) ? value : INVALID;
  },
});

/** Clients use the same delay. */
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

/** Truthy values count as true, as with the official server, except the string "false", which is a mistake. */
export const flag: OptionRule = {
  expected: "true or false, not a string",
  read: (given) => (given === "false" ? INVALID : given),
};

export const anything: OptionRule = { expected: "anything", read: (given) => given };

export const text: OptionRule = {
  expected: "a string",
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

/** A list of the names, or a string with commas. */
export function listOf(names: readonly string[]): OptionRule {
  return {
    expected: `a list of ${names.map(quote).join(", ")}`,
    read(given) {
      const list = typeof given === "string" ? given.split(/[\s,]+/).filter((name) => name !== "") : given;
      return Array.isArray(list) && list.every((name) => names.includes(name as string)) ? list : INVALID;
    },
  };
}

/** An object of options, or true or false. */
export function group(options: OptionRules): OptionRule {
  return { ...flag, options };
}

/** An invalid option. */
export interface OptionError extends Error {
  readonly code: "INVALID_OPTION";
  /** The name of the option, such as `perMessageDeflate.threshold`. */
  readonly option: string;
}

function optionError(option: string, { expected }: OptionRule, given: unknown): OptionError {
  const message = `Invalid option "${option}": expected ${expected}, got ${inspect(given, { depth: 1, maxStringLength: 80 })}`;
  const error = typeof given === "number" ? new RangeError(message) : new TypeError(message);
  return Object.assign(error, { code: "INVALID_OPTION" as const, option });
}

/**
 * Copies the options, and converts strings to numbers. Leaves out options that are undefined, or null if they have a rule.
 *
 * @throws OptionError for an invalid value
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
 * Converts the given value.
 *
 * @throws OptionError if it is invalid
 */
export function readOption(name: string, rule: OptionRule, given: unknown): unknown {
  if (rule.options !== undefined && isObject(given)) return readOptions(given, rule.options, `${name}.`);
  const value = rule.read(given);
  if (value === INVALID) throw optionError(name, rule, given);
  return value;
}

/** Names that a warning was printed for, once per process. */
const warned = new Set<string>();

/** Prints a warning for each unknown option, with the name that is probably meant. */
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

/** The most similar name, if it is similar enough. */
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
