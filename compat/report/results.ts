import { existsSync, readFileSync } from "node:fs";
import type { Declared, Line, State } from "./record.ts";

/** A test and its result; `not run` if a hook failed or the process died before it. */
export interface Outcome extends Declared {
  readonly state: State | "not run";
}

/** How the process of a section ended. */
export interface Ending {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
  /** A problem outside the tests: the process took too long, or left other processes behind. */
  readonly problem?: string;
}

export interface SectionResult {
  readonly name: string;
  readonly outcomes: readonly Outcome[];
  /** Problems outside the tests: failed hooks, a process that died. */
  readonly problems: readonly string[];
}

export interface Counts {
  passed: number;
  failed: number;
  skipped: number;
}

/** Reads the record of a section's process, and evaluates how it ended. */
export function readSection(name: string, recordPath: string, ending: Ending): SectionResult {
  const lines = readLines(recordPath);
  const declared = lines.flatMap((line) => ("declared" in line ? line.declared : []));
  const states = new Map(lines.flatMap((line) => ("ended" in line ? [[line.ended, line.state]] : [])));
  const outcomes = declared.map((test, number) => ({ ...test, state: states.get(number) ?? "not run" }));
  const problems = lines.flatMap((line) => ("hook" in line ? [`the hook ${line.hook} failed`] : []));
  const death = causeOfDeath(lines, declared, ending);
  if (death !== undefined) problems.push(death);
  return { name, outcomes: outcomes as Outcome[], problems };
}

function causeOfDeath(
  lines: readonly Line[],
  declared: readonly Declared[],
  ending: Ending,
): string | undefined {
  const leftOpen = lines.find((line) => "leftOpen" in line);
  if (leftOpen !== undefined) {
    return `the process did not end after its tests; left open: ${leftOpen.leftOpen.join(", ") || "unknown"}`;
  }
  const how = ending.signal === null ? `with exit code ${ending.code}` : `of ${ending.signal}`;
  if (lines.length === 0) return ending.problem ?? `the process ended ${how} before it had declared a test`;
  const last = lines.at(-1);
  if (last !== undefined && "finished" in last) return ending.problem;
  const where =
    last !== undefined && "begun" in last
      ? `in “${nameOf(declared[last.begun])}”`
      : `after ${lines.filter((line) => "ended" in line).length} of ${declared.length} tests`;
  return `${ending.problem ?? `the process died ${how}`}, ${where}`;
}

function nameOf(test: Declared | undefined): string {
  const cell = test?.cell;
  const place = cell && `${cell.part} ${cell.version} · ${cell.host} · ${cell.transport} › `;
  return `${place ?? ""}${test?.title}`;
}

function readLines(path: string): Line[] {
  if (!existsSync(path)) return [];
  const lines = readFileSync(path, "utf8").split("\n");
  // the last line of a process that died can be incomplete
  return lines.slice(0, -1).map((line) => JSON.parse(line) as Line);
}

/** Counts results; a test that did not run counts as failed, and so does every problem. */
export function count(results: readonly SectionResult[]): Counts {
  const counts = { passed: 0, failed: 0, skipped: 0 };
  for (const { outcomes, problems } of results) {
    counts.failed += problems.length;
    for (const { state } of outcomes) counts[tally[state]]++;
  }
  return counts;
}

const tally: Readonly<Record<Outcome["state"], keyof Counts>> = {
  passed: "passed",
  failed: "failed",
  "not run": "failed",
  unsupported: "skipped",
  skipped: "skipped",
};
