import { readdir, readFile, stat } from "node:fs/promises";
import { join } from "node:path";
import type { Rule } from "./rule.ts";
import { uncommented, withoutHashes } from "./uncommented.ts";

/** A line that a rule is about. */
export interface Place {
  /** Below the scanned folder, with slashes. */
  readonly file: string;
  readonly line: number;
  readonly text: string;
}

export interface Scan {
  /** How many files at least one rule is about. */
  readonly files: number;
  readonly places: ReadonlyMap<Rule, readonly Place[]>;
}

/** Installed, built and generated files. */
const LEFT_OUT = new Set(["node_modules", "bower_components", "dist", "build", "out", "coverage", "vendor"]);
/** Nobody writes larger files by hand, in bytes. */
const MAX_SIZE = 1_000_000;
const JAVASCRIPT = /\.[cm]?[jt]sx?$/;
const MINIFIED = /\.min\.[cm]?js$/;
/** More of a line does not help to recognise it. */
const SHOWN = 120;

/** @param seen - is told how many files were read */
export async function scan(
  folder: string,
  rules: readonly Rule[],
  seen: (files: number) => void,
): Promise<Scan> {
  const places = new Map<Rule, Place[]>();
  let files = 0;
  for await (const file of filesIn(folder, "")) {
    const name = file.slice(file.lastIndexOf("/") + 1);
    const concerned = rules.filter((rule) => rule.files.test(name));
    if (concerned.length === 0 || MINIFIED.test(name)) continue;
    if ((await stat(join(folder, file))).size > MAX_SIZE) continue;
    seen(++files);
    const whole = await readFile(join(folder, file), "utf8");
    const text = JAVASCRIPT.test(name)
      ? uncommented(whole)
      : name === "package.json"
        ? whole
        : withoutHashes(whole);
    const [lines, shown] = [text.split("\n"), whole.split("\n")];
    for (const rule of concerned) {
      if (rule.alsoIn?.test(text) === false || rule.unless?.test(text) === true) continue;
      lines.forEach((line, index) => {
        if (!rule.line.test(line)) return;
        const found = places.get(rule) ?? [];
        found.push({ file, line: index + 1, text: shortened(shown[index] ?? "") });
        places.set(rule, found);
      });
    }
  }
  return { files, places };
}

function shortened(line: string): string {
  const text = line.trim();
  return text.length > SHOWN ? `${text.slice(0, SHOWN)}…` : text;
}

async function* filesIn(root: string, below: string): AsyncGenerator<string> {
  const entries = await readdir(join(root, below), { withFileTypes: true });
  for (const entry of entries.toSorted((a, b) => (a.name < b.name ? -1 : 1))) {
    const path = below === "" ? entry.name : `${below}/${entry.name}`;
    if (entry.isFile()) yield path;
    else if (entry.isDirectory() && !LEFT_OUT.has(entry.name) && !/^\.(?!docker|nginx)/.test(entry.name))
      yield* filesIn(root, path);
  }
}
