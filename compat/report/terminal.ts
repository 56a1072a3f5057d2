// The table for a terminal.
import type { Score, Table } from "./table.ts";

export function renderTerminal({ groups, notes }: Table): string {
  const parts = groups.map(({ title, columns, rows }) => {
    const lines = [[title, "", ...columns]];
    for (const { part, version, scores } of rows)
      lines.push([`  ${part}`, version, ...scores.map(renderScore)]);
    return align(lines);
  });
  const footnotes = notes.map(
    ({ reason, titles }, index) => `[${index + 1}] ${reason}: ${titles.join("; ")}`,
  );
  if (footnotes.length > 0) parts.push(footnotes.join("\n"));
  return `${parts.join("\n\n")}\n`;
}

function renderScore(score: Score | undefined): string {
  if (score === undefined) return "";
  const { passed, total, notes } = score;
  return `${passed}/${total}${notes.map((number) => `[${number}]`).join("")}`;
}

function align(lines: readonly (readonly string[])[]): string {
  const widths = (lines[0] ?? []).map((_, column) =>
    Math.max(...lines.map((cells) => (cells[column] ?? "").length)),
  );
  return lines
    .map((cells) =>
      cells
        .map((text, column) => text.padEnd(widths[column] ?? 0))
        .join("  ")
        .trimEnd(),
    )
    .join("\n");
}
