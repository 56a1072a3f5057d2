// Generates docs/differences.md from differences.json.
import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";

/** How a difference shows in the transcripts of a scenario. */
export interface Sighting {
  /** The scenarios that show it; `*` stands for any text. */
  in: string;
  /** The lane of the transcript; any by default. */
  lane?: string;
  /** The host, if only one differs. */
  host?: "uws" | "node";
  /** The lines of the official transcript: `*` matches any text, a line `**` any number of lines; none by default. */
  official?: string;
  /** Our lines in their place. */
  here?: string;
}

/** An intended difference. Its texts are Markdown. */
export interface Difference {
  where: string;
  official: string;
  here: string;
  why: string;
  /** Test files or folders that show it. */
  tests: string[];
  /** How it shows in the scenarios… */
  sightings?: Sighting[];
  /** …or why no scenario can show it. */
  noScenario?: string;
}

export interface Section {
  title: string;
  intro: string[];
  rows: Difference[];
}

export interface Differences {
  intro: string[];
  sections: Section[];
}

const root = new URL("../../", import.meta.url);

/** The path of the page. */
export const pageFile: string = fileURLToPath(new URL("docs/differences.md", root));

export function readDifferences(): Differences {
  return JSON.parse(readFileSync(new URL("differences.json", import.meta.url), "utf8")) as Differences;
}

const note = `<!-- Generated from compat/differential/differences.json by \`npm run docs:differences\`. Change that file, not this page. -->`;

/** The whole page. */
export function renderPage({ intro, sections }: Differences): string {
  const parts = ["# Differences from the official server", note, ...intro.map(wrapped)];
  for (const section of sections) {
    parts.push(`## ${section.title}`, ...section.intro.map(wrapped));
    if (section.rows.length > 0) parts.push(table(section.rows));
  }
  return `${parts.join("\n\n")}\n`;
}

function table(rows: readonly Difference[]): string {
  const head = ["| where | official | here | why | shown by |", "| --- | --- | --- | --- | --- |"];
  return [...head, ...rows.map(rowOf)].join("\n");
}

function rowOf(row: Difference): string {
  const { where, official, here, why } = row;
  const cells = [where, official, here, why, shownBy(row)].map((cell) => (cell === "" ? " " : ` ${cell} `));
  return `|${cells.join("|")}|`;
}

function shownBy({ tests, sightings = [] }: Difference): string {
  const names = [...new Set(sightings.map((sighting) => sighting.in))];
  return [...tests.map(code), ...scenariosOf(names)].join(", ");
}

function scenariosOf(names: readonly string[]): string[] {
  if (names.length === 0) return [];
  const more = names.length > 2 ? ` and ${names.length - 2} more` : "";
  return [
    `${names.length === 1 ? "scenario" : "scenarios"} ${names.slice(0, 2).map(code).join(", ")}${more}`,
  ];
}

function code(text: string): string {
  return `\`${text}\``;
}

/** Wraps the paragraph to lines of at most 130 characters. */
function wrapped(paragraph: string): string {
  const lines: string[] = [];
  let line = "";
  for (const word of paragraph.split(" ")) {
    if (line !== "" && line.length + 1 + word.length > 130) {
      lines.push(line);
      line = word;
    } else {
      line = line === "" ? word : `${line} ${word}`;
    }
  }
  return [...lines, line].join("\n");
}
