import { isBinary } from "./attachments.ts";

/**
 * How many arrays and objects may be nested in each other, if nothing else is said. What passes on data, such as
 * `JSON.stringify` and most functions that copy, recurses: the first of them overflows the stack at about 1,800.
 */
export const DEFAULT_MAX_DEPTH = 500;

const QUOTE = 34;
const BACKSLASH = 92;
/** `{`, and `[` with bit 5 set. */
const OPENING = 123;
/** `}`, and `]` with bit 5 set. */
const CLOSING = 125;
/** Strings up to this length are read as fast by characters as by a search. */
const SHORT_STRING = 32;

/** Whether JSON from `start` on is nested deeper than `limit`. Of what is no JSON the answer may be either. */
export function isJSONDeeperThan(text: string, start: number, limit: number): boolean {
  // Each level has two brackets: most packets are too short.
  if (text.length - start <= 2 * limit + 1) return false;
  // Searches go over numbers and long texts many times faster than the loop below.
  let openings = 0;
  for (const bracket of ["[", "{"]) {
    for (let at = text.indexOf(bracket, start); at !== -1; at = text.indexOf(bracket, at + 1)) {
      if (++openings > limit) return areBracketsDeeperThan(text, start, limit);
    }
  }
  return false;
}

function areBracketsDeeperThan(text: string, start: number, limit: number): boolean {
  let depth = 0;
  for (let at = start; at < text.length; at++) {
    const code = text.charCodeAt(at);
    if (code === QUOTE) {
      at = endOfString(text, at + 1);
      continue;
    }
    // Of [ and {, and of ] and }, with one comparison each.
    const bracket = code | 32;
    if (bracket === OPENING) {
      if (++depth > limit) return true;
    } else if (bracket === CLOSING) {
      depth--;
    }
  }
  return false;
}

/** The index of the quote that ends a string, or the length of the text. */
function endOfString(text: string, start: number): number {
  let at = start;
  while (at < text.length) {
    for (const end = Math.min(at + SHORT_STRING, text.length); at < end; at++) {
      const code = text.charCodeAt(at);
      if (code === QUOTE) return at;
      if (code === BACKSLASH) at++;
    }
    const quote = text.indexOf('"', at);
    if (quote === -1) return text.length;
    let backslashes = 0;
    while (quote - backslashes > at && text.charCodeAt(quote - backslashes - 1) === BACKSLASH) backslashes++;
    if (backslashes % 2 === 0) return quote;
    at = quote + 1;
  }
  return at;
}

/** Whether arrays and plain objects are nested deeper than `limit`; each is looked at once, as some parsers make cycles. */
export function isDeeperThan(value: unknown, limit: number, seen: Set<object> = new Set()): boolean {
  if (typeof value !== "object" || value === null || isBinary(value) || seen.has(value)) return false;
  if (limit === 0) return true;
  seen.add(value);
  if (Array.isArray(value)) return value.some((item) => isDeeperThan(item, limit - 1, seen));
  if (!isPlain(value)) return false;
  return Object.values(value).some((field) => isDeeperThan(field, limit - 1, seen));
}

function isPlain(value: object): boolean {
  const prototype: unknown = Object.getPrototypeOf(value);
  return prototype === Object.prototype || prototype === null;
}
