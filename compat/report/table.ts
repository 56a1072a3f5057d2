// Builds the table from outcomes: groups of rows, and the notes of their cells.
import type { Cell, Group } from "../support/cell.ts";
import type { Outcome } from "./results.ts";

/** The content of a cell: how many of its tests passed, and the numbers of the notes about the others. */
export interface Score {
  readonly passed: number;
  readonly total: number;
  readonly notes: readonly number[];
}

export interface Row {
  readonly part: string;
  readonly version: string;
  /** By column; undefined if the part has no tests on this host and transport. */
  readonly scores: readonly (Score | undefined)[];
}

export interface TableGroup {
  readonly title: Group;
  readonly columns: readonly string[];
  readonly rows: readonly Row[];
}

/** The reason for which some tests do not pass, and their titles. */
export interface Note {
  readonly reason: string;
  readonly titles: readonly string[];
}

export interface Table {
  readonly groups: readonly TableGroup[];
  /** Note number n is at index n - 1. */
  readonly notes: readonly Note[];
}

const GROUPS: readonly Group[] = [
  "Official clients",
  "Browsers",
  "Other languages",
  "Official server",
  "Published packages",
  "Frameworks",
];

const HOSTS: readonly Cell["host"][] = ["uws", "node"];
const TRANSPORTS: readonly Cell["transport"][] = ["polling", "websocket", "upgrade", "webtransport", "any"];

const HOST_NAMES: Readonly<Record<Cell["host"], string>> = { uws: "uWS", node: "node:http" };

const TRANSPORT_NAMES: Readonly<Record<Cell["transport"], string>> = {
  polling: "polling",
  websocket: "WebSocket",
  upgrade: "upgrade",
  webtransport: "WebTransport",
  any: "",
};

const natural = new Intl.Collator("en", { numeric: true });

type Placed = Outcome & { readonly cell: Cell };

/** Sums up the tests in cells. The same tests in the same order give the same table. */
export function tabulate(outcomes: readonly Outcome[]): Table {
  const placed = outcomes.filter((outcome): outcome is Placed => outcome.cell !== undefined);
  const notes = new Notes();
  const groups = GROUPS.flatMap((title) => {
    const own = placed.filter(({ cell }) => cell.group === title);
    return own.length === 0 ? [] : [tabulateGroup(title, own, notes)];
  });
  return { groups, notes: notes.all };
}

function tabulateGroup(title: Group, outcomes: readonly Placed[], notes: Notes): TableGroup {
  const columns = HOSTS.flatMap((host) => TRANSPORTS.map((transport) => ({ host, transport }))).filter(
    (column) => outcomes.some(({ cell }) => isIn(cell, column)),
  );
  const rows = new Map<string, Placed[]>();
  for (const outcome of outcomes) {
    const key = `${outcome.cell.part}\n${outcome.cell.version}`;
    const row = rows.get(key);
    if (row === undefined) rows.set(key, [outcome]);
    else row.push(outcome);
  }
  return {
    title,
    columns: columns.map(({ host, transport }) => `${HOST_NAMES[host]} ${TRANSPORT_NAMES[transport]}`.trim()),
    rows: [...rows]
      .sort(([one], [other]) => natural.compare(one, other))
      .map(([key, tests]) => {
        const [part = "", version = ""] = key.split("\n");
        const scores = columns.map((column) =>
          score(
            tests.filter(({ cell }) => isIn(cell, column)),
            notes,
          ),
        );
        return { part, version, scores };
      }),
  };
}

function isIn(cell: Cell, column: Pick<Cell, "host" | "transport">): boolean {
  return cell.host === column.host && cell.transport === column.transport;
}

function score(tests: readonly Placed[], notes: Notes): Score | undefined {
  if (tests.length === 0) return undefined;
  const passed = tests.filter(({ state }) => state === "passed").length;
  const numbers = new Set(
    tests.flatMap((test) => (test.state === "passed" ? [] : [notes.numberFor(why(test), test.title)])),
  );
  return { passed, total: tests.length, notes: [...numbers].sort((one, other) => one - other) };
}

function why({ state, reason }: Placed): string {
  if (state === "unsupported" && reason !== undefined) return reason;
  return state === "skipped" ? "not run: this machine lacks what it needs" : "failed";
}

/** One note for all tests with the same reason. */
class Notes {
  readonly all: { reason: string; titles: string[] }[] = [];

  numberFor(reason: string, title: string): number {
    let index = this.all.findIndex((note) => note.reason === reason);
    if (index === -1) index = this.all.push({ reason, titles: [] }) - 1;
    const titles = this.all[index]?.titles;
    if (titles !== undefined && !titles.includes(title)) titles.push(title);
    return index + 1;
  }
}
