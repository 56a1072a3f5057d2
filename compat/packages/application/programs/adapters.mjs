// The published adapters, each with its usual client: redis, ioredis, pg, and the messages of node:cluster.
import { createAdapter as createClusterAdapter } from "@socket.io/cluster-adapter";
import { createAdapter as createPostgresAdapter } from "@socket.io/postgres-adapter";
import { createAdapter as createRedisAdapter, createShardedAdapter } from "@socket.io/redis-adapter";
import { createAdapter as createStreamsAdapter } from "@socket.io/redis-streams-adapter";
import { Redis } from "ioredis";
import pg from "pg";
import { createClient } from "redis";

/** How soon a process that was killed is found missing, in milliseconds. */
const heartbeat = { heartbeatInterval: 500, heartbeatTimeout: 2000 };

/** The adapters by name; `prefix` keeps the suites apart that share a service. */
export const adapters = {
  async redis({ redis, prefix }) {
    const [pub, sub] = await Promise.all([nodeRedis(redis), nodeRedis(redis)]);
    return createRedisAdapter(pub, sub, { key: prefix, requestsTimeout: 2000 });
  },
  ioredis({ redis, prefix }) {
    const options = { key: prefix, requestsTimeout: 2000, publishOnSpecificResponseChannel: true };
    return createRedisAdapter(new Redis(redis), new Redis(redis), options);
  },
  async sharded({ redis, prefix, subscriptionMode = "dynamic" }) {
    const [pub, sub] = await Promise.all([nodeRedis(redis), nodeRedis(redis)]);
    return createShardedAdapter(pub, sub, { channelPrefix: prefix, subscriptionMode });
  },
  async streams({ redis, prefix }) {
    const options = { streamName: prefix, sessionKeyPrefix: `${prefix}:session:`, ...heartbeat };
    return createStreamsAdapter(await nodeRedis(redis), options);
  },
  async postgres({ postgres, prefix }) {
    // One connection for what comes and one for what goes: with more, events overtake each other.
    const pool = new pg.Pool({ ...postgres, max: 2 });
    await pool.query(
      `SELECT pg_advisory_xact_lock(1);
      CREATE TABLE IF NOT EXISTS ${prefix} (
        id bigserial UNIQUE, created_at timestamptz DEFAULT NOW(), payload bytea
      )`,
    );
    return createPostgresAdapter(pool, { channelPrefix: prefix, tableName: prefix, ...heartbeat });
  },
  cluster: () => createClusterAdapter(heartbeat),
};

async function nodeRedis(path) {
  const client = createClient({ socket: { path } });
  client.on("error", (error) => {
    throw error;
  });
  await client.connect();
  return client;
}
