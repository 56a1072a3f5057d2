// The tables of a run: median, minimum and maximum over the rounds, and the ratios to other servers, each taken within one round.

export const FLOOR = "floor-uws";
export const OFFICIAL = "official-ws";
export const OURS = {
  uws: "tidewire-uws",
  node: "tidewire-node",
  cluster: "pair-cluster",
  redis: "redis-uws-tidewire",
  redisNode: "redis-node-tidewire",
};

/** Median, minimum and maximum; undefined when there are no values. */
function spread(values) {
  if (values.length === 0) return undefined;
  const sorted = values.toSorted((a, b) => a - b);
  const middle = sorted.length / 2;
  const median = (sorted[Math.ceil(middle) - 1] + sorted[Math.floor(middle)]) / 2;
  return { median, min: sorted[0], max: sorted.at(-1) };
}

/**
 * The limits of a figure of ours, each with what it limits: the figure, its ratio to that of another server, or what it adds to that.
 * Those to servers that were not measured are left out.
 *
 * @param {string} variant
 * @param {Metric["budget"]} budget
 * @param comparedWith gets another server, and a function of both figures of a round
 */
function judged(variant, budget, value, comparedWith) {
  const [, limits = {}] = Object.entries(budget ?? {}).find(([ours]) => OURS[ours] === variant) ?? [];
  return Object.entries(limits).flatMap(([to, given]) => {
    const isMore = typeof given === "object";
    const limit = isMore ? given.more : given;
    const figure = to === "value" ? value : comparedWith(to, isMore ? difference : ratio);
    return figure === undefined ? [] : [{ to, limit, isMore, figure, met: figure.median <= limit }];
  });
}

const ratio = (figure, base) => figure / base;
const difference = (figure, base) => figure - base;

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
        const comparedWith = (other, compare) =>
          spread(
            measured.flatMap(({ round, figures }) => {
              const base = absolute ? undefined : figureIn(other, round);
              return base > 0 ? [compare(figures[key], base)] : [];
            }),
          );
        const value = spread(measured.map(({ figures }) => figures[key]));
        const ratios = Object.fromEntries(
          variants.map((other) => [other.name, comparedWith(other.name, ratio)]),
        );
        const errors = mine.flatMap(({ error }) => error ?? []);
        return {
          workload: workload.name,
          metric: key,
          unit,
          atMost,
          variant: name,
          rounds: measured.length,
          value,
          ratios,
          limits: judged(name, budget, value, comparedWith),
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
    workload.metrics.map(({ key, unit, title: label = "", short = label }) => {
      const group = workload.title(workload.sizes[mode]);
      const own = rows.filter((row) => row.workload === workload.name && row.metric === key);
      return {
        workload: workload.name,
        metric: key,
        title: label === "" ? group : `${group}, ${label}`,
        group,
        label,
        short,
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

/** A figure and its limit: "1.02 (1.00–1.05) ≤ 1.03 × floor", or "+1.50 (+0.82 to +1.98) ≤ +20.0 over local". */
export function shownLimit({ to, limit, isMore, figure, met }, names) {
  const sign = met ? "≤" : "**>**";
  if (to === "value") return `${shown(figure.median)} ${sign} ${shown(limit)}`;
  if (!isMore) return `${shownRatio(figure)} ${sign} ${shown(limit)} × ${names.get(to)}`;
  const [median, min, max] = [figure.median, figure.min, figure.max].map(signed);
  return `${median} (${min} to ${max}) ${sign} ${signed(limit)} over ${names.get(to)}`;
}

const signed = (value) => `${value < 0 ? "−" : "+"}${shown(Math.abs(value))}`;

/** The names of servers in budgets. */
export const namesOf = (variants) => new Map(variants.map(({ name, title, short = title }) => [name, short]));

function columnsOf({ value, error, limits, atMost, failures, ratios }, names) {
  // A reason is one column.
  if (value === undefined) return [error?.split("\n")[0] ?? "not measured"];
  const remarks = [
    ...limits.map((limit) => shownLimit(limit, names)),
    value.median > atMost && `more than ${atMost}`,
    failures > 0 && `failed in ${failures} more`,
  ].filter(Boolean);
  const figures = [value.median, value.min, value.max].map((figure) => shown(figure).padStart(8));
  const columns = [FLOOR, OFFICIAL].map((other) => shownRatio(ratios[other]).padStart(22));
  return [...figures, ...columns, ...remarks];
}

/** The tables for the terminal. */
export function tables(mode, workloads, variants, rows) {
  const wide = Math.max(...variants.map(({ title }) => title.length));
  const names = namesOf(variants);
  const heads = ["median", "min", "max"].map((text) => text.padStart(8));
  const head = ["  ".padEnd(wide + 2), ...heads, "   × floor (min–max)  ", "× official (min–max)"].join("  ");
  const blocks = entriesOf(mode, workloads, rows).map((entry) => {
    const lines = variants.flatMap(({ name, title }) => {
      const row = entry.rows.get(name);
      if (row === undefined || row.rounds + row.failures === 0) return [];
      return [`  ${title.padEnd(wide)}  ${columnsOf(row, names).join("  ")}`.trimEnd()];
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
