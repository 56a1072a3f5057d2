import type { LoadOptions } from "../commands/load-options.ts";
import type { Style } from "../output/style.ts";
import type { Latencies, Percentiles } from "./latencies.ts";
import type { Measurement } from "./measurement.ts";

const CHART_WIDTH = 40;
const LABEL_WIDTH = 14;
const COLUMN_WIDTH = 11;
/** From here on the figures say as much about this machine as about the server, in ms. */
const LATE = 100;

/** The results for people. */
export function reportLines(options: LoadOptions, measurement: Measurement, style: Style): string[] {
  const { connect, acks, errors, sent, lateness } = measurement;
  const used = [...measurement.transports].map(([name, count]) => `${count} ${name}`).join(", ");
  const lines = [
    row(
      "connections",
      `${connect.count} of ${options.connections}${used === "" ? "" : `; at the end ${used}`}`,
    ),
  ];
  if (options.event !== undefined)
    lines.push(row("events", `${acks.count} of ${sent} acknowledged, ${perSecond(measurement)} per second`));
  if (errors.size === 0) lines.push(row("errors", style.good("none")));
  [...errors].forEach(([kind, count], index) =>
    lines.push(row(index === 0 ? "errors" : "", style.bad(`${count} × ${kind}`))),
  );
  if (lateness > LATE)
    lines.push(
      row("note", style.hint(`this machine was busy: events left up to ${milliseconds(lateness)} late`)),
    );
  lines.push(
    "",
    row(
      "",
      ["p50", "p95", "p99", "max"]
        .map((name) => name.padEnd(COLUMN_WIDTH))
        .join("")
        .trimEnd(),
    ),
  );
  for (const [name, latencies] of [
    ["connect", connect],
    ["acknowledge", acks],
  ] as const) {
    const percentiles = latencies.percentiles();
    if (percentiles !== undefined) lines.push(row(name, columns(percentiles)));
  }
  return [...lines, "", ...chart(acks.count > 0 ? acks : connect, style)];
}

function row(label: string, text: string): string {
  return `${label.padEnd(LABEL_WIDTH)}${text}`;
}

function columns({ p50, p95, p99, max }: Percentiles): string {
  return [p50, p95, p99, max]
    .map((ms) => milliseconds(ms).padEnd(COLUMN_WIDTH))
    .join("")
    .trimEnd();
}

function milliseconds(ms: number): string {
  return ms >= 1000 ? `${(ms / 1000).toFixed(2)} s` : `${ms.toFixed(ms < 10 ? 2 : 0)} ms`;
}

function perSecond({ acks, emitting }: Measurement): number {
  return Math.round(acks.count / (emitting / 1000));
}

function chart(latencies: Latencies, { strong }: Style): string[] {
  const bars = latencies.bars();
  const highest = Math.max(...bars.map(({ count }) => count));
  return bars.map(({ upTo, count }) => {
    const label = upTo === Infinity ? "longer" : `≤ ${upTo < 1000 ? `${upTo} ms` : `${upTo / 1000} s`}`;
    const length = count === 0 ? 0 : Math.max(1, Math.round((count / highest) * CHART_WIDTH));
    const share = ((count / latencies.count) * 100).toFixed(1);
    return `${row(label, strong("█".repeat(length)))} ${count} (${share} %)`;
  });
}

/** The results for programs. Times are in ms. */
export function asObject(options: LoadOptions, measurement: Measurement): Record<string, unknown> {
  const { connect, acks, errors, transports, sent } = measurement;
  return {
    connections: { wanted: options.connections, connected: connect.count, latency: connect.percentiles() },
    transports: Object.fromEntries(transports),
    ...(options.event === undefined
      ? {}
      : {
          events: {
            sent,
            acknowledged: acks.count,
            perSecond: perSecond(measurement),
            latency: acks.percentiles(),
            // The last bar has no upper bound, which JSON writes as null.
            chart: acks.bars(),
          },
        }),
    errors: Object.fromEntries(errors),
  };
}
