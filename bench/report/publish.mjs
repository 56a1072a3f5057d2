// Writes the results of a run into README.md and docs/, between markers, and draws the chart.
import { writeFileSync } from "node:fs";
import { chart } from "./chart.mjs";
import { replacePart } from "./parts.mjs";
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
const PROCESSES = new URL("../../docs/several-processes.md", import.meta.url);
const INSPECTOR = new URL("../../docs/inspector.md", import.meta.url);
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

// Versions that matter to some tables.
const UWS = "uWebSockets.js (as uws-pack)";
const ADAPTER = "socket.io-adapter";
const REDIS = [
  "@socket.io/redis-adapter",
  "@socket.io/redis-streams-adapter",
  "redis (client)",
  "redis-server",
];

/** The hosts of the pairs that broadcast through Redis, each with its package. */
const REDIS_HOSTS = /** @type {const} */ ([
  { host: "uws", on: UWS },
  { host: "node", on: "ws" },
]);

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
  return row.limits.map((limit) => shownLimit(limit, names)).join("<br>");
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

/** A line for each metric, with the budget of the servers that share their clients. */
function besideLocal(entries, variants) {
  const names = namesOf(variants);
  return table(entries, variants, {
    before: ({ title, unit }) => [title, brief(unit)],
    after: ({ rows }) => [standing(rows.get(OURS.cluster), "pair-alone", names)],
    heads: ["budgets of tidewire with cluster()"],
  });
}

/** A line for each server and a column for each metric, and below them our ratios to those that have a budget. */
function byServer(entries, variants) {
  const head = ["µs per message", ...entries.map(({ short }) => short)];
  const lines = variants.map(({ name, title }) => [
    title,
    ...entries.map(({ rows }) => figure(rows.get(name))),
  ]);
  const names = namesOf(variants);
  const ours = variants.find(({ name }) => name === OURS.redis || name === OURS.redisNode);
  const limitsOf = ({ rows }) => rows.get(ours?.name)?.limits ?? [];
  const others = new Set(entries.flatMap((entry) => limitsOf(entry).map(({ to }) => to)));
  const ratios = [...others].map((other) => [
    `${names.get(ours?.name)} ÷ ${names.get(other)}`,
    ...entries.map((entry) => limitsOf(entry).flatMap((limit) => (limit.to === other ? inCell(limit) : []))),
  ]);
  const legend =
    ratios.length === 0 ? "" : "\n\n÷: ratios within one round, and their limit; **>** marks a missed one.";
  return markdown(head, [...lines, ...ratios]) + legend;
}

/** A ratio and its limit, without the name of the other server. */
const inCell = ({ figure: { median, min, max }, limit, met }) => {
  const spread = min === max ? "" : ` <sub>${min.toFixed(2)}–${max.toFixed(2)}</sub>`;
  return `${median.toFixed(2)}${spread} ${met ? "≤" : "**>**"} ${shown(limit)}`;
};

/**
 * @typedef Table
 * @property {string} part
 * @property {URL} file
 * @property {(workload: Workload) => boolean} measures
 * @property {(variant: Variant) => boolean} has
 * @property {(entries: any[], variants: Variant[]) => string} form
 * @property {string[]} versions those that matter
 * @property {string} [placement] where the servers ran, unless on one core
 */

/**
 * The workloads and the servers of pairs.
 *
 * @param {Shared} shares
 * @param {"uws" | "node"} [host]
 * @returns {Pick<Table, "measures" | "has">}
 */
const sharing = (shares, host) => ({
  measures: ({ pair }) => pair === shares,
  has: ({ pair, host: own }) => pair?.includes(shares) === true && (host === undefined || own === host),
});

/** The tables of pages about one thing, each with its workloads and servers. @type {Table[]} */
const TABLES = [
  {
    part: "forwarding",
    file: PROCESSES,
    ...sharing("sessions"),
    form: besideLocal,
    versions: ["tidewire", UWS],
  },
  {
    part: "cluster-broadcast",
    file: PROCESSES,
    ...sharing("broadcasts"),
    form: besideLocal,
    versions: ["tidewire", "socket.io", ADAPTER, UWS],
  },
  {
    part: "workers",
    file: PROCESSES,
    ...sharing("workers"),
    form: grouped,
    versions: ["tidewire", UWS],
    placement: "servers on all cores",
  },
  ...REDIS_HOSTS.map(({ host, on }) => ({
    part: `redis-${host}`,
    file: MACHINES,
    ...sharing("redis", host),
    form: byServer,
    versions: ["tidewire", "socket.io", on, ...REDIS],
  })),
  {
    part: "inspector",
    file: INSPECTOR,
    measures: ({ name }) => name === "inspector",
    has: ({ name }) => name === OURS.uws || name === OURS.node,
    form: grouped,
    versions: ["tidewire", UWS, "ws"],
  },
];

