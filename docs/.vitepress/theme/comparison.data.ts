// What the start page shows of docs/performance.md.
import { readFileSync } from "node:fs";
import { defineLoader } from "vitepress";
import { partOf, tableIn } from "../tables.ts";

export interface Figure {
  text: string;
  /** Undefined where it was not measured. */
  value: number | undefined;
}

export interface Comparison {
  servers: string[];
  rows: { title: string; unit: string; figures: Figure[] }[];
  /** The day of the run. */
  date: string;
  /** When, where and how it was measured, and which versions. */
  circumstances: string[];
}

/** The rows of the start page. */
const ROWS = [
  /^echo, .* 1 outstanding$/,
  /^echo, .* 16 outstanding$/,
  /^io\.emit to 1000 clients, 1 per tick$/,
  /^io\.emit to 1000 clients, 10 per tick$/,
  /rooms of .*, io\.to\(room\)$/,
  /^long-polling echo/,
  /^connect by WebSocket/,
  /^idle connection, .*RSS$/,
];

/** Columns that are not servers for applications. */
const OTHERS = /^(?:unit)?$|floor|budgets|÷/;

export default defineLoader({
  watch: ["../../performance.md"],
  load([file]): Comparison {
    const part = partOf(readFileSync(file!, "utf8"), "bench:workloads");
    const { head, rows } = tableIn(part);
    const columns = head.flatMap((title, i) => (OTHERS.test(title) ? [] : [i]));
    const lines = part.split("\n");
    const date = lines.map((line) => /^(\d{4}-\d\d-\d\d), /.exec(line)?.[1]).find(Boolean);
    if (date === undefined) throw new Error("docs/performance.md does not say when it was measured");
    return {
      servers: columns.map((i) => head[i]!),
      rows: ROWS.map((title) => {
        const row = rows.find(([name = ""]) => title.test(name));
        if (row === undefined) throw new Error(`docs/performance.md has no row ${title}`);
        return { title: row[0]!, unit: row[1]!, figures: columns.map((i) => figureOf(row[i] ?? "")) };
      }),
      date,
      circumstances: lines.filter((line) => /^(\d{4}-|Versions:|Not measured:)/.test(line)),
    };
  },
});

export declare const data: Comparison;

/** Without the spread, and without the mark of a missed budget. */
function figureOf(cell: string): Figure {
  const text = cell
    .replace(/<sub>.*<\/sub>/, "")
    .replaceAll("*", "")
    .trim();
  const value = Number(text.replaceAll(",", ""));
  return { text, value: text === "" || Number.isNaN(value) ? undefined : value };
}
