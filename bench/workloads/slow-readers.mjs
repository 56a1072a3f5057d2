import { createHistogram } from "node:perf_hooks";
import { setTimeout as sleep } from "node:timers/promises";
import { clientFrame } from "../client/frames.mjs";
import { Reader } from "../client/readers.mjs";
import { ExpectedStream } from "../client/stream.mjs";
import { withFleet } from "../client/fleet.mjs";

/** @typedef {import("../types.d.ts").WorkloadContext} WorkloadContext */

const MIB = 1024 * 1024;
/** In bytes. The default of 16 MiB would take minutes to fill. */
const maxBackpressure = MIB;
/** What is sent to everyone: 100 KB/s. */
const PER_SECOND = 20;
const BYTES = 5000;
/** What the slow readers are sent beside, so that the buffers of the kernel, up to 11 MB each, fill before long. */
const EXTRA_BYTES = 50_000;
const SLOW = "slow";

const join = clientFrame(`420${JSON.stringify(["join", SLOW])}`);
const joined = new ExpectedStream([[`430${JSON.stringify(["ok"])}`]]);

/** One run of the workload. */
class Broadcast {
  #server;
  #delays = createHistogram();
  /** Numbers of the next messages. */
  stamped = 0;
  extra = 0;
  /** RSS of the server, in bytes. */
  peak = 0;

  /** @param {import("../types.d.ts").ServerHandle} server */
  constructor(server) {
    this.#server = server;
  }

  /** Takes a delay in µs. @param {number} delay */
  onDelay = (delay) => this.#delays.record(Math.max(1, Math.round(delay)));

  /**
   * @param {number} seconds
   * @param {boolean} withExtra
   * @param {() => boolean} [done] ends it early
   * @returns {Promise<number>} 99th percentile of the delays, in ms
   */
  async run(seconds, withExtra, done = () => false) {
    this.#delays.reset();
    const end = performance.now() + seconds * 1000;
    while (performance.now() < end && !done()) {
      this.#server.notify("stamped", this.stamped++, BYTES);
      if (withExtra) this.#server.notify("extra", SLOW, this.extra++, EXTRA_BYTES);
      if (this.stamped % PER_SECOND === 0)
        this.peak = Math.max(this.peak, Number(await this.#server.call("rss")));
      await sleep(1000 / PER_SECOND);
    }
    return this.#delays.percentile(99) / 1000;
  }
}

/**
 * Waits until every client that is not closed has everything, or nothing comes any more.
 *
 * @param {Reader[]} readers
 * @param {Broadcast} broadcast
 */
async function drained(readers, broadcast) {
  const missing = () =>
    readers.reduce((sum, { closed, stamped }) => sum + (closed ? 0 : broadcast.stamped - stamped), 0);
  for (let before = Infinity, patience = 0; missing() > 0 && patience < 20; patience++) {
    if (missing() < before) patience = 0;
    before = missing();
    await sleep(100);
  }
}

/** @type {import("../types.d.ts").Workload} */
export default {
  name: "slow-readers",
  title: ({ clients, slow }) =>
    `100 KB/s to ${clients} clients, ${slow} of which stop reading; a limit of ${maxBackpressure / MIB} MiB`,
  order: 200,
  named: true,
  api: true,
  metrics: [
    { key: "before", title: "delay to the readers while all read", unit: "ms, p99", absolute: true },
    { key: "during", title: "delay to the readers when some have stopped", unit: "ms, p99", absolute: true },
    { key: "full", title: "delay to the readers while buffers overflow", unit: "ms, p99", absolute: true },
    { key: "added", title: "the larger of both", unit: "÷ that while all read", absolute: true, atMost: 1.5 },
    {
      key: "memory",
      title: "memory per slow reader, at most",
      unit: "MiB of RSS",
      absolute: true,
      atMost: 1.6,
    },
    { key: "open", title: "slow readers not closed", unit: "connections", absolute: true, atMost: 0 },
    {
      key: "unexplained",
      title: "closed without SLOW_CONSUMER",
      unit: "connections",
      absolute: true,
      atMost: 0,
    },
    { key: "skipped", title: "skipped in silence", unit: "messages", absolute: true, atMost: 0 },
  ],
  serverOptions: { maxBackpressure, pingInterval: 600_000 },
  sizes: {
    smoke: { clients: 20, slow: 2, before: 1, during: 1, full: 30 },
    quick: { clients: 1000, slow: 100, before: 6, during: 6, full: 15 },
    full: { clients: 1000, slow: 100, before: 20, during: 60, full: 20 },
  },

  run(context) {
    const { server, size, note } = context;
    return withFleet(context, async (fleet) => {
      await server.call("openRooms");
      await fleet.grow(size.clients);
      const slowOnes = fleet.connections.slice(0, size.slow);
      fleet.expect(joined, slowOnes);
      await fleet.during(size.slow, "rooms were joined", () => {
        for (const connection of slowOnes) connection.write(join);
      });
      fleet.expect(/** @type {any} */ (undefined));
      await server.call("watchEnds");

      const broadcast = new Broadcast(server);
      const slow = slowOnes.map((connection) => new Reader(connection, () => {}));
      const others = fleet.connections
        .slice(size.slow)
        .map((connection) => new Reader(connection, broadcast.onDelay));
      await broadcast.run(size.before / 2, false);
      const before = await broadcast.run(size.before, false);
      const rss = broadcast.peak;

      for (const reader of slow) {
        reader.mayEnd();
        reader.connection.pause();
      }
      const during = await broadcast.run(size.during, false);
      let connected = size.clients;
      const watch = setInterval(() => {
        void server.call("connected").then((count) => (connected = Number(count)));
      }, 500);
      const full = await broadcast.run(size.full, true, () => connected === others.length);
      clearInterval(watch);
      const peak = broadcast.peak;
      for (const reader of slow) reader.connection.resume();
      await drained([...others, ...slow], broadcast);

      const ends = /** @type {Record<string, number>} */ (await server.call("ends"));
      const open = Number(await server.call("connected")) - others.length;
      if (Object.keys(ends).length > 0) note(JSON.stringify(ends));
      let skipped = 0;
      for (const { closed, skipped: gaps, stamped } of [...others, ...slow]) {
        skipped += gaps + (closed ? 0 : broadcast.stamped - stamped);
      }
      return {
        before,
        during,
        full,
        added: Math.max(during, full) / before,
        memory: (peak - rss) / size.slow / MIB,
        open,
        unexplained: size.slow - open - (ends["transport error, SLOW_CONSUMER"] ?? 0),
        skipped,
      };
    });
  },
};
