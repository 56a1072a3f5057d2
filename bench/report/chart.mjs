// Draws the chart of a run: a row for each workload, and each server's cost as a multiple of the floor.
import { FLOOR, OURS } from "./report.mjs";

const WIDTH = 860;
const LEFT = 345;
const RIGHT = 20;
const TOP = 92;
const ROW = 24;
const BOTTOM = 46;
const FLOOR_AT_LEAST = 0.8;

/** The marks of the servers: a CSS class and a shape around (0, 0). */
const MARKS = [
  { name: OURS.uws, label: "tidewire, uWebSockets.js", style: "ours", shape: '<circle r="6"/>' },
  { name: OURS.node, label: "tidewire, node:http", style: "node", shape: '<circle r="5"/>' },
  {
    name: "official-ws",
    label: "official, node:http",
    style: "official",
    shape: '<path d="M0-6 6 0 0 6-6 0Z"/>',
  },
  {
    name: "official-uws",
    label: "official, uWebSockets.js",
    style: "uws",
    shape: '<path d="M0-6 6 5H-6Z"/>',
  },
  { name: "bun", label: "official, Bun", style: "bun", shape: '<path d="M-4.5-4.5h9v9h-9Z"/>' },
  { name: "floor-publish", label: "publish() by hand", style: "publish", shape: '<path d="M0-7V7"/>' },
  { name: "eiows", label: "official, eiows", style: "eiows", shape: '<path d="M0 6 6-5H-6Z"/>' },
];

const STYLE = `
    text { font: 12px system-ui, sans-serif; fill: #24292f; }
    .title { font-size: 15px; font-weight: 600; }
    .quiet { fill: #57606a; }
    .grid { stroke: #d0d7de; }
    .floor { stroke: #57606a; stroke-width: 1.5; }
    .ours { fill: #0550ae; } .node { fill: #218bff; } .official { fill: #bc4c00; }
    .publish { stroke: #57606a; stroke-width: 3; }
    .uws { fill: #bf8700; } .bun { fill: #8250df; } .eiows { fill: #2da44e; }
    @media (prefers-color-scheme: dark) {
      text { fill: #e6edf3; }
      .quiet { fill: #9198a1; }
      .grid { stroke: #3d444d; }
      .floor { stroke: #9198a1; }
      .publish { stroke: #9198a1; }
      .ours { fill: #79c0ff; } .node { fill: #388bfd; } .official { fill: #ffa657; }
      .uws { fill: #e3b341; } .bun { fill: #d2a8ff; } .eiows { fill: #56d364; }
    }`;

const escaped = (text) => text.replaceAll("&", "&amp;").replaceAll("<", "&lt;");

/**
 * @param entries the rows of the chart
 * @returns an SVG for light and dark pages
 */
export function chart(entries, report) {
  const marks = MARKS.filter(({ name }) =>
    entries.some(({ rows }) => rows.get(name)?.ratios[FLOOR] !== undefined),
  );
  const drawn = entries.filter(({ rows }) => rows.get(FLOOR)?.value !== undefined);
  const ratios = drawn.flatMap(({ rows }) =>
    marks.map(({ name }) => rows.get(name)?.ratios[FLOOR]?.median ?? 1),
  );
  const most = Math.max(2, ...ratios) * 1.15;
  const scale = (ratio) => {
    const share = Math.log(ratio / FLOOR_AT_LEAST) / Math.log(most / FLOOR_AT_LEAST);
    return (LEFT + Math.max(0, share) * (WIDTH - LEFT - RIGHT)).toFixed(1);
  };
  const bottom = TOP + drawn.length * ROW;
  const ticks = [1, 2, 5, 10, 20, 50, 100].filter((tick) => tick < most);
  const grid = ticks.map(
    (tick) =>
      `<line class="${tick === 1 ? "floor" : "grid"}" x1="${scale(tick)}" x2="${scale(tick)}" y1="${TOP - 6}" y2="${bottom}"/>` +
      `<text class="quiet" x="${scale(tick)}" y="${bottom + 16}" text-anchor="middle">${tick}×</text>`,
  );
  const legend = marks.map(({ label, style, shape }, i) => {
    const x = 16 + (i % 3) * 190;
    const y = 46 + Math.floor(i / 3) * 20;
    return `<g class="${style}" transform="translate(${x} ${y})">${shape}</g><text x="${x + 12}" y="${y + 4}">${label}</text>`;
  });
  const rows = drawn.map(({ title, rows: found }, i) => {
    const y = TOP + i * ROW + ROW / 2;
    // Draw ours on top.
    const points = marks.toReversed().flatMap(({ name, style, shape }) => {
      const ratio = found.get(name)?.ratios[FLOOR]?.median;
      if (ratio === undefined) return [];
      const hint = `<title>${escaped(`${title}: ${ratio.toFixed(2)} × floor`)}</title>`;
      return [`<g class="${style}" transform="translate(${scale(ratio)} ${y})">${hint}${shape}</g>`];
    });
    const line = `<line class="grid" x1="${LEFT}" x2="${WIDTH - RIGHT}" y1="${y}" y2="${y}"/>`;
    return `<text x="${LEFT - 10}" y="${y + 4}" text-anchor="end">${escaped(title)}</text>${line}${points.join("")}`;
  });
  const height = bottom + BOTTOM;
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${height}" width="${WIDTH}" height="${height}" role="img" aria-label="Cost of each server as a multiple of the floor">
  <style>${STYLE}
  </style>
  <text class="title" x="10" y="22">Server CPU per operation and memory per connection, as multiples of a hand-written floor</text>
  ${legend.join("\n  ")}
  ${grid.join("\n  ")}
  ${rows.join("\n  ")}
  <text class="quiet" x="10" y="${height - 6}">Left is cheaper; logarithmic. ${escaped(report.date.slice(0, 10))}, ${escaped(report.machine.split(";")[0] ?? "")}</text>
</svg>
`;
}
