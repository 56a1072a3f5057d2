import assert from "node:assert/strict";
import type { Cell } from "../support/cell.ts";
import { renderPage, staleness, updatePage } from "./page.ts";
import type { Outcome } from "./results.ts";
import { tabulate } from "./table.ts";
import { renderTerminal } from "./terminal.ts";

const old: Cell = {
  group: "Official clients",
  part: "client",
  version: "2.5.0",
  host: "uws",
  transport: "polling",
};
const recent: Cell = { ...old, version: "10.0.0" };

const outcomes: readonly Outcome[] = [
  { cell: { ...recent, host: "node" }, title: "connects", state: "passed" },
  { cell: { ...recent, host: "node", transport: "websocket" }, title: "connects", state: "passed" },
  { cell: old, title: "connects", state: "passed" },
  { cell: old, title: "compresses", state: "unsupported", reason: "it has no zlib" },
  { cell: old, title: "decompresses", state: "unsupported", reason: "it has no zlib" },
  { cell: recent, title: "connects", state: "failed" },
  {
    cell: { ...old, group: "Published packages", part: "a|b", transport: "any" },
    title: "works",
    state: "passed",
  },
  { title: "is in no cell", state: "passed" },
];

const page = renderPage(tabulate(outcomes));

describe("compat: the report", () => {
  it("has a table for each group, with the necessary columns and the oldest version first", () => {
    assert.match(
      page,
      new RegExp(
        [
          "## Official clients",
          "",
          "| part | version | uWS polling | node:http polling | node:http WebSocket |",
          "| --- | --- | :-: | :-: | :-: |",
          "| client | 2.5.0 | 1/3[^1] |  |  |",
          "| client | 10.0.0 | 0/1[^2] | 1/1 | 1/1 |",
          "",
          "## Published packages",
          "",
          "| part | version | uWS |",
          "| --- | --- | :-: |",
          "| a\\|b | 2.5.0 | 1/1 |",
        ]
          .join("\n")
          .replaceAll(/[|[\]^/.\\]/g, String.raw`\$&`),
      ),
    );
  });

  it("has one note for each reason", () => {
    assert.ok(
      page.includes("[^1]: it has no zlib: compresses; decompresses.\n[^2]: failed: connects.\n"),
      page,
    );
  });

  it("is the same for the same results", () => {
    assert.equal(renderPage(tabulate(outcomes)), page);
  });

  it("prints the same numbers on a terminal", () => {
    assert.equal(
      renderTerminal(tabulate(outcomes.slice(2, 5))),
      [
        "Official clients         uWS polling",
        "  client          2.5.0  1/3[1]",
        "",
        "[1] it has no zlib: compresses; decompresses",
        "",
      ].join("\n"),
    );
  });

  it("replaces the tables of some groups, and numbers the notes of all anew", () => {
    const whole = renderPage(
      tabulate([
        ...outcomes,
        {
          cell: { ...old, group: "Published packages", part: "c", transport: "any" },
          title: "flies",
          state: "unsupported",
          reason: "it: cannot; never",
        },
      ]),
    );
    assert.equal(
      updatePage(whole, tabulate(outcomes.filter(({ cell }) => cell?.group === "Official clients"))),
      whole,
    );
    assert.equal(
      updatePage(whole, tabulate(outcomes.filter(({ cell }) => cell?.group === "Published packages"))),
      page,
    );
    const others = tabulate([{ cell: old, title: "connects", state: "passed" }]);
    const updated = updatePage(whole, others);
    assert.match(updated, /\| client \| 2\.5\.0 \| 1\/1 \|\n\n/);
    assert.match(updated, /\| c \| 2\.5\.0 \| 0\/1\[\^1\] \|/);
    assert.match(updated, /\[\^1\]: it: cannot; never: flies\.\n$/);
    assert.doesNotMatch(updated, /\[\^2\]/);
  });

  it("is not stale if only results differ", () => {
    const passed = outcomes.map((outcome): Outcome => ({ ...outcome, state: "passed" }));
    assert.deepEqual(staleness(page, tabulate(passed)), []);
  });

  it("is stale if it lacks or has too many rows or columns", () => {
    const other: Outcome = { cell: { ...recent, version: "11.0.0" }, title: "connects", state: "passed" };
    assert.deepEqual(staleness(page, tabulate([...outcomes, other])), [
      "missing: Official clients | client | 11.0.0 | + |  |  |",
    ]);
    assert.deepEqual(staleness(page, tabulate(outcomes.slice(0, 5))), [
      "missing: Official clients | client | 10.0.0 |  | + | + |",
      "no longer declared: Official clients | client | 10.0.0 | + | + | + |",
      "no longer declared: Published packages | part | version | uWS |",
      "no longer declared: Published packages | --- | --- | :-: |",
      "no longer declared: Published packages | a\\|b | 2.5.0 | + |",
    ]);
    assert.equal(staleness("", tabulate(outcomes)).length, 7);
  });
});
