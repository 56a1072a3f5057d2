// The second process of a pair of servers. Runs the actions that the first one requests, and exits with it.
import { startOne } from "../servers/pairs.mjs";
import { startRedis } from "../servers/redis-pairs.mjs";
import { application } from "./application.mjs";

const [, , name, directory] = process.argv;

/** @type {NodeJS.CpuUsage} */
let cpuAtStart;

if (name.startsWith("redis-")) startRedis(directory);

const { io, port } = await startOne(name, directory, process);

/** @type {Record<string, (...args: any[]) => unknown>} */
const actions = {
  ...application(io),
  cpuStart() {
    cpuAtStart = process.cpuUsage();
  },
  /** CPU time since `cpuStart`, in µs. */
  cpuStop() {
    const { user, system } = process.cpuUsage(cpuAtStart);
    return user + system;
  },
};

process.on("message", (/** @type {any} */ { action, args }) => {
  // The adapters of some pairs use the channel, too.
  if (action === undefined) return;
  const value = actions[action]?.(...args);
  if (!action.startsWith("news")) process.send?.({ action, value });
});

process.on("disconnect", () => process.exit());

process.send?.({ action: "start", value: port });
