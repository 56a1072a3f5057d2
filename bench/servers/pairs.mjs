// Pairs of servers that share their clients, or only look so. The server process has one of them, and starts a process for the other.
import { fork, spawnSync } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { createServer } from "node:http";
import { cpus, tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { application } from "../harness/application.mjs";
import { listenNode, listenUws } from "../harness/listen.mjs";
import { PEER, redisStarts, together } from "./redis-pairs.mjs";

const partnerScript = fileURLToPath(new URL("../harness/partner-process.mjs", import.meta.url));

/** Starts a Tidewire server. @returns {Promise<{ io: any, port: number }>} */
async function startTidewire(options, host = "uws") {
  const { Server } = await import("@tidewire/server");
  const io = new Server(0, { ...options, host });
  /** @type {any} */
  const { port } = io.httpServer.address();
  return { io, port };
}

/** Starts an official server on uWebSockets.js. @returns {Promise<{ io: any, port: number }>} */
async function startOfficial(options) {
  const [{ Server }, { App }] = await Promise.all([import("socket.io"), import("uWebSockets.js")]);
  const app = App();
  const io = new Server(options);
  io.attachApp(app);
  return { io, port: await listenUws(app) };
}

/** Starts an official server on node:http. @returns {Promise<{ io: any, port: number }>} */
async function startOfficialOnNode(options) {
  const { Server } = await import("socket.io");
  const httpServer = createServer();
  const io = new Server(httpServer, options);
  return { io, port: await listenNode(httpServer) };
}

/**
 * How one server of a pair starts, by the name of the pair. It gets a directory of the pair, and the channel to the other process.
 * @type {Record<string, (directory: string, channel: any) => Promise<{ io: any, port: number }>>}
 */
const starts = {
  "pair-alone": () => startTidewire({}),
  "alone-uws-official": () => startOfficial({}),
  "alone-node-tidewire": () => startTidewire({}, "node"),
  "alone-node-official": () => startOfficialOnNode({}),

  async "pair-cluster"(directory) {
    const { cluster } = await import("@tidewire/cluster");
    return startTidewire({ cluster: cluster({ name: "bench", directory: join(directory, "c") }) });
  },

  /** With the base class of the official adapters, over the channel of Node.js: without the hop through a primary process. */
  async "pair-official"(_directory, channel) {
    const { ClusterAdapter } = await import("socket.io-adapter");
    class ChannelAdapter extends ClusterAdapter {
      constructor(nsp) {
        super(nsp);
        this.serverCount = () => Promise.resolve(2);
        channel.on("message", ({ cast }) => {
          if (cast !== undefined) this.onMessage(cast);
        });
      }
      doPublish(message) {
        channel.send({ cast: message });
        return Promise.resolve("");
      }
      doPublishResponse(_uid, response) {
        channel.send({ cast: response });
        return Promise.resolve();
      }
    }
    return startOfficial({ adapter: ChannelAdapter });
  },

  ...redisStarts("uws", { tidewire: startTidewire, official: startOfficial }),
  ...redisStarts("node", {
    tidewire: (options) => startTidewire(options, "node"),
    official: startOfficialOnNode,
  }),
};

/** Starts one server of a pair. */
export function startOne(name, directory, channel) {
  const start = starts[name];
  if (start === undefined) throw new Error(`there is no pair "${name}"`);
  return start(directory, channel);
}

/** The other process, as the server process controls it. */
class Partner {
  #child;

  constructor(name, directory) {
    this.#child = fork(partnerScript, [name, directory], { serialization: "advanced" });
  }

  get pid() {
    return this.#child.pid;
  }

  get channel() {
    return this.#child;
  }

  /** Calls an action, without waiting for it. */
  notify(action, ...args) {
    this.#child.send({ action, args });
  }

  call(action, ...args) {
    this.notify(action, ...args);
    return this.result(action);
  }

  /** Waits for the result of an action. */
  async result(action) {
    for (;;) {
      const [message] = await once(this.#child, "message");
      if (message.action === action) return message.value;
    }
  }
}

/** Lets a process run on all cores, if there is anything that had pinned it. */
function unpin(pid) {
  spawnSync("taskset", ["-a", "-p", "-c", `0-${cpus().length - 1}`, String(pid)]);
}

/**
 * @param {string} name
 * @param {string} title
 * @param {boolean} built
 * @param {Variant["pair"]} shares
 * @param {string} [short]
 * @returns {Variant}
 */
function pair(name, title, built, shares, short) {
  const isAlone = name.includes("alone");
  return {
    name,
    title,
    host: name.includes("-node-") ? "node" : "uws",
    built,
    named: true,
    pair: shares,
    ...(short === undefined ? {} : { short }),
    ...(name.startsWith("redis-") ? { peer: PEER } : {}),
    async start() {
      const directory = mkdtempSync(join(tmpdir(), "tidewire-bench-"));
      const partner = new Partner(name, directory);
      const [{ io, port }, partnerPort] = await Promise.all([
        startOne(name, directory, partner.channel),
        partner.result("start"),
      ]);
      if (name === "pair-cluster") while (io.cluster.nodes.length < 2) await sleep(10);
      if (name.startsWith("redis-")) await together(io);
      rmSync(directory, { recursive: true });
      const actions = {
        ...application(io),
        partnerPort: () => partnerPort,
        /** Where clients reach the sessions of this server through the other one. Without a cluster, they cannot. */
        detourPort: () => (name === "pair-cluster" ? partnerPort : port),
        partnerCpuStart: () => partner.call("cpuStart"),
        partnerCpuStop: () => partner.call("cpuStop"),
        /** Emits messages to the clients of both servers. */
        newsOfBoth(from, count) {
          actions.news(from, count);
          if (isAlone) partner.notify("news", from, count);
        },
        /** The same, each in a tick of its own. */
        newsOfBothInTurns(from, count) {
          actions.newsInTurns(from, count);
          if (isAlone) partner.notify("newsInTurns", from, count);
        },
        /** Both processes run on any core. */
        spread() {
          unpin(process.pid);
          unpin(partner.pid);
        },
        async openWorkOfBoth(time) {
          actions.openWork(time);
          await partner.call("openWork", time);
        },
      };
      return { port, actions };
    },
  };
}

/**
 * Those that broadcast through Redis, on one host.
 *
 * @param {"uws" | "node"} host
 * @param {string} on
 */
const redisPairs = (host, on) =>
  /** @type {const} */ ([
    ["tidewire", `tidewire on ${on}: cluster() and Redis`, "tidewire"],
    ["adapter", `official on ${on}: @socket.io/redis-adapter`, "redis-adapter"],
    ["sharded", `official on ${on}: @socket.io/redis-adapter, sharded`, "redis-adapter, sharded"],
    ["streams", `official on ${on}: @socket.io/redis-streams-adapter`, "redis-streams-adapter"],
  ]).map(([own, title, short]) => pair(`redis-${host}-${own}`, title, own === "tidewire", ["redis"], short));

/** @type {Variant[]} */
export default [
  pair(
    "pair-alone",
    "tidewire: two processes, each by itself",
    true,
    ["broadcasts", "redis", "sessions"],
    "local",
  ),
  pair("pair-cluster", "tidewire: two processes with cluster()", true, ["broadcasts", "sessions", "workers"]),
  pair("pair-official", "official socket.io: two processes with ClusterAdapter", false, ["broadcasts"]),
  pair("alone-uws-official", "official on uWebSockets.js: two processes, each by itself", false, ["redis"]),
  ...redisPairs("uws", "uWebSockets.js"),
  pair("alone-node-tidewire", "tidewire on node:http: two processes, each by itself", true, ["redis"]),
  pair("alone-node-official", "official on node:http: two processes, each by itself", false, ["redis"]),
  ...redisPairs("node", "node:http"),
];
