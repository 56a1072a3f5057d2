// Writes what a run found into README.md and docs/performance.md, between markers, and draws the chart.
import { readFileSync, writeFileSync } from "node:fs";
import { chart } from "./chart.mjs";
import { OURS, reportOf, shown } from "./report.mjs";

/** @typedef {import("./report.mjs").Report} Report */
/** @typedef {import("./report.mjs").Entry} Entry */
/** @typedef {import("./report.mjs").Row} Row */

const README = new URL("../../README.md", import.meta.url);
const PAGE = new URL("../../docs/performance.md", import.meta.url);
const CHART = new URL("../../docs/performance.svg", import.meta.url);
const ALT = "What each server costs, as a multiple of a hand-written floor";

/** Rows of the table in the README, as workload and metric. */
const HIGHLIGHTS = [
  "echo-1 cpu",
  "echo-16 cpu",
  "binary-16 cpu",
  "broadcast-1 cpu1",
  "broadcast-10 cpu10",
  "rooms to",
  "polling cpu",
  "connect-websocket cpu",
  "idle rss",
  "idle heap",
  "heartbeat cpu",
];

/** Columns of the README. */
const BRIEF = [OURS.uws, OURS.node, "official-ws", "official-uws", "bun", "floor-uws"];

/** Which part of a page a workload belongs to. @param {string} workload */
const partOf = (workload) =>
  workload.startsWith("scale-") ? "scale" : workload === "slow-readers" ? "slow-readers" : "workloads";

/** The text above the tables says whose CPU time it is. @param {string} unit */
const brief = (unit) => unit.replace("server CPU ", "");

/** @param {string[]} cells */
const row = (cells) => `| ${cells.join(" | ")} |`;

/** @param {string[][]} lines the first of them is the head */
function table([head = [], ...lines]) {
  const rule = head.map((_, i) => (i === 0 ? "---" : "---:"));
  return [head, rule, ...lines].map(row).join("\n");
}

/** @param {import("./report.mjs").Spread | undefined} ratio */
const range = (ratio) =>
  ratio === undefined ? "" : `${ratio.median.toFixed(2)} (${ratio.min.toFixed(2)}–${ratio.max.toFixed(2)})`;

/** @param {Row | undefined} found */
function figure(found) {
  if (found?.value === undefined) return "–";
  const text = shown(found.value.median);
  return found.atMost !== undefined && found.value.median > found.atMost ? `**${text}**` : text;
}

/**
 * How one of ours stands to what it is held against.
 *
 * @param {Row | undefined} found
 * @param {"toFloor" | "toOfficial"} kind
 */
function standing(found, kind) {
  const ratio = range(found?.[kind]);
  const { budget } = found ?? {};
  if (budget === undefined) return ratio;
  return `${budget.plain ? figure(found) : ratio} ${budget.met ? "≤" : "**>**"} ${shown(budget.limit)}`;
}

/** @param {Entry[]} entries */
const serversIn = (entries, /** @type {Report} */ { variants }) =>
  variants.filter(({ name }) => entries.some(({ rows }) => rows.has(name)));

/**
 * A line for each metric, and how ours stand.
 *
 * @param {Entry[]} entries
 * @param {Report} report
 */
function comparison(entries, report) {
  const variants = serversIn(entries, report);
  const ratios = ["tidewire on uWebSockets.js ÷ floor", "tidewire on node:http ÷ official on node:http"];
  return table([
    ["", "unit", ...variants.map(({ title }) => title), ...ratios],
    ...entries.map(({ title, unit, rows }) => [
      title,
      brief(unit),
      ...variants.map(({ name }) => figure(rows.get(name))),
      standing(rows.get(OURS.uws), "toFloor"),
      standing(rows.get(OURS.node), "toOfficial"),
    ]),
  ]);
}

/**
 * The metrics of each workload under its name.
 *
 * @param {Entry[]} entries
 * @param {Report} report
 */
