// The server process: starts one server and runs actions that the load generator requests over IPC.
//
// In:  { id?, action, args }            a request without an id gets no answer
// Out: { id, value } or { id, error }   first with the id "ready": the port, or why the server cannot start
import { monitorEventLoopDelay } from "node:perf_hooks";
import { setTimeout as sleep } from "node:timers/promises";
import { variants } from "../servers/index.mjs";
import { countObjects } from "./heap-objects.mjs";

/** @type {(message: object) => void} */
const send = (message) => process.send?.(message);

function collectGarbage() {
  /** @type {any} */
  const { Bun, gc } = globalThis;
  if (Bun) Bun.gc(true);
  else if (gc) gc();
  else throw new Error("the server process needs --expose-gc");
}

/** In bytes: fills both halves of a young generation of 16 MB. */
const GARBAGE = 64 * 1024 * 1024;

const block = Array.from({ length: 1000 }, () => 0);

/** The last allocation, kept so that the engine does not optimise it away. */
let garbage = block;

/**
 * Writes to every page of the young generation. The system assigns memory to a page at the first write; between two readings, that
 * would count as the memory of connections.
 */
function touchYoungGeneration() {
  for (let bytes = 0; bytes < GARBAGE; bytes += 8000) garbage = block.slice();
  garbage.length = 0;
}

/** @type {NodeJS.CpuUsage} */
let cpuAtStart;

/** The interval at which the event loop's delay is sampled, in ms. */
const RESOLUTION = 10;

let loopDelay;

/** @type {Record<string, (...args: any[]) => unknown>} */
const actions = {
  cpuStart() {
    cpuAtStart = process.cpuUsage();
  },

  /** CPU time since `cpuStart`, in µs. */
  cpuStop() {
    const { user, system } = process.cpuUsage(cpuAtStart);
    return user + system;
  },

  loopDelayStart() {
    try {
      loopDelay = monitorEventLoopDelay({ resolution: RESOLUTION });
      loopDelay.enable();
    } catch {
      // Bun has none.
    }
  },

  /** In ms, since `loopDelayStart`. The histogram records the time between samples. */
  loopDelayStop() {
    if (loopDelay === undefined || loopDelay.count === 0) return undefined;
    loopDelay.disable();
    const late = (nanoseconds) => Math.max(0, nanoseconds / 1e6 - RESOLUTION);
    return {
      p50: late(loopDelay.percentile(50)),
      p99: late(loopDelay.percentile(99)),
      max: late(loopDelay.max),
    };
  },

  /** Objects in the heap by constructor; undefined on Bun. */
  async objects() {
    collectGarbage();
    return countObjects();
  },

  /** The largest RSS so far, in bytes. */
  peakMemory() {
    return process.resourceUsage().maxRSS * 1024;
  },

  rss: () => process.memoryUsage.rss(),

  async memory() {
    // First, live objects leave the young generation.
    collectGarbage();
    touchYoungGeneration();
    // Empty pages return to the system some time after a collection.
    for (let i = 0; i < 4; i++) {
      collectGarbage();
      await sleep(20);
    }
    const { rss, heapUsed } = process.memoryUsage();
    return { rss, heap: heapUsed };
  },
};

/** Sends the result of `work`, or its error. */
async function answer(id, work) {
  try {
    send({ id, value: await work() });
  } catch (error) {
    send({ id, error: error instanceof Error ? error.message : String(error) });
  }
}

function run({ action, args }) {
  if (actions[action] === undefined) throw new Error(`this server has no action "${action}"`);
  return actions[action](...args);
}

process.on("message", (/** @type {any} */ request) => {
  if (request.id === undefined) run(request);
  else void answer(request.id, () => run(request));
});

// Exit with the load generator, however it ends.
process.on("disconnect", () => process.exit());

await answer("ready", async () => {
  const [, , name, options = ""] = process.argv;
  const variant = variants.find((each) => each.name === name);
  if (variant === undefined) throw new Error(`there is no server "${name}"`);
  const started = await variant.start(JSON.parse(options));
  Object.assign(actions, started.actions);
  return started.port;
});
