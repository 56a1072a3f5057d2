import { createHistogram } from "node:perf_hooks";
import { setTimeout as sleep } from "node:timers/promises";
import { clientFrame } from "../client/frames.mjs";
import { ExpectedStream } from "../client/stream.mjs";
import { bounded } from "../client/scale.mjs";
import { withFleet } from "../client/fleet.mjs";
import { microseconds } from "../harness/payload.mjs";

const MIB = 1024 * 1024;
/** In bytes. The default of 16 MiB would take minutes to fill. */
const maxBackpressure = MIB;
/** Broadcasts of 100 KB/s. */
const PER_SECOND = 20;
const BYTES = 5000;
/** Messages that fill the kernel's buffers before the measurement, up to 11 MB per connection. */
const FILLING_BYTES = 100_000;
const FILLING_SECONDS = 8;
const SLOW = "slow";

const join = clientFrame(`420${JSON.stringify(["join", SLOW])}`);
const joined = new ExpectedStream([[`430${JSON.stringify(["ok"])}`]]);

/** The offsets in `42["stamped","00000001","0000000000000001",…`. */
const STAMPED = { number: 14, time: 25 };
const NUMBER_LENGTH = 8;
const TIME_LENGTH = 16;
const LETTER_S = 0x73;

/** A client that receives numbered messages, and records their delay and missing ones. It ignores other messages. */
class Reader {
  /** Messages missing between two that came. */
  skipped = 0;
  closed = false;
  /** The next number. */
  next = 0;

  constructor(connection, onDelay) {
    this.connection = connection;
    connection.onFrame = (data, start) => {
      if (data[start + 4] !== LETTER_S) return;
      this.#count(data, start + STAMPED.number);
      const at = start + STAMPED.time;
      const sent = Number(data.toString("latin1", at, at + TIME_LENGTH));
      onDelay(microseconds() - sent);
    };
  }

  /** From now on, the connection may end. */
  mayEnd() {
    this.connection.onEnd = () => {
      this.closed = true;
    };
  }

  #count(data, at) {
    const found = Number(data.toString("latin1", at, at + NUMBER_LENGTH));
    if (!(found >= this.next)) this.connection.fail(`message ${found} came instead of ${this.next}`);
    this.skipped += found - this.next;
    this.next = found + 1;
  }
}

/** Controls the broadcasts. */
class Broadcast {
  #server;
  #delays = createHistogram();
  /** The number of the next message. */
  next = 0;
  /** The largest RSS of the server, in bytes. */
  peak = 0;

  constructor(server) {
    this.#server = server;
  }

  /** Records a delay in µs. */
  onDelay = (delay) => this.#delays.record(Math.max(1, Math.round(delay)));

  /** @returns 99th percentile of the delays, in ms */
  async run(seconds) {
    this.#delays.reset();
    const end = performance.now() + seconds * 1000;
    while (performance.now() < end) {
      this.#server.notify("stamped", this.next++, BYTES);
      if (this.next % PER_SECOND === 0)
        this.peak = Math.max(this.peak, Number(await this.#server.call("rss")));
      await sleep(1000 / PER_SECOND);
    }
    return this.#delays.percentile(99) / 1000;
  }
}

/** Waits until every open client has all messages, or none arrive any more. */
async function drained(readers, broadcast) {
  const missing = () =>
    readers.reduce((sum, { closed, next }) => sum + (closed ? 0 : broadcast.next - next), 0);
  for (let before = Infinity, patience = 0; missing() > 0 && patience < 20; patience++) {
    if (missing() < before) patience = 0;
    before = missing();
    await sleep(100);
  }
}

/** @type {Workload} */
export default {
  name: "slow-readers",
  title: ({ clients, slow }) =>
    `100 KB/s to ${clients} clients, ${slow} of which stop reading; a limit of ${maxBackpressure / MIB} MiB`,
  named: true,
  api: true,
  metrics: [
    bounded("before", "delay to the readers while all read", "ms, p99"),
    bounded("during", "delay to the readers when some have stopped", "ms, p99"),
    bounded("added", "added delay", "÷ that while all read", 1.5),
    bounded("memory", "memory per slow reader, at most", "MiB of RSS", 1.6),
    bounded("open", "slow readers not closed", "connections", 0),
    bounded("unexplained", "closed without SLOW_CONSUMER", "connections", 0),
    bounded("skipped", "skipped silently", "messages", 0),
  ],
  // Long enough that no client misses a ping; Bun does not support longer intervals.
  serverOptions: { maxBackpressure, pingInterval: 110_000 },
  sizes: {
    smoke: { clients: 20, slow: 2, before: 1, during: 14 },
    quick: { clients: 1000, slow: 100, before: 8, during: 16 },
    full: { clients: 1000, slow: 100, before: 20, during: 40 },
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
      fleet.expect(/** */ undefined);
      await server.call("watchEnds");

      const broadcast = new Broadcast(server);
      const slow = slowOnes.map((connection) => new Reader(connection, () => {}));
      const others = fleet.connections
        .slice(size.slow)
        .map((connection) => new Reader(connection, broadcast.onDelay));
      await broadcast.run(size.before / 2);
      const before = await broadcast.run(size.before);
      const rss = broadcast.peak;

      for (const reader of slow) {
        reader.mayEnd();
        reader.connection.pause();
      }
      for (let i = 0; i < FILLING_SECONDS * PER_SECOND; i++) {
        server.notify("fill", SLOW, FILLING_BYTES);
        await sleep(1000 / PER_SECOND);
      }
      const during = await broadcast.run(size.during);
      for (const reader of slow) reader.connection.resume();
      await drained([...others, ...slow], broadcast);

      const ends = /** */ await server.call("ends");
      const open = Number(await server.call("connected")) - others.length;
      if (Object.keys(ends).length > 0) note(JSON.stringify(ends));
      let skipped = 0;
      for (const { closed, skipped: gaps, next } of [...others, ...slow]) {
        skipped += gaps + (closed ? 0 : broadcast.next - next);
      }
      return {
        before,
        during,
        added: during / before,
        memory: (broadcast.peak - rss) / size.slow / MIB,
        open,
        unexplained: size.slow - open - (ends["transport error, SLOW_CONSUMER"] ?? 0),
        skipped,
      };
    });
  },
};
