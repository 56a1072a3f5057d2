import type { MigrateOptions } from "../commands/migrate-options.ts";
import { ExitCode } from "../exit-code.ts";
import { Progress } from "../output/progress.ts";
import { styleFor } from "../output/style.ts";
import type { Style } from "../output/style.ts";
import type { Terminal } from "../terminal.ts";
import type { Level, Rule } from "./rule.ts";
import { RULES } from "./rules.ts";
import { scan } from "./scan.ts";
import type { Place, Scan } from "./scan.ts";

const INDENT = " ".repeat("change  ".length);

/** @returns the exit code: DONE if nothing has to change */
export async function runMigrate({ folder, json }: MigrateOptions, { out, err }: Terminal): Promise<number> {
  const progress = new Progress(err);
  const found = await scan(folder, RULES, (files) => progress.show(0, `${files} files`)).finally(() =>
    progress.clear(),
  );
  const changes = count(found, "change");
  if (json) out.write(`${JSON.stringify(asObject(found), undefined, 2)}\n`);
  else for (const line of report(found, styleFor(out))) out.write(`${line}\n`);
  return changes === 0 ? ExitCode.DONE : ExitCode.FAILED;
}

function* report(found: Scan, style: Style): Generator<string> {
  for (const level of ["change", "check"] as const)
    for (const rule of RULES) {
      const places = found.places.get(rule);
      if (rule.level !== level || places === undefined) continue;
      yield `${style[level === "change" ? "bad" : "hint"](level.padEnd(INDENT.length))}${rule.what}`;
      yield `${INDENT}${style.strong(rule.todo)}`;
      yield* locations(places, style);
      yield "";
    }
  const [changes, checks] = [count(found, "change"), count(found, "check")];
  yield `${found.files} files read: ${places(changes)} to change, ${places(checks)} to check.`;
  yield "docs/differences.md of Tidewire lists everything that differs, with the reasons.";
}

function* locations(places: readonly Place[], { faint }: Style): Generator<string> {
  const names = places.map(({ file, line }) => `${file}:${line}`);
  const width = Math.max(...names.map(({ length }) => length));
  for (const [index, { text }] of places.entries())
    yield `${INDENT}${names[index]?.padEnd(width)}  ${faint(text)}`;
}

function places(number: number): string {
  return number === 1 ? "1 place" : `${number} places`;
}

function count({ places: all }: Scan, level: Level): number {
  let sum = 0;
  for (const [rule, list] of all) if (rule.level === level) sum += list.length;
  return sum;
}

function asObject(found: Scan): Record<string, unknown> {
  const findings = RULES.filter((rule) => found.places.has(rule)).map((rule: Rule) => {
    const { id, level, what, todo } = rule;
    return { id, level, what, todo, places: found.places.get(rule) };
  });
  return { files: found.files, changes: count(found, "change"), checks: count(found, "check"), findings };
}
