import assert from "node:assert/strict";
import { ParseError } from "@tidewire/parser";
import type { ParseErrorCode } from "@tidewire/parser";

/** Asserts that `decode` throws a ParseError of that code, and of that message if one is given. */
export function rejects(decode: () => unknown, code: ParseErrorCode, message?: string): void {
  assert.throws(decode, (error: unknown) => {
    assert.ok(error instanceof ParseError, String(error));
    assert.equal(error.code, code);
    if (message !== undefined) {
      assert.equal(error.message, message);
    }
    return true;
  });
}
