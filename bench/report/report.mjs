// The tables of a run: median, minimum and maximum over the rounds, and the ratios to the floor and to the official server, each
// taken within one round.

export const FLOOR = "floor-uws";
export const OFFICIAL = "official-ws";
export const OURS = { uws: "tidewire-uws", node: "tidewire-node" };

/** Median, minimum and maximum; undefined when there are no values. */
function spread(values) {
  if (values.length === 0) return undefined;
  const sorted = values.toSorted((a, b) => a - b);
  const middle = sorted.length / 2;
  const median = (sorted[Math.ceil(middle) - 1] + sorted[Math.floor(middle)]) / 2;
  return { median, min: sorted[0], max: sorted.at(-1) };
}

/** The budget of a figure of ours, and whether its median meets it. */
function judged(variant, budget, { value, toFloor, toOfficial }) {
  const onUws = variant === OURS.uws;
  if (budget === undefined || (!onUws && variant !== OURS.node)) return undefined;
  const limit = onUws ? budget.uws : budget.node;
  const figure = budget.plain ? value : onUws ? toFloor : toOfficial;
  return figure && { limit, met: figure.median <= limit, plain: budget.plain === true };
}

/** One row per workload, metric and variant, as `--json` writes them. */
export function summarise(workloads, variants, cells) {
  return workloads.flatMap((workload) => {
    const own = cells.filter((cell) => cell.workload === workload.name);
    return workload.metrics.flatMap(({ key, unit, budget, absolute, atMost }) => {
      const figureIn = (variant, round) =>
        own.find((cell) => cell.variant === variant && cell.round === round)?.figures?.[key];
      return variants.map(({ name }) => {
        const mine = own.filter((cell) => cell.variant === name);
        const measured = mine.filter(({ figures }) => figures?.[key] !== undefined);
        const ratioTo = (other) =>
          spread(
            measured.flatMap(({ round, figures }) => {
              const base = absolute ? undefined : figureIn(other, round);
              return base > 0 ? [figures[key] / base] : [];
            }),
          );
        const found = {
          value: spread(measured.map(({ figures }) => figures[key])),
          toFloor: ratioTo(FLOOR),
          toOfficial: ratioTo(OFFICIAL),
        };
        const errors = mine.flatMap(({ error }) => error ?? []);
        return {
          workload: workload.name,
          metric: key,
          unit,
          atMost,
          variant: name,
          rounds: measured.length,
          ...found,
          budget: judged(name, budget, found),
          failures: errors.length,
          error: errors[0],
        };
      });
    });
  });
}

/** The lines of the tables: each metric of the workloads with its title, and its rows by server. */
export function entriesOf(mode, workloads, rows) {
  return workloads.flatMap((workload) =>
    workload.metrics.map(({ key, unit, title: label = "" }) => {
      const group = workload.title(workload.sizes[mode]);
      const own = rows.filter((row) => row.workload === workload.name && row.metric === key);
      return {
        workload: workload.name,
        metric: key,
        title: label === "" ? group : `${group}, ${label}`,
        group,
        label,
        unit,
        rows: new Map(own.map((row) => [row.variant, row])),
      };
    }),
  );
}

export function shown(value) {
  if (Math.abs(value) >= 100) return value.toFixed(0);
  return value.toFixed(Math.abs(value) >= 10 ? 1 : 2);
}

export const shownRatio = (ratio) =>
  ratio === undefined ? "" : `${ratio.median.toFixed(2)} (${ratio.min.toFixed(2)}–${ratio.max.toFixed(2)})`;

function columnsOf({ value, error, budget, atMost, failures, toFloor, toOfficial }) {
  // A reason is one column.
  if (value === undefined) return [error?.split("\n")[0] ?? "not measured"];
  const remarks = [
    budget && `budget ${shown(budget.limit)}: ${budget.met ? "met" : "MISSED"}`,
    value.median > atMost && `more than ${atMost}`,
    failures > 0 && `failed in ${failures} more`,
  ].filter(Boolean);
  const figures = [value.median, value.min, value.max].map((figure) => shown(figure).padStart(8));
  return [...figures, ...[toFloor, toOfficial].map((ratio) => shownRatio(ratio).padStart(22)), ...remarks];
}

/** The tables for the terminal. */
export function tables(mode, workloads, variants, rows) {
  const wide = Math.max(...variants.map(({ title }) => title.length));
  const heads = ["median", "min", "max"].map((text) => text.padStart(8));
  const head = ["  ".padEnd(wide + 2), ...heads, "   × floor (min–max)  ", "× official (min–max)"].join("  ");
  const blocks = entriesOf(mode, workloads, rows).map((entry) => {
    const lines = variants.flatMap(({ name, title }) => {
      const row = entry.rows.get(name);
      return row === undefined ? [] : [`  ${title.padEnd(wide)}  ${columnsOf(row).join("  ")}`.trimEnd()];
    });
    return [`${entry.title}: ${entry.unit} [${entry.workload}]`, head, ...lines].join("\n");
  });
  return blocks.join("\n\n");
}

/** Which measurements worked, for a smoke run. */
export function outcomes(workloads, cells) {
  const linesOf = (name) =>
    cells.flatMap(({ workload, variant, error }) =>
      workload === name ? [`  ${variant}: ${error ?? "works"}`] : [],
    );
  return workloads.map(({ name }) => [name, ...linesOf(name)].join("\n")).join("\n");
}
