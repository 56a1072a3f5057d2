import { availableParallelism } from "node:os";
import { parseArgs } from "node:util";
import { sections, type Section } from "../sections.ts";

export interface Arguments {
  readonly chosen: readonly Section[];
  readonly isFull: boolean;
  /** How many sections run at a time. */
  readonly jobs: number;
  /** Only the tests whose titles match. */
  readonly grep: string | undefined;
  /** Whether parts are installed and packages built first. */
  readonly setsUp: boolean;
  /** Whether the page is only compared with what is declared, and nothing else is run. */
  readonly onlyChecks: boolean;
}

export const USAGE = `npm run compat [-- options] [sections]

  --quick       leaves out repetition, and docs/compatibility.md as it is
  --jobs N      runs N sections at a time
  --grep TEXT   runs only the tests whose titles match
  --check       only compares the rows of docs/compatibility.md with the tests
  --no-setup    takes for granted that everything is installed and built

Sections: ${sections.map(({ name, about }) => `\n  ${name.padEnd(13)} ${about}`).join("")}`;

/** Throws an error with a message for people when something is asked for that does not exist. */
export function readArguments(args: readonly string[]): Arguments {
  const { values, positionals } = parseArgs({
    args: [...args],
    allowPositionals: true,
    options: {
      quick: { type: "boolean", default: false },
      jobs: { type: "string", default: String(Math.min(2, availableParallelism())) },
      grep: { type: "string" },
      check: { type: "boolean", default: false },
      "no-setup": { type: "boolean", default: false },
    },
  });
  const unknown = positionals.filter((name) => !sections.some((section) => section.name === name));
  if (unknown.length > 0) throw new Error(`there is no section ${unknown.join(", ")}`);
  const jobs = Number(values.jobs);
  if (!Number.isInteger(jobs) || jobs < 1) throw new Error(`--jobs takes a number, not ${values.jobs}`);
  return {
    chosen: sections.filter(({ name }) => positionals.length === 0 || positionals.includes(name)),
    isFull: !values.quick,
    jobs,
    grep: values.grep,
    setsUp: !values["no-setup"],
    onlyChecks: values.check,
  };
}
