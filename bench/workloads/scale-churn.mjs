import { setTimeout as sleep } from "node:timers/promises";
import { clientFrame, CLOSE, serverFrame } from "../client/frames.mjs";
import { Connection } from "../client/connection.mjs";
import { upgrading } from "../client/polling.mjs";
import {
  bounded,
  allLeft,
  cpuAndDelayDuring,
  loopDelayFigures,
  loopDelayMetrics,
  scale,
} from "../client/scale.mjs";
import { grown } from "../harness/heap-objects.mjs";

/** How long a client stays, in ms. */
const STAY = 2000;
const STEP = 50;
const ECHO = `42${JSON.stringify(["echo", "here"])}`;
const ECHO_FRAME = clientFrame(ECHO);
const NORMAL_CLOSURE = Buffer.from([0x03, 0xe8]);
const GOODBYE = Buffer.concat([clientFrame("41"), clientFrame(NORMAL_CLOSURE, CLOSE)]);
const RSS_LIMIT = 1.1;

/**
 * Clients connect, echo a message and leave. Half of them upgrade from long-polling, and half close their WebSocket properly.
 *
 * @returns the number of clients
 */
async function churn({ server }, perSecond, seconds) {
  let failure;
  let came = 0;
  let heard = 0;
  const fail = (error) => {
    failure ??= error;
  };
  const wanted = serverFrame(ECHO).subarray(2).toString();

  function client() {
    const n = came++;
    /** @type {import("../client/connection.mjs").ConnectionHandlers} */
    const handlers = {
      onOpen(connection) {
        connection.onFrame = (data, start, end) => {
          if (data.toString("utf8", start, end) === wanted) heard++;
          else fail(new Error("an echo came back changed"));
        };
        connection.onEnd = () => {};
        connection.write(ECHO_FRAME);
        setTimeout(() => {
          if (n % 4 < 2) connection.destroy();
          else connection.write(GOODBYE);
        }, STAY);
      },
      onMessages() {},
      onPing() {},
      onFailure: fail,
    };
    if (n % 2 === 0) new Connection(server.port, handlers);
    else upgrading(server.port, handlers);
  }

  const start = performance.now();
  while (performance.now() - start < seconds * 1000) {
    const due = ((performance.now() - start) / 1000) * perSecond;
    while (came < due) client();
    await sleep(STEP);
    if (failure) throw failure;
  }
  await allLeft(server);
  // Wait for the last closing handshakes.
  await sleep(500);
  if (failure) throw failure;
  if (heard !== came) throw new Error(`${came} clients came and ${heard} echoes`);
  return came;
}

export default scale({
  name: "scale-churn",
  title: ({ perSecond, seconds }) => `${perSecond} connections per second come and go, for ${seconds} s`,
  api: true,
  metrics: [
    bounded("rss", "memory when all have left", "RSS ÷ that before", RSS_LIMIT),
    bounded("heap", "memory when all have left", "V8 heap ÷ that before"),
    bounded(
      "grown",
      "heap snapshots",
      "constructors with more objects than before, by over 1 % of the connections",
      0,
    ),
    { key: "cpu", title: "coming, an echo and going", unit: "µs server CPU per connection" },
    ...loopDelayMetrics("delay", "meanwhile"),
  ],
  sizes: {
    smoke: { perSecond: 20, warmup: 1, seconds: 1 },
    quick: { perSecond: 200, warmup: 5, seconds: 20 },
    full: { perSecond: 200, warmup: 20, seconds: 120 },
  },

  async run(context) {
    const { server, size, note } = context;
    await churn(context, size.perSecond, size.warmup);
    const objectsBefore = await server.call("objects");
    // A snapshot leaves memory behind, so both readings of RSS come after one, and after clients.
    await churn(context, size.perSecond, size.warmup);
    const before = await server.memory();
    let came = 0;
    const { cpu, delay } = await cpuAndDelayDuring(server, async () => {
      came = await churn(context, size.perSecond, size.seconds);
    });
    const after = await server.memory();
    const objectsAfter = await server.call("objects");
    const more = objectsAfter && grown(objectsBefore, objectsAfter, Math.max(100, came / 100));
    if (more?.length > 0) note(more.slice(0, 10).join(", "));
    return {
      rss: after.rss / before.rss,
      heap: after.heap / before.heap,
      ...(more === undefined ? {} : { grown: more.length }),
      cpu: cpu / came,
      ...loopDelayFigures("delay", delay),
    };
  },
});
