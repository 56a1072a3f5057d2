// What a section's process writes while it runs, one line of JSON each: whoever reads it knows what was going on when
// the process died.
import type { Cell } from "../support/cell.ts";

export type State = "passed" | "failed" | "unsupported" | "skipped";

/** A test as it was declared. */
export interface Declared {
  /** Absent for tests that are in no cell: they count, but stand in no table. */
  readonly cell?: Cell;
  /** The title below the cell, without the reason in brackets. */
  readonly title: string;
  /** Why it is not supported. */
  readonly reason?: string;
}

export type Line =
  | { readonly declared: readonly Declared[] }
  /** The number of a test in `declared`. */
  | { readonly begun: number }
  | { readonly ended: number; readonly state: State }
  /** A hook that failed, with the tests it was for. */
  | { readonly hook: string }
  | { readonly finished: true }
  /** What kept the process alive long after the last test. */
  | { readonly leftOpen: readonly string[] };