/**
 * Writes the tables whose workloads were measured.
 *
 * @returns the names of the written parts
 * @throws {Error} if the run has only some workloads or servers of a part
 */
function publishTables(run, workloads, variants) {
  const absent = absentIn(run);
  const isMeasured = (workload, variant) =>
    run.cells.some((cell) => cell.workload === workload && cell.variant === variant);
  return TABLES.flatMap(({ part, file, measures, has, form, versions, placement }) => {
    const own = workloads.filter(measures);
    const servers = variants.filter(has);
    const needed = own.flatMap(({ name }) => servers.map((server) => [name, server.name]));
    const missing = needed.filter(([workload, variant]) => !isMeasured(workload, variant));
    if (missing.length === needed.length) return [];
    if (missing.length > 0) {
      const names = missing.map(([workload, variant]) => `${workload} on ${variant}`);
      throw new Error(`to publish ${part} the run needs ${names.join(", ")} too`);
    }
    const present = servers.filter(({ name }) => !absent.has(name));
    const entries = entriesOf(run.mode, own, summarise(own, present, run.cells));
    const circumstances = circumstancesOf(run, servers, versions, placement);
    replacePart(file, part, `${form(entries, present)}\n\n${circumstances}`);
    return [part];
  });
}

/** Why servers could not be measured, by their names. */
const absentIn = (run) =>
  new Map(
    run.cells.flatMap(({ variant, error }) =>
      error?.startsWith(ABSENT) ? [[variant, error.slice(ABSENT.length)]] : [],
    ),
  );

/**
 * When, where and how a run was measured.
 *
 * @param servers those of the table
 * @param named the packages whose versions matter
 * @param [placement] where the servers ran, unless on one core
 */
function circumstancesOf(run, servers, named, placement) {
  const absent = absentIn(run);
  const spread = run.rounds > 1 ? "medians, each with the smallest and the largest" : "one figure each";
  const machine = placement === undefined ? run.machine : `${run.machine.split(";")[0]}; ${placement}`;
  const versions = named.flatMap((name) => (name in run.versions ? [`${name} ${run.versions[name]}`] : []));
  return [
    `${run.date.slice(0, 10)}, ${run.mode} run, rounds: ${run.rounds}; ${spread}. ${machine}.`,
    `Versions: ${versions.join("; ")}.`,
    ...servers.flatMap(({ name, title }) =>
      absent.has(name) ? [`Not measured: ${title}; ${absent.get(name)}.`] : [],
    ),
  ].join("\n");
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
  // Others have tables of their own.
  const published = workloads.filter((workload) => !TABLES.some(({ measures }) => measures(workload)));
  const measured = published.filter(({ name }) => run.cells.some(({ workload }) => workload === name));
  const parts = new Set(measured.map(({ name }) => partOf(name)));
  const missing = published.filter(
    (workload) => parts.has(partOf(workload.name)) && !measured.includes(workload),
  );
  if (missing.length > 0)
    throw new Error(`to publish this the run needs ${missing.map(({ name }) => name).join(", ")} too`);

  const titles = new Map(allVariants.map(({ name, title }) => [name, title]));
  const absent = absentIn(run);
  const variants = allVariants.filter(
    ({ name }) => run.cells.some(({ variant }) => variant === name) && !absent.has(name),
  );
  const isForPairs = (name) => name === ADAPTER || REDIS.includes(name);
  const circumstances = circumstancesOf(
    run,
    allVariants,
    Object.keys(run.versions).filter((name) => !isForPairs(name)),
  );
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
  const written = [...parts, ...publishTables(run, workloads, allVariants)];
  if (written.length === 0) throw new Error("the run has nothing that is published");
  return written;
}
