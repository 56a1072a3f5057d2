import { availableParallelism } from "node:os";
import { parseArgs } from "node:util";
import { sections, type Section } from "../sections.ts";

/** What may be in front of workers; `port` is nothing: they share one. */
export const FRONTS: readonly string[] = ["HAProxy", "nginx", "port"];

export interface Arguments {
  readonly chosen: readonly Section[];
  /** Whether no sections were named: all of the form run. */
  readonly isWhole: boolean;
  readonly isFull: boolean;
  /** How many sections to run at a time. */
  readonly jobs: number;
  /** Runs only tests with matching titles. */
  readonly grep: string | undefined;
  /** Whether to install parts and build packages first. */
  readonly setsUp: boolean;
  /** What is in front of three workers, in place of each server. */
  readonly workers: string | undefined;
  /** Whether to only compare the page with the declared tests. */
  readonly onlyChecks: boolean;
}

export const USAGE = `npm run compat [-- options] [sections]

  --quick       leaves out repetition, and does not write docs/compatibility.md
  --jobs N      runs N sections at a time
  --grep TEXT   runs only tests with matching titles
  --workers X   puts three workers behind HAProxy, nginx or port (nothing) in place of each server
  --check       only compares the rows of docs/compatibility.md with the tests
  --no-setup    does not install or build anything first

Sections: ${sections.map(({ name, about }) => `\n  ${name.padEnd(13)} ${about}`).join("")}`;

/** Reads the arguments. Throws an error with a readable message if they are invalid. */
export function readArguments(args: readonly string[]): Arguments {
  const { values, positionals } = parseArgs({
    args: [...args],
    allowPositionals: true,
    options: {
      quick: { type: "boolean", default: false },
      jobs: { type: "string", default: String(Math.min(2, availableParallelism())) },
      grep: { type: "string" },
      workers: { type: "string" },
      check: { type: "boolean", default: false },
      "no-setup": { type: "boolean", default: false },
    },
  });
  const unknown = positionals.filter((name) => !sections.some((section) => section.name === name));
  if (unknown.length > 0) throw new Error(`there is no section ${unknown.join(", ")}`);
  const jobs = Number(values.jobs);
  if (!Number.isInteger(jobs) || jobs < 1) throw new Error(`--jobs takes a number, not ${values.jobs}`);
  const { workers } = values;
  const isWhole = positionals.length === 0;
  if (workers !== undefined && !FRONTS.some((front) => front === workers))
    throw new Error(`--workers takes ${FRONTS.join(", ")}, not ${workers}`);
  return {
    workers,
    chosen: sections.filter(({ name, isFullOnly }) =>
      isWhole ? !(isFullOnly && values.quick) : positionals.includes(name),
    ),
    isWhole,
    isFull: !values.quick,
    jobs,
    grep: values.grep,
    setsUp: !values["no-setup"],
    onlyChecks: values.check,
  };
}
