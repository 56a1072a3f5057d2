// Reads tables of the pages, so that what the start page shows is written once.

export interface Table {
  head: string[];
  rows: string[][];
}

/** The first table in a text of Markdown. */
export function tableIn(text: string): Table {
  const lines = text.split("\n");
  const start = lines.findIndex(
    (line, i) => line.startsWith("|") && /^\|[\s:|-]+\|$/.test(lines[i + 1] ?? ""),
  );
  if (start === -1) throw new Error("There is no table");
  const end = lines.findIndex((line, i) => i > start && !line.startsWith("|"));
  const [head = [], , ...rows] = lines.slice(start, end === -1 ? undefined : end).map(cellsOf);
  return { head, rows };
}

function cellsOf(line: string): string[] {
  // A bar after a backslash belongs to the cell.
  const cells = line.split(/(?<!\\)\|/).slice(1, -1);
  return cells.map((cell) => cell.trim().replaceAll("\\|", "|"));
}

/** The text between the markers of a part. */
export function partOf(text: string, name: string): string {
  const [start, end] = [`<!-- ${name} -->`, `<!-- /${name} -->`];
  const from = text.indexOf(start);
  const to = text.indexOf(end);
  if (from === -1 || to < from) throw new Error(`There is no ${start} and ${end}`);
  return text.slice(from + start.length, to).trim();
}
