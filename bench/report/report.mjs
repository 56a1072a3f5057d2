// Tables of what was measured: median, minimum and maximum over the rounds, and the ratios to the floor and to the
// official server, each taken within one round.

/** @typedef {import("../types.d.ts").Cell} Cell */
/** @typedef {import("../types.d.ts").Variant} Variant */
/** @typedef {import("../types.d.ts").Workload} Workload */

export const FLOOR = "floor-uws";
export const OFFICIAL = "official-ws";
export const OURS = { uws: "tidewire-uws", node: "tidewire-node" };

/**
 * @typedef {object} Spread
 * @property {number} median
 * @property {number} min
 * @property {number} max
 */

/**
 * @param {number[]} values
 * @returns {Spread | undefined} undefined when there are none
 */
export function spread(values) {
  const sorted = values.toSorted((a, b) => a - b);
  const [min] = sorted;
  const max = sorted.at(-1);
  if (min === undefined || max === undefined) return undefined;
  const middle = sorted.length / 2;
  const median = (sorted[Math.ceil(middle) - 1] + sorted[Math.floor(middle)]) / 2;
  return { median, min, max };
}

/**
 * @param {Cell[]} cells of one workload
 * @param {string} variant
 * @param {string} key
 * @returns {Map<number, number>} figure by round
 */
function figures(cells, variant, key) {
  const byRound = new Map();
  for (const cell of cells) {
    const figure = cell.variant === variant ? cell.figures?.[key] : undefined;
    if (figure !== undefined) byRound.set(cell.round, figure);
  }
  return byRound;
}

/**
 * @param {Map<number, number>} own
 * @param {Map<number, number>} other
 */
function ratios(own, other) {
  return spread(
    [...own].flatMap(([round, figure]) => {
      const base = other.get(round);
      return base === undefined || base <= 0 ? [] : [figure / base];
    }),
  );
}

/**
 * What a figure of ours is held against, and whether its median is within that.
 *
 * @param {string} variant
 * @param {import("../types.d.ts").Metric["budget"]} budget
 * @param {Record<"value" | "toFloor" | "toOfficial", Spread | undefined>} found
 */
function judged(variant, budget, { value, toFloor, toOfficial }) {
  if (budget === undefined || (variant !== OURS.uws && variant !== OURS.node)) return undefined;
  const onUws = variant === OURS.uws;
  const limit = onUws ? budget.uws : budget.node;
  const figure = budget.plain ? value : onUws ? toFloor : toOfficial;
  return figure === undefined
    ? undefined
    : { limit, met: figure.median <= limit, plain: budget.plain === true };
}

/**
 * One row per workload, metric and variant, as `--json` writes them.
 *
 * @param {Workload[]} workloads
 * @param {Variant[]} variants
 * @param {Cell[]} cells
 */
export function summarise(workloads, variants, cells) {
  return workloads.flatMap((workload) => {
    const own = cells.filter((cell) => cell.workload === workload.name);
    return workload.metrics.flatMap(({ key, unit, budget, absolute, atMost }) =>
      variants.map((variant) => {
        const values = figures(own, variant.name, key);
        const errors = own.flatMap(({ variant: name, error }) =>
          name === variant.name && error !== undefined ? [error] : [],
        );
        const value = spread([...values.values()]);
        const toFloor = absolute ? undefined : ratios(values, figures(own, FLOOR, key));
        const toOfficial = absolute ? undefined : ratios(values, figures(own, OFFICIAL, key));
        return {
          workload: workload.name,
          metric: key,
          unit,
          atMost,
          variant: variant.name,
          rounds: values.size,
          value,
          toFloor,
          toOfficial,
          budget: judged(variant.name, budget, { value, toFloor, toOfficial }),
          failures: errors.length,
          error: errors[0],
        };
      }),
    );
  });
}

/** @typedef {ReturnType<typeof summarise>[number]} Row */

/**
 * One line of the tables: a metric of a workload, and its rows by server.
 *
 * @typedef {object} Entry
 * @property {string} workload
 * @property {string} metric
 * @property {string} title
 * @property {string} group the part of the title that metrics of the workload have in common
 * @property {string} label the other part
 * @property {string} unit
 * @property {Map<string, Row>} rows
 */

/**
 * A run, as `--json` keeps it.
 *
 * @typedef {object} Measured
 * @property {string} date
 * @property {import("../types.d.ts").Mode} mode
 * @property {number} rounds
 * @property {string} machine
 * @property {Record<string, string>} versions
 * @property {Row[]} rows
 * @property {Cell[]} cells
 */

/**
 * A run, as it is published.
 *
 * @typedef {Omit<Measured, "rows" | "cells"> & {
 *   variants: { name: string, title: string }[],
 *   missing: string[],
 *   notes: { workload: string, text: string }[],
 *   entries: Entry[],
 * }} Report `variants` were measured; `missing` says why others were not, a sentence each
 */

/**
 * @param {Measured} measured
 * @param {Workload[]} workloads all that there are
 * @param {Variant[]} variants likewise
 * @returns {Report}
 */
