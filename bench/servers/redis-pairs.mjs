// Pairs of servers whose broadcasts travel through Redis: that of Tidewire, and those of the published adapters.
import { spawn } from "node:child_process";
import { createRequire } from "node:module";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { peerFile } from "../harness/peers.mjs";
import { findRedis } from "../../scripts/setup.mjs";

export const PEER = "redis-adapters";

const own = createRequire(import.meta.url);
const peers = createRequire(peerFile(PEER, "./"));

/**
 * Loads a package that is installed on demand. Where npm installs it with socket.io, both have one copy of the class that
 * `attachApp()` makes faster.
 */
function load(name) {
  own("socket.io-adapter");
  peers.cache[peers.resolve("socket.io-adapter")] = own.cache[own.resolve("socket.io-adapter")];
  return peers(name);
}

const socketOf = (directory) => join(directory, "redis.sock");

/** Starts a Redis that listens in a directory, and ends with this process. */
export function startRedis(directory) {
  const program = findRedis();
  if (program === undefined) throw new Error("Redis is not installed");
  const settings = ["--port", "0", "--save", "", "--appendonly", "no", "--dir", directory];
  const child = spawn(program, [...settings, "--unixsocket", socketOf(directory)], { stdio: "ignore" });
  process.once("exit", () => child.kill());
}

/** Connects to it, once it is there. */
async function connect(directory) {
  const client = load("redis").createClient({ socket: { path: socketOf(directory), reconnectStrategy: 20 } });
  client.on("error", () => {});
  await client.connect();
  return client;
}

/** How the adapters of the others are made. */
const adapters = {
  async adapter(directory) {
    const { createAdapter } = load("@socket.io/redis-adapter");
    return createAdapter(await connect(directory), await connect(directory));
  },
  async sharded(directory) {
    const { createShardedAdapter } = load("@socket.io/redis-adapter");
    return createShardedAdapter(await connect(directory), await connect(directory));
  },
  async streams(directory) {
    const { createAdapter } = load("@socket.io/redis-streams-adapter");
    return createAdapter(await connect(directory));
  },
};

/**
 * How one server of a pair starts, by the name of the pair.
 *
 * @param {"uws" | "node"} host
 * @param {{ tidewire: (options: any) => Promise<any>, official: (options: any) => Promise<any> }} start
 */
export function redisStarts(host, { tidewire, official }) {
  const starts = {
    /** Two machines: two addresses, and two directories. */
    async [`redis-${host}-tidewire`](directory) {
      const [{ cluster }, { redis }] = await Promise.all([
        import("@tidewire/cluster"),
        import("@tidewire/cluster-redis"),
      ]);
      const address = `127.0.0.${2 + (process.pid % 200)}`;
      return tidewire({
        cluster: cluster({
          name: "bench",
          directory: join(directory, String(process.pid)),
          listen: { host: address, secret: "the secret of a benchmark" },
          backend: redis({ client: await connect(directory) }),
        }),
      });
    },
  };
  for (const [name, adapter] of Object.entries(adapters)) {
    starts[`redis-${host}-${name}`] = async (directory) => official({ adapter: await adapter(directory) });
  }
  return starts;
}

/** Waits until what one server broadcasts reaches the other one. */
export async function together(io) {
  if (io.cluster !== undefined) {
    while (io.cluster.nodes.length < 2) await sleep(10);
    // Each then tells the other that it hears the channels.
    await sleep(500);
  } else {
    while ((await io.of("/").adapter.serverCount()) < 2) await sleep(10);
  }
}
