import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { isFull } from "../support/cell.ts";
import { isOracle } from "../support/installation.ts";
import { CHILD_AGAIN } from "./support/adapter-sockets.ts";
import { describeAdapter, type AdapterSuite } from "./support/adapter-suite.ts";
import type { Cluster } from "./support/cluster.ts";
import { whyNoDetour } from "./support/detour.ts";
import type { HostName } from "./support/program.ts";
import { published } from "./support/published.ts";
import { postgres, redis } from "./support/service.ts";

let suites = 0;

let clusters = 0;
let folder: string | undefined;

/** A directory in which three processes find each other. */
function clusterDirectory(): string {
  if (folder === undefined) {
    const made = (folder = mkdtempSync(join(tmpdir(), "tidewire-suite-")));
    process.on("exit", () => rmSync(made, { recursive: true, force: true }));
  }
  return join(folder, `cluster-${++clusters}`);
}

/** The title of a suite whose processes have `cluster()`, and get requests of each other's sessions. */
const astray = (title: string): string => `${title}, in processes with cluster(), without sticky sessions`;

/** Lets requests of sessions on long-polling reach other processes than their own. */
function withoutStickiness(start: (given: object) => AdapterSuite): AdapterSuite {
  const suite = start({ directory: clusterDirectory() });
  const { needs } = suite;
  return {
    ...suite,
    needs: {
      missing: needs?.missing ?? whyNoDetour,
      start: async () => needs?.start(),
    },
    async start(cluster, host) {
      await suite.start(cluster, host);
      await cluster.lead();
    },
  };
}

/** Starts three processes with `cluster()`. */
function linked(given: object = {}): AdapterSuite {
  return {
    async start(cluster, host) {
      await cluster.start(host, { ...given, directory: clusterDirectory() }, 3);
    },
  };
}

/** Starts three processes with `cluster()`, whose broadcasts travel through Redis. */
function overChannels(): AdapterSuite {
  return {
    needs: redis,
    async start(cluster, host) {
      const given = { machine: true, redis: await redis.start(), prefix: `suite_${++suites}` };
      await cluster.start(host, { ...given, directory: clusterDirectory() }, 3);
    },
  };
}

/** Starts three processes that share Redis. */
function overRedis(adapter: string, given: object = {}): AdapterSuite {
  return {
    needs: redis,
    async start(cluster: Cluster, host: HostName) {
      const prefix = `suite_${++suites}`;
      await cluster.start(host, { adapter, redis: await redis.start(), prefix, ...given }, 3);
    },
  };
}

published("@socket.io/redis-adapter", (host) => {
  describeAdapter("pub/sub with redis", host, overRedis("redis"));
  describeAdapter("sharded pub/sub", host, overRedis("sharded"));
  if (!isOracle) {
    const suite = withoutStickiness((given) => overRedis("redis", given));
    describeAdapter(astray("pub/sub with redis"), host, suite);
    // Not of this package, but in its place.
    describeAdapter("processes with cluster() of this project, over Redis", host, overChannels());
  }
  if (!isFull) return;
  describeAdapter("pub/sub with ioredis", host, overRedis("ioredis"));
  const given = { subscriptionMode: "dynamic-private" };
  describeAdapter("sharded pub/sub, with a channel for each socket", host, overRedis("sharded", given));
  if (isOracle) return;
  const sharded = withoutStickiness((own) => overRedis("sharded", own));
  describeAdapter(astray("sharded pub/sub"), host, sharded);
});

published("@socket.io/redis-streams-adapter", (host) => {
  // the new adapter counts the responses of the old one, which never leaves the channel
  const reason = "the adapter of a removed namespace keeps answering fetchSockets(), without sockets";
  const unsupported = { [CHILD_AGAIN]: reason };
  describeAdapter("streams", host, { ...overRedis("streams"), unsupported });
  if (isOracle || !isFull) return;
  const suite = withoutStickiness((given) => overRedis("streams", given));
  describeAdapter(astray("streams"), host, { ...suite, unsupported });
});

published("@socket.io/postgres-adapter", (host) => {
  const notifications = (given: object = {}): AdapterSuite => ({
    needs: postgres,
    async start(cluster) {
      const own = { adapter: "postgres", postgres: await postgres.start(), prefix: `suite_${++suites}` };
      await cluster.start(host, { ...own, ...given }, 3);
    },
  });
  describeAdapter("notifications", host, notifications());
  if (isOracle || !isFull) return;
  describeAdapter(astray("notifications"), host, withoutStickiness(notifications));
});

published("@socket.io/cluster-adapter", (host) => {
  const workers = (given: object = {}): AdapterSuite => ({
    start: (cluster) => cluster.startWorkers(host, { adapter: "cluster", ...given }, 3),
  });
  // Not of this package, but in its place.
  if (!isOracle) describeAdapter("processes with cluster() of this project", host, linked());
  describeAdapter("workers of node:cluster", host, workers());
  if (isOracle || !isFull) return;
  describeAdapter(astray("workers of node:cluster"), host, withoutStickiness(workers));
});
