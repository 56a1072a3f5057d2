import { readFileSync } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";
import { broadcastTicks, newsStream } from "../client/broadcasts.mjs";
import { withFleet } from "../client/fleet.mjs";
import { bounded, loopDelayFigures, loopDelayMetrics, scale } from "../client/scale.mjs";

const GROWTH_LIMIT = 1.25;
/** How late the event loop may be while everybody is sent a message: 99th percentile, in ms. */
const LATE_LIMIT = 50;
const BASE = 200;

/** In ms; long enough that 20,000 connections do not keep the server busy with pings. */
const pingInterval = 4000;

/** Open files of a process besides its connections. */
const OTHER_FILES = 200;

/** The connection counts of a run, limited by the open files of a process. */
function counts({ size, note }) {
  const limits = process.platform === "linux" ? readFileSync("/proc/self/limits", "utf8") : "";
  const [, files = Infinity] = /^Max open files\s+(\d+)/m.exec(limits) ?? [];
  const many = Math.min(size.many, Number(files) - OTHER_FILES);
  if (many < size.many) note(`${many} instead of ${size.many} connections: the limit of open files`);
  return { few: size.few, many };
}

/** @type {Workload["sizes"]} connections, and ticks or pings per connection */
const sizes = {
  smoke: { few: 30, many: 120, measured: 2 },
  quick: { few: 5000, many: 20_000, measured: 5 },
  full: { few: 5000, many: 20_000, measured: 30 },
};

function metrics(key, title, unit) {
  return [
    { key: `${key}Few`, title: `${title}, at the smaller count`, unit },
    { key: `${key}Many`, title: `${title}, at the larger count`, unit },
    bounded(`${key}Growth`, `${title}, growth`, "larger ÷ smaller", GROWTH_LIMIT),
  ];
}

const compared = (key, few, many) => ({
  [`${key}Few`]: few,
  [`${key}Many`]: many,
  [`${key}Growth`]: many / few,
});

const growth = scale({
  name: "scale-growth",
  title: ({ few, many }) => `from ${few} to ${many} idle connections`,
  metrics: [
    ...metrics("delivery", "io.emit", "µs server CPU per delivery"),
    ...metrics("rss", "idle connection", "bytes of RSS"),
    ...metrics("heap", "idle connection", "bytes of V8 heap"),
    ...loopDelayMetrics("opening", "while connections open"),
    ...loopDelayMetrics("telling", "during broadcasts at the larger count", LATE_LIMIT),
  ],
  sizes,

  run(context) {
    const { server, size } = context;
    const { few, many } = counts(context);
    return withFleet(context, async (fleet) => {
      /** @type {number[]} */
      const delivery = [];
      /** @type {any[]} */
      const memory = [];
      await fleet.grow(BASE > few ? 1 : BASE);
      const base = fleet.connections.length;
      const empty = await server.memory();
      let delays = {};
      for (const count of [few, many]) {
        const opening = await server.loopDelayDuring(() => fleet.grow(count));
        memory.push(await server.memory());
        fleet.expect(newsStream);
        const tick = broadcastTicks(fleet, server, 1);
        await tick(size.measured);
        const cpu = await server.cpuDuring(() => tick(size.measured));
        delivery.push(cpu / (size.measured * count));
        const telling = await server.loopDelayDuring(() => tick(size.measured));
        delays = { ...loopDelayFigures("opening", opening), ...loopDelayFigures("telling", telling) };
      }
      const perConnection = (kind) => {
        const [less, more] = [few, many].map((count, i) => (memory[i][kind] - empty[kind]) / (count - base));
        return compared(kind, less, more);
      };
      return {
        ...compared("delivery", delivery[0], delivery[1]),
        ...perConnection("rss"),
        ...perConnection("heap"),
        ...delays,
      };
    });
  },
});

const heartbeat = scale({
  name: "scale-heartbeat",
  title: ({ few, many }) =>
    `heartbeat at ${few} and at ${many} connections, a ping each in ${pingInterval} ms`,
  metrics: metrics("cpu", "heartbeat", "µs server CPU per ping and pong"),
  sizes: {
    ...sizes,
    smoke: { few: 30, many: 120, measured: 1 },
    quick: { ...sizes.quick, measured: 2 },
    full: { ...sizes.full, measured: 5 },
  },
  serverOptions: { pingInterval },

  run(context) {
    const { server, size } = context;
    const { few, many } = counts(context);
    return withFleet(context, async (fleet) => {
      /** @type {number[]} */
      const costs = [];
      for (const count of [few, many]) {
        await fleet.grow(count);
        await sleep(pingInterval);
        const before = fleet.pings;
        const cpu = await server.cpuDuring(() => sleep(size.measured * pingInterval));
        costs.push(cpu / (fleet.pings - before));
      }
      return compared("cpu", costs[0], costs[1]);
    });
  },
});

export default [growth, heartbeat];
