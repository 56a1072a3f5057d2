import assert from "node:assert/strict";
import { inspect, isDeepStrictEqual } from "node:util";
import { ParseError } from "@tidewire/parser";
import type { ParseErrorCode } from "@tidewire/parser";

/** What became of an input: a result, or a refusal with its text and, if it is ours, its code. */
export interface Outcome {
  readonly result?: unknown;
  readonly refused?: string;
  readonly code?: ParseErrorCode;
}

export function outcome(decode: () => unknown): Outcome {
  try {
    return { result: decode() };
  } catch (error) {
    return error instanceof ParseError
      ? { refused: String(error), code: error.code }
      : { refused: String(error) };
  }
}

/** A wanted difference between ours and the official parser, in what becomes of an input. */
export interface Difference<Input> {
  readonly what: string;
  readonly why: string;
  /** Whether an input for which the outcomes differ is of this kind. */
  readonly covers: (input: Input, ours: Outcome, theirs: Outcome) => boolean;
  /** Inputs that show it. A test fails when they no longer do. */
  readonly examples: readonly Input[];
}

type Decode<Input> = (input: Input) => unknown;

/** Fails if the outcomes differ for a reason that is not in the table, or ours throws anything but ParseError. */
export function assertSame<Input>(
  input: Input,
  ours: Decode<Input>,
  theirs: Decode<Input>,
  differences: readonly Difference<Input>[],
): void {
  const our = outcome(() => onlyParseErrors(() => ours(input)));
  const their = outcome(() => theirs(input));
  const same = "refused" in our ? "refused" in their : isDeepStrictEqual(our, their);
  if (!same && !differences.some(({ covers }) => covers(input, our, their))) {
    assert.fail(
      `${inspect(input)}\n  ours:   ${inspect(our, { depth: 9 })}\n  theirs: ${inspect(their, { depth: 9 })}`,
    );
  }
}

function onlyParseErrors<T>(decode: () => T): T {
  try {
    return decode();
  } catch (error) {
    assert.ok(error instanceof ParseError, `not a ParseError: ${inspect(error)}`);
    throw error;
  }
}

/** Declares one test per row of a table: its examples still show the difference, and are covered. */
export function itShowsDifferences<Input>(
  table: readonly Difference<Input>[],
  ours: Decode<Input>,
  theirs: Decode<Input>,
): void {
  for (const { what, why, covers, examples } of table) {
    it(`differs: ${what} (${why})`, () => {
      for (const input of examples) {
        const our = outcome(() => ours(input));
        const their = outcome(() => theirs(input));
        assert.ok(!isDeepStrictEqual(our, their), `no difference any more: ${inspect(input)}`);
        assert.ok(covers(input, our, their), `not covered: ${inspect({ input, our, their }, { depth: 9 })}`);
      }
    });
  }
}
