// Writes the results of a run into README.md and docs/, between markers, and draws the chart.
import { readFileSync, writeFileSync } from "node:fs";
import { chart } from "./chart.mjs";
import {
  entriesOf,
  FLOOR,
  namesOf,
  OFFICIAL,
  OURS,
  shown,
  shownLimit,
  shownRatio,
  summarise,
} from "./report.mjs";

const README = new URL("../../README.md", import.meta.url);
const PAGE = new URL("../../docs/performance.md", import.meta.url);
const MACHINES = new URL("../../docs/several-machines.md", import.meta.url);
const CHART = new URL("../../docs/performance.svg", import.meta.url);
const ALT = "What each server costs, as a multiple of a hand-written floor";

/** Rows of the table in the README, as workload and metric. */
const HIGHLIGHTS = [
  "echo-1 cpu",
  "echo-16 cpu",
  "binary-16 cpu",
  "broadcast-1 cpu1",
  "broadcast-10 cpu10",
  "rooms one",
  "rooms to",
  "polling cpu",
  "connect-websocket cpu",
  "idle rss",
  "idle heap",
  "heartbeat cpu",
];

/** Columns of the README. */
const BRIEF = [OURS.uws, OURS.node, OFFICIAL, "official-uws", "bun", FLOOR, "floor-publish"];
const ABSENT = "not available: ";

/** The part of the page that a workload belongs to. */
const partOf = (workload) =>
  workload.startsWith("scale-") ? "scale" : workload === "slow-readers" ? "slow-readers" : "workloads";

/** @type {(entry?: any) => string[]} */
const none = () => [];

/** A table with a column for each server; `before` and `after` give the other cells of an entry. */
function table(entries, variants, { before, after = none, heads = none() }) {
  const lines = entries.map((entry) => [
    ...before(entry),
    ...variants.map(({ name }) => figure(entry.rows.get(name))),
    ...after(entry),
  ]);
  return markdown(["", "unit", ...variants.map(({ title }) => title), ...heads], lines);
}

function markdown(head, lines) {
  const rule = head.map((_, i) => (i === 0 ? "---" : "---:"));
  return [head, rule, ...lines].map((cells) => `| ${cells.join(" | ")} |`).join("\n");
}

/** The text above the tables says that it is the server's CPU time. */
const brief = (unit) => unit.replace("server CPU ", "");

function figure(row) {
  if (row === undefined) return "";
  if (row.value === undefined) return "–";
  const { median, min, max } = row.value;
  const text = row.value.median > row.atMost ? `**${shown(median)}**` : shown(median);
  // Where a workload runs once, there is no spread.
  return row.rounds > 1 ? `${text} <sub>${shown(min)}–${shown(max)}</sub>` : text;
}

/** The ratios of one of our servers and their limits; without limits, the ratio to another server. */
function standing(row, other, names) {
  if (row?.value === undefined) return "";
  if (row.limits.length === 0)
    return row.ratios[other] ? `${shownRatio(row.ratios[other])} × ${names.get(other)}` : "";
  return row.limits
    .map((limit) => {
      const figure = limit.to === "value" ? shown(row.value.median) : shownRatio(row.ratios[limit.to]);
      return `${figure} ${shownLimit(limit, names)}`;
    })
    .join("<br>");
}

/** A line for each metric, with our ratios and budgets. */
function comparison(entries, variants) {
  const names = namesOf(variants);
  return table(entries, variants, {
    before: ({ title, unit }) => [title, brief(unit)],
    after: ({ rows }) => [
      standing(rows.get(OURS.uws), FLOOR, names),
      standing(rows.get(OURS.node), OFFICIAL, names),
    ],
    heads: ["budgets of tidewire on uWebSockets.js", "budgets of tidewire on node:http"],
  });
}

/** The metrics of each workload under its name. */
function grouped(entries, variants) {
  const lines = entries.flatMap((entry, i) => {
    const isFirst = entry.group !== entries[i - 1]?.group;
    return isFirst ? [{ group: entry.group, rows: new Map() }, entry] : [entry];
  });
  return table(lines, variants, {
    before: ({ group, label, unit }) => (label === undefined ? [`**${group}**`, ""] : [label, brief(unit)]),
  });
}

/** The selected lines and columns of the README. */
function highlights(entries, variants) {
  const chosen = HIGHLIGHTS.flatMap((wanted) =>
    entries.filter(({ workload, metric }) => `${workload} ${metric}` === wanted),
  );
  const columns = variants.filter(({ name }) => BRIEF.includes(name));
  return table(chosen, columns, { before: ({ title, unit }) => [title, brief(unit)] });
}

/** What the README says about the tables. */
function summary(entries) {
  const ratios = (ours, other, isChosen) =>
    entries.filter(isChosen).flatMap(({ rows }) => {
      const [mine, theirs] = [rows.get(ours)?.value, rows.get(other)?.value];
      return mine === undefined || theirs === undefined ? [] : [mine.median / theirs.median];
    });
  const range = (values, form) => [Math.min(...values), Math.max(...values)].map(form).join(" to ");
  const percent = (ratio) => (ratio * 100).toFixed(0);
  const cpu = (ours) =>
    range(
      ratios(ours, OFFICIAL, ({ workload }) => workload !== "idle"),
      percent,
    );
  const memory = (ours) =>
    ratios(ours, OFFICIAL, ({ workload, metric }) => workload === "idle" && metric === "rss")
      .map(percent)
      .join();
  const many = ratios(OURS.uws, "official-uws", ({ workload }) => /^(?:broadcast|rooms)/.test(workload));
  return `Compared with the official server on \`node:http\`, Tidewire uses ${cpu(OURS.uws)} % of the CPU time and ${memory(OURS.uws)} % of the memory per idle
connection on uWebSockets.js, and ${cpu(OURS.node)} % of the CPU time and ${memory(OURS.node)} % of the memory on \`node:http\`. It is closest to the official
server on uWebSockets.js, which skips messages for slow clients: broadcasts and rooms cost ${range(many, (ratio) => ratio.toFixed(2))} times as much as there.`;
}

