import assert from "node:assert/strict";
import { existsSync, readFileSync } from "node:fs";
import { dirname, join, relative } from "node:path";
import { fileURLToPath } from "node:url";
import type { HostName } from "../support/engine/hosts.ts";

const PAGE = fileURLToPath(new URL("../../docs/limits-and-errors.md", import.meta.url));

/** The names of the hosts on the page. */
const HOST_NAMES = {
  uws: "uWebSockets.js",
  node: "node:http",
  memory: "memory",
} as const;

/** The outcome of a bad input: the three middle columns of the tables. */
export interface Outcome {
  /** What the client gets. */
  gets: string;
  /** What the operator learns. */
  learns: string;
  /** The state of the session. */
  session: string;
}

/** One line of the tables. */
export interface Row {
  /** The first column. */
  title: string;
  /** Files that the last column links to. */
  files: string[];
  /** Titles that the last column quotes, of tests in other suites. */
  quoted: string[];
  outcome(host: HostName): Outcome;
}

function plain(cell: string): string {
  return cell.replaceAll("`", "").replaceAll("\\|", "|").trim();
}

/** `a; on node:http: b` means b on node:http and a on the other hosts. */
function cellOn(cell: string, host: HostName): string {
  const [general = "", ...exceptions] = cell.split(/; on (?=[^\s]+: )/);
  const name = `${HOST_NAMES[host]}: `;
  const exception = exceptions.find((text) => text.startsWith(name));
  return exception === undefined ? general : exception.slice(name.length);
}

function rowOf(line: string): Row | undefined {
  const cells = line.split(/(?<!\\)\|/).slice(1, -1);
  if (cells.length !== 5 || /^[\s:-]*$/.test(cells[0]!) || plain(cells[4]!) === "shown by") return undefined;
  const [title, gets, learns, session] = cells.map(plain) as [string, string, string, string];
  const links = [...cells[4]!.matchAll(/\]\(([^)]+)\)/g)].map((match) => join(dirname(PAGE), match[1]!));
  const quoted = [...cells[4]!.matchAll(/“([^”]+)”/g)].map((match) => match[1]!);
  const outcome = (host: HostName): Outcome => ({
    gets: cellOn(gets, host),
    learns: cellOn(learns, host),
    session: cellOn(session, host),
  });
  return { title, files: links, quoted, outcome };
}

function readRows(): Row[] {
  if (!existsSync(PAGE)) return [];
  const lines = readFileSync(PAGE, "utf8").split("\n");
  return lines.filter((line) => line.startsWith("|")).flatMap((line) => rowOf(line) ?? []);
}

/** All rows of the tables in docs/limits-and-errors.md. */
export const rows: readonly Row[] = readRows();

/** Returns the row of a test; asserts that the page has it, and that it links to the test's file. */
export function rowShownBy(title: string, testUrl: string): Row {
  const row = rows.find((each) => each.title === title);
  assert.ok(row, `docs/limits-and-errors.md has no row "${title}"`);
  const file = fileURLToPath(testUrl);
  assert.ok(row.files.includes(file), `the row "${title}" does not link to ${relative(process.cwd(), file)}`);
  return row;
}
