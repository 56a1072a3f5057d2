import assert from "node:assert/strict";
import { runInNewContext } from "node:vm";

/** The headers with which a browser posts a form. */
export const form = { headers: { "content-type": "application/x-www-form-urlencoded" } };

/** What a browser's JSONP client does: real newlines become \n, and a \n that was there \\n. */
export function formOf(payload: string): string {
  const escaped = payload.replaceAll("\\n", "\\\n").replaceAll("\n", "\\n");
  return new URLSearchParams({ d: escaped }).toString();
}

/** Runs the script as the page would, and gives what the callback with that index was called with. */
export function called(script: string, index: number): string {
  const calls: unknown[] = [];
  runInNewContext(script, { ___eio: { [index]: (payload: unknown) => calls.push(payload) } });
  assert.equal(calls.length, 1);
  return calls[0] as string;
}