/** A line for each server and a column for each metric. */
function byServer(entries, variants) {
  const head = ["µs per message", ...entries.map(({ short }) => short)];
  const lines = variants.map(({ name, title }) => [
    title,
    ...entries.map(({ rows }) => figure(rows.get(name))),
  ]);
  return markdown(head, lines);
}

/**
 * Writes the tables of the pairs that broadcast through Redis: those of each host that was measured.
 *
 * @returns the names of the written parts
 */
function publishPairs(run, workloads, variants, circumstances) {
  const measured = workloads.filter(
    ({ name, pair }) => pair === "redis" && run.cells.some(({ workload }) => workload === name),
  );
  return /** @type {const} */ (["uws", "node"]).flatMap((host) => {
    const servers = variants.filter((each) => each.host === host && each.pair?.includes("redis"));
    if (measured.length === 0 || servers.length === 0) return [];
    const rows = summarise(measured, servers, run.cells);
    const part = `redis-${host}`;
    replacePart(
      MACHINES,
      part,
      `${byServer(entriesOf(run.mode, measured, rows), servers)}\n\n${circumstances}`,
    );
    return [part];
  });
}

/** Replaces the text between the markers of a part. */
function replacePart(file, part, text) {
  const page = readFileSync(file, "utf8");
  const [start, end] = [`<!-- bench:${part} -->`, `<!-- /bench:${part} -->`];
  const from = page.indexOf(start);
  const to = page.indexOf(end);
  if (from === -1 || to < from) throw new Error(`${file.pathname} has no ${start} and ${end}`);
  writeFileSync(file, `${page.slice(0, from + start.length)}\n\n${text.trim()}\n\n${page.slice(to)}`);
}

/**
 * @param run a run in the format of `--json`
 * @param workloads all workloads
 * @param allVariants all servers
 * @returns the names of the written parts
 * @throws {Error} if the run has only some workloads of a part
 */
export function publish(run, workloads, allVariants) {
  if (run.mode === "smoke") throw new Error("a smoke run measures nothing that could be published");
  // From the figures of each round, so that a saved run is judged by the budgets of today.
  const rows = summarise(workloads, allVariants, run.cells);
  // Pairs have tables of their own, or none.
  const published = workloads.filter(({ pair }) => pair === undefined);
  const measured = published.filter(({ name }) => run.cells.some(({ workload }) => workload === name));
  const parts = new Set(measured.map(({ name }) => partOf(name)));
  const missing = published.filter(
    (workload) => parts.has(partOf(workload.name)) && !measured.includes(workload),
  );
  if (missing.length > 0)
    throw new Error(`to publish this the run needs ${missing.map(({ name }) => name).join(", ")} too`);

  const titles = new Map(allVariants.map(({ name, title }) => [name, title]));
  const absent = new Map(
    run.cells.flatMap(({ variant, error }) =>
      error?.startsWith(ABSENT) ? [[variant, error.slice(ABSENT.length)]] : [],
    ),
  );
  const variants = allVariants.filter(
    ({ name }) => run.cells.some(({ variant }) => variant === name) && !absent.has(name),
  );
  const versions = Object.entries(run.versions).map(([name, version]) => `${name} ${version}`);
  const circumstances = [
    `${run.date.slice(0, 10)}, ${run.mode} run, rounds: ${run.rounds}; medians, each with the smallest and the largest. ${run.machine}.`,
    `Versions: ${versions.join("; ")}.`,
    ...[...absent].map(([name, reason]) => `Not measured: ${titles.get(name)}; ${reason}.`),
  ].join("\n");
  const all = entriesOf(run.mode, measured, rows);

  for (const part of parts) {
    const entries = all.filter(({ workload }) => partOf(workload) === part);
    const notes = run.cells.flatMap(({ workload, variant, notes: texts = [] }) =>
      partOf(workload) === part ? texts.map((text) => `- ${workload}, ${titles.get(variant)}: ${text}`) : [],
    );
    const isMain = part === "workloads";
    replacePart(
      PAGE,
      part,
      `${isMain ? `![${ALT}](performance.svg)\n\n` : ""}${circumstances}\n\n` +
        `${isMain ? comparison(entries, variants) : grouped(entries, variants)}\n\n${[...new Set(notes)].join("\n")}`,
    );
    if (!isMain) continue;
    writeFileSync(CHART, chart(entries, run));
    replacePart(README, "summary", summary(entries));
    const picture = `![${ALT}](docs/performance.svg)`;
    replacePart(README, part, `${picture}\n\n${highlights(entries, variants)}\n\n${circumstances}`);
  }
  return [...parts, ...publishPairs(run, workloads, variants, circumstances)];
}