function grouped(entries, report) {
  const variants = serversIn(entries, report);
  /** @type {string[][]} */
  const lines = [];
  let last = "";
  for (const { group, label, unit, rows } of entries) {
    if (group !== last) lines.push([`**${group}**`, "", ...variants.map(() => "")]);
    last = group;
    lines.push([label, brief(unit), ...variants.map(({ name }) => figure(rows.get(name)))]);
  }
  return table([["", "unit", ...variants.map(({ title }) => title)], ...lines]);
}

/** @param {Report} report */
function circumstances(report) {
  const list = Object.entries(report.versions).map(([name, version]) => `${name} ${version}`);
  const missing = report.missing.map((sentence) => `${sentence}\n`).join("");
  return (
    `${report.date.slice(0, 10)}, ${report.mode} run, rounds: ${report.rounds}, medians. ${report.machine}.\n` +
    `Versions: ${list.join("; ")}.\n${missing}`
  );
}

/**
 * @param {Entry[]} entries
 * @param {Report} report
 */
function highlights(entries, report) {
  const chosen = HIGHLIGHTS.flatMap((wanted) =>
    entries.filter(({ workload, metric }) => `${workload} ${metric}` === wanted),
  );
  const columns = report.variants.filter(({ name }) => BRIEF.includes(name));
  return table([
    ["", "unit", ...columns.map(({ title }) => title)],
    ...chosen.map(({ title, unit, rows }) => [
      title,
      brief(unit),
      ...columns.map(({ name }) => figure(rows.get(name))),
    ]),
  ]);
}

/**
 * Replaces what is between the markers of a part.
 *
 * @param {URL} file
 * @param {string} part
 * @param {string} text
 */
function replacePart(file, part, text) {
  const page = readFileSync(file, "utf8");
  const [start, end] = [`<!-- bench:${part} -->`, `<!-- /bench:${part} -->`];
  const from = page.indexOf(start);
  const to = page.indexOf(end);
  if (from === -1 || to < from) throw new Error(`${file.pathname} has no ${start} and ${end}`);
  writeFileSync(file, `${page.slice(0, from + start.length)}\n\n${text.trim()}\n\n${page.slice(to)}`);
}

/**
 * @param {import("./report.mjs").Measured} measured
 * @param {import("../types.d.ts").Workload[]} workloads all that there are
 * @param {import("../types.d.ts").Variant[]} variants likewise
 * @returns {string[]} the parts written
 * @throws {Error} when a part is there by half
 */
export function publish(measured, workloads, variants) {
  const report = reportOf(measured, workloads, variants);
  if (report.mode === "smoke") throw new Error("a smoke run measures nothing that could be published");
  const parts = new Set(report.entries.map(({ workload }) => partOf(workload)));
  const there = new Set(report.entries.map(({ workload }) => workload));
  for (const part of parts) {
    const missing = workloads
      .map(({ name }) => name)
      .filter((name) => partOf(name) === part && !there.has(name));
    if (missing.length > 0) throw new Error(`to publish "${part}" the run needs ${missing.join(", ")} too`);
  }
  for (const part of parts) {
    const entries = report.entries.filter(({ workload }) => partOf(workload) === part);
    const picture = part === "workloads" ? `![${ALT}](performance.svg)\n\n` : "";
    const notes = report.notes
      .filter(({ workload }) => partOf(workload) === part)
      .map(({ text }) => `- ${text}`);
    replacePart(
      PAGE,
      part,
      `${picture}${circumstances(report)}\n${part === "workloads" ? comparison(entries, report) : grouped(entries, report)}\n\n${notes.join("\n")}`,
    );
    if (part !== "workloads") continue;
    writeFileSync(CHART, chart(entries, report));
    replacePart(
      README,
      part,
      `![${ALT}](docs/performance.svg)\n\n${highlights(entries, report)}\n\n${circumstances(report)}`,
    );
  }
  return [...parts];
}
