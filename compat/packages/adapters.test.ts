import { isFull } from "../support/cell.ts";
import { CHILD_AGAIN } from "./support/adapter-sockets.ts";
import { describeAdapter, type AdapterSuite } from "./support/adapter-suite.ts";
import type { Cluster } from "./support/cluster.ts";
import type { HostName } from "./support/program.ts";
import { published } from "./support/published.ts";
import { postgres, redis } from "./support/service.ts";

let suites = 0;

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
  if (!isFull) return;
  describeAdapter("pub/sub with ioredis", host, overRedis("ioredis"));
  const given = { subscriptionMode: "dynamic-private" };
  describeAdapter("sharded pub/sub, with a channel for each socket", host, overRedis("sharded", given));
});

published("@socket.io/redis-streams-adapter", (host) => {
  // the new adapter counts the responses of the old one, which never leaves the channel
  const reason = "the adapter of a removed namespace keeps answering fetchSockets(), without sockets";
  describeAdapter("streams", host, { ...overRedis("streams"), unsupported: { [CHILD_AGAIN]: reason } });
});

published("@socket.io/postgres-adapter", (host) => {
  describeAdapter("notifications", host, {
    needs: postgres,
    async start(cluster) {
      const given = { adapter: "postgres", postgres: await postgres.start(), prefix: `suite_${++suites}` };
      await cluster.start(host, given, 3);
    },
  });
});

published("@socket.io/cluster-adapter", (host) => {
  describeAdapter("workers of node:cluster", host, {
    start: (cluster) => cluster.startWorkers(host, { adapter: "cluster" }, 3),
  });
});