export function reportOf({ rows, cells, ...circumstances }, workloads, variants) {
  const titles = new Map(variants.map(({ name, title }) => [name, title]));
  const absent = "not available: ";
  const missing = new Map(
    rows.flatMap(({ variant, error }) =>
      error?.startsWith(absent) ? [[variant, error.slice(absent.length)]] : [],
    ),
  );
  return {
    ...circumstances,
    variants: variants.filter(({ name }) => rows.some((row) => row.variant === name) && !missing.has(name)),
    missing: [...missing].map(([name, reason]) => `Not measured: ${titles.get(name)}; ${reason}.`),
    notes: notesOf(cells, titles),
    entries: entriesOf(
      circumstances.mode,
      workloads.filter(({ name }) => rows.some((row) => row.workload === name)),
      rows,
    ),
  };
}

/**
 * What a metric is a figure of.
 *
 * @param {import("../types.d.ts").Mode} mode
 * @param {Workload} workload
 * @param {import("../types.d.ts").Metric} metric
 */
const titleOf = (mode, workload, { title }) =>
  [workload.title(workload.sizes[mode]), title].filter((text) => text !== undefined).join(", ");

/**
 * @param {import("../types.d.ts").Mode} mode
 * @param {Workload[]} workloads
 * @param {Row[]} rows
 * @returns {Entry[]}
 */
function entriesOf(mode, workloads, rows) {
  return workloads.flatMap((workload) =>
    workload.metrics.map((metric) => {
      const own = rows.filter((row) => row.workload === workload.name && row.metric === metric.key);
      return {
        workload: workload.name,
        metric: metric.key,
        title: titleOf(mode, workload, metric),
        group: workload.title(workload.sizes[mode]),
        label: metric.title ?? "",
        unit: metric.unit,
        rows: new Map(own.map((row) => [row.variant, row])),
      };
    }),
  );
}

/**
 * What was said beside the figures, each sentence once.
 *
 * @param {Cell[]} cells
 * @param {Map<string, string>} titles of the servers
 */
function notesOf(cells, titles) {
  const said = new Map();
  for (const { workload, variant, notes = [] } of cells) {
    for (const note of notes) {
      const text = `${workload}, ${titles.get(variant) ?? variant}: ${note}`;
      said.set(text, { workload, text });
    }
  }
  return [...said.values()];
}

/** @param {number} value */
export function shown(value) {
  if (Math.abs(value) >= 100) return value.toFixed(0);
  return value.toFixed(Math.abs(value) >= 10 ? 1 : 2);
}

/** @param {Spread | undefined} ratio */
const shownRatio = (ratio) =>
  ratio === undefined ? "" : `${ratio.median.toFixed(2)} (${ratio.min.toFixed(2)}–${ratio.max.toFixed(2)})`;

/**
 * @param {Row} row
 * @param {Map<string, string>} titles
 */
function line(row, titles) {
  const title = titles.get(row.variant) ?? row.variant;
  if (row.value === undefined) return [title, row.error?.split("\n")[0] ?? "not measured"];
  const { median, min, max } = row.value;
  const beyond = row.atMost !== undefined && median > row.atMost ? `  more than ${row.atMost}` : "";
  const { budget } = row;
  const within =
    budget === undefined ? "" : `  budget ${shown(budget.limit)}: ${budget.met ? "met" : "MISSED"}`;
  const failures = `${within}${beyond}${row.failures === 0 ? "" : `  failed in ${row.failures} more`}`;
  const compared = [shownRatio(row.toFloor), `${shownRatio(row.toOfficial)}${failures}`];
  return [title, shown(median), shown(min), shown(max), ...compared];
}

/**
 * @param {import("../types.d.ts").Mode} mode
 * @param {Workload[]} workloads
 * @param {Variant[]} variants
 * @param {Row[]} rows
 * @returns {string}
 */
export function tables(mode, workloads, variants, rows) {
  const titles = new Map(variants.map((variant) => [variant.name, variant.title]));
  const wide = Math.max(...variants.map((variant) => variant.title.length));
  const blocks = workloads.flatMap((workload) =>
    workload.metrics.map((metric) => {
      const { key, unit } = metric;
      const head = ["", "median", "min", "max", "× floor (min–max)", "× official (min–max)"];
      const own = rows.filter((row) => row.workload === workload.name && row.metric === key);
      const lines = [head, ...own.map((row) => line(row, titles))].map((columns) => {
        const [title = "", ...rest] = columns;
        // A reason in words is one column, to be read from its beginning.
        const cells = rest.length === 1 ? rest : rest.map((text, i) => text.padStart(i < 3 ? 8 : 22));
        return `  ${title.padEnd(wide)}  ${cells.join("")}`.trimEnd();
      });
      const what = titleOf(mode, workload, metric);
      return `${what}: ${unit} [${workload.name}]\n${lines.join("\n")}`;
    }),
  );
  return blocks.join("\n\n");
}

/**
 * What worked and what did not, for a run whose figures mean nothing.
 *
 * @param {Workload[]} workloads
 * @param {Cell[]} cells
 * @returns {string}
 */
export function outcomes(workloads, cells) {
  return workloads
    .map(({ name }) => {
      const own = cells.filter((cell) => cell.workload === name);
      return `${name}\n${own.map((cell) => `  ${cell.variant}: ${cell.error ?? "works"}`).join("\n")}`;
    })
    .join("\n");
}
