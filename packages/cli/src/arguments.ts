import { parseArgs } from "node:util";
import type { ParseArgsConfig } from "node:util";
import { UsageError } from "./usage-error.ts";

/**
 * `parseArgs` of Node, with positional arguments.
 *
 * @throws UsageError with the first sentence of Node's message; the others recommend what these commands do not mean
 */
export function readArguments<const T extends ParseArgsConfig["options"]>(
  args: readonly string[],
  options: T,
): ReturnType<typeof parseArgs<{ options: T; allowPositionals: true }>> {
  try {
    return parseArgs({ args: [...args], options, allowPositionals: true });
  } catch (error) {
    const { message } = error as Error;
    const [first = message] = message.split(/\.\s/);
    throw new UsageError(`${first.charAt(0).toLowerCase()}${first.slice(1)}`);
  }
}

/** @throws UsageError unless it is the address of an HTTP server */
export function readUrl(given: string | undefined, example: string): URL {
  if (given === undefined) throw new UsageError(`name the server, such as: ${example}`);
  const url = parseUrl(given);
  if (url !== null && (url.protocol === "http:" || url.protocol === "https:")) return url;
  throw new UsageError(`"${given}" is not the address of a server, such as https://example.com`);
}

function parseUrl(text: string): URL | null {
  try {
    return new URL(text);
  } catch {
    return null;
  }
}

/** @throws UsageError unless it is a number in this range */
export function readNumber(
  name: string,
  given: string,
  what: string,
  { min, max, whole = false }: { min: number; max: number; whole?: boolean },
): number {
  const value = Number(given);
  if (given.trim() !== "" && value >= min && value <= max && (!whole || Number.isInteger(value)))
    return value;
  throw new UsageError(`${name} is ${what} from ${min} to ${max}, not "${given}"`);
}

/** Reads `Name: value` of `--header`. @throws UsageError */
export function readHeaders(given: readonly string[]): Record<string, string> {
  const headers: Record<string, string> = {};
  for (const text of given) {
    const colon = text.indexOf(":");
    if (colon < 1)
      throw new UsageError(
        `--header is a name and a value, such as "Authorization: Bearer x", not "${text}"`,
      );
    headers[text.slice(0, colon).trim().toLowerCase()] = text.slice(colon + 1).trim();
  }
  return headers;
}
