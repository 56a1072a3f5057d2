// Renders docs/compatibility.md. It contains no times and no machine, so the same results give the same page.
import type { Score, Table } from "./table.ts";

const INTRODUCTION = `# Compatibility

Tidewire is tested with unmodified, published clients, adapters, frameworks and servers of others. Each row is a version of such a
part; each column is the host that Tidewire runs on and the transport. A cell shows how many tests passed, of how many. A footnote
says what is not supported, and why. \`npm run compat\` writes this page; do not edit it.
`;

const NOTES = "## What is not supported, and why";

export function renderPage({ groups, notes }: Table): string {
  const parts = [INTRODUCTION];
  for (const { title, columns, rows } of groups) {
    const head = ["part", "version", ...columns];
    const lines = [head, ["---", "---", ...columns.map(() => ":-:")]];
    for (const { part, version, scores } of rows) lines.push([part, version, ...scores.map(renderScore)]);
    parts.push(`## ${title}\n\n${lines.map((cells) => `| ${cells.map(escape).join(" | ")} |\n`).join("")}`);
  }
  if (notes.length > 0) {
    const items = notes.map(
      ({ reason, titles }, index) => `[^${index + 1}]: ${reason}: ${titles.join("; ")}.\n`,
    );
    parts.push(`${NOTES}\n\n${items.join("")}`);
  }
  return parts.join("\n");
}

/** Puts the groups of a table in place of those of a page, whose other groups stay. */
export function updatePage(page: string, table: Table): string {
  const written = read(page);
  const rendered = read(renderPage(table));
  const notes: string[] = [];
  const renumbered = (line: string, from: ReadPage): string =>
    line.replaceAll(/\[\^(\d+)\]/g, (_, number: string) => {
      const note = from.notes.get(number) ?? "";
      if (!notes.includes(note)) notes.push(note);
      return `[^${notes.indexOf(note) + 1}]`;
    });
  const parts = [INTRODUCTION];
  for (const title of new Set([...written.groups.keys(), ...rendered.groups.keys()])) {
    const from = rendered.groups.has(title) ? rendered : written;
    const lines = from.groups.get(title) ?? [];
    parts.push(`## ${title}\n\n${lines.map((line) => `${renumbered(line, from)}\n`).join("")}`);
  }
  if (notes.length > 0) {
    parts.push(`${NOTES}\n\n${notes.map((note, index) => `[^${index + 1}]: ${note}\n`).join("")}`);
  }
  return parts.join("\n");
}

/** The lines of the tables of a page, by group, and its notes, by number. */
interface ReadPage {
  readonly groups: ReadonlyMap<string, readonly string[]>;
  readonly notes: ReadonlyMap<string, string>;
}

function read(page: string): ReadPage {
  const groups = new Map<string, string[]>();
  const notes = new Map<string, string>();
  let group: string[] = [];
  for (const line of page.split("\n")) {
    if (line.startsWith("## ") && line !== NOTES) groups.set(line.slice(3), (group = []));
    else if (line.startsWith("| ")) group.push(line);
    const [, number, note] = /^\[\^(\d+)\]: (.*)$/.exec(line) ?? [];
    if (number !== undefined) notes.set(number, note ?? "");
  }
  return { groups, notes };
}

function renderScore(score: Score | undefined): string {
  if (score === undefined) return "";
  const { passed, total, notes } = score;
  return `${passed}/${total}${notes.map((number) => `[^${number}]`).join("")}`;
}

function escape(text: string): string {
  return text.replaceAll("|", "\\|");
}

/** How the rows and columns of a page differ from those of the declared tests; ignores results. */
export function staleness(page: string, declared: Table): string[] {
  const written = skeleton(page);
  const wanted = skeleton(renderPage(declared));
  return [
    ...wanted.filter((line) => !written.includes(line)).map((line) => `missing: ${line}`),
    ...written.filter((line) => !wanted.includes(line)).map((line) => `no longer declared: ${line}`),
  ];
}

/** The rows of the page's tables, each with its group and without results. */
function skeleton(page: string): string[] {
  let group = "";
  const rows: string[] = [];
  for (const line of page.split("\n")) {
    if (line.startsWith("## ")) group = line.slice(3);
    if (line.startsWith("| "))
      rows.push(`${group} ${line.replace(/\| \d+\/\d+(\[\^\d+\])*(?= \|)/g, "| +")}`);
  }
  return rows;
}
