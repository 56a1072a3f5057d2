// The record that a section's process writes while it runs, one line of JSON for each step. It shows which test ran when the
// process died.
import type { Cell } from "../support/cell.ts";

export type State = "passed" | "failed" | "unsupported" | "skipped";

/** A declared test. */
export interface Declared {
  /** Absent for tests outside cells: they count, but are in no table. */
  readonly cell?: Cell;
  /** The title within the cell, without the reason in brackets. */
  readonly title: string;
  /** Why it is not supported. */
  readonly reason?: string;
}

export type Line =
  | { readonly declared: readonly Declared[] }
  /** The number of a test in `declared`. */
  | { readonly begun: number }
  | { readonly ended: number; readonly state: State }
  /** A hook that failed. */
  | { readonly hook: string }
  | { readonly finished: true }
  /** The resources that kept the process alive after the last test. */
  | { readonly leftOpen: readonly string[] };
