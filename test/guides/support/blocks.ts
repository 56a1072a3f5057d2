// The pages of the guide, and the blocks of code on them.
import { readFileSync } from "node:fs";
import { groups } from "../../../docs/.vitepress/pages.ts";

/** A block of code, between fences or indented by four spaces. */
export interface Block {
  readonly page: string;
  /** The line of the file where it begins. */
  readonly line: number;
  /** The first word of its fence: `js`, `yaml`. Empty without one. */
  readonly language: string;
  /** The rest of its fence: the name of the file that it shows, or the command that prints it. */
  readonly label: string;
  readonly code: string;
}

/** Pages that only list or measure, or that are for people who work on Tidewire. */
const WITHOUT_PROGRAMS: ReadonlySet<string> = new Set(["examples", "session-life"]);

/** All pages, the start page included. */
export const pages: readonly string[] = ["index", ...groups.flatMap((group) => group.pages)];

/** The pages that explain something, each with a program. */
export const guides: readonly string[] = groups
  .filter(({ title }) => title !== "Evidence")
  .flatMap((group) => group.pages)
  .filter((page) => !WITHOUT_PROGRAMS.has(page));

/** The text of a page. */
export function textOf(page: string): string {
  return readFileSync(new URL(`../../../docs/${page}.md`, import.meta.url), "utf8");
}

/** The blocks of a page, in order. */
export function blocksOf(page: string): Block[] {
  const text = textOf(page);
  const pattern = /^```([\w-]*) ?(.*)\n([^]*?)^```$|(?<=\n\n)((?: {4}.*\n|\n(?= {4}))+)/gm;
  return [...text.matchAll(pattern)].map(
    ({ index, 1: language = "", 2: label = "", 3: fenced, 4: indented }) => ({
      page,
      line: text.slice(0, index).split("\n").length,
      language,
      label,
      code: fenced ?? indented!.replaceAll(/^ {4}/gm, ""),
    }),
  );
}

/** The blocks of a page that are JavaScript or TypeScript and no file of another program, in order. */
export function scriptsOf(page: string): Block[] {
  return blocksOf(page).filter(({ language, label }) => /^[jt]s$/.test(language) && label === "");
}
