// The published adapters, each with its usual client: redis, ioredis, pg, and the messages of node:cluster. A server only loads
// its own.

/** How soon the adapters detect that a process was killed, in milliseconds. */
const heartbeat = { heartbeatInterval: 500, heartbeatTimeout: 2000 };

/** The adapters by name; `prefix` separates suites that share a service. */
export const adapters = {
  async redis({ redis, prefix }) {
    const { createAdapter } = await import("@socket.io/redis-adapter");
    const [pub, sub] = await Promise.all([nodeRedis(redis), nodeRedis(redis)]);
    return createAdapter(pub, sub, { key: prefix, requestsTimeout: 2000 });
  },
  async ioredis({ redis, prefix }) {
    const { createAdapter } = await import("@socket.io/redis-adapter");
    const { Redis } = await import("ioredis");
    const options = { key: prefix, requestsTimeout: 2000, publishOnSpecificResponseChannel: true };
    return createAdapter(new Redis(redis), new Redis(redis), options);
  },
  async sharded({ redis, prefix, subscriptionMode = "dynamic" }) {
    const { createShardedAdapter } = await import("@socket.io/redis-adapter");
    const [pub, sub] = await Promise.all([nodeRedis(redis), nodeRedis(redis)]);
    return createShardedAdapter(pub, sub, { channelPrefix: prefix, subscriptionMode });
  },
  async streams({ redis, prefix }) {
    const { createAdapter } = await import("@socket.io/redis-streams-adapter");
    const options = { streamName: prefix, sessionKeyPrefix: `${prefix}:session:`, ...heartbeat };
    return createAdapter(await nodeRedis(redis), options);
  },
  async postgres({ postgres, prefix }) {
    const { createAdapter } = await import("@socket.io/postgres-adapter");
    const { default: pg } = await import("pg");
    // one connection to receive and one to send: with more, events can arrive out of order
    const pool = new pg.Pool({ ...postgres, max: 2 });
    await pool.query(
      `SELECT pg_advisory_xact_lock(1);
      CREATE TABLE IF NOT EXISTS ${prefix} (
        id bigserial UNIQUE, created_at timestamptz DEFAULT NOW(), payload bytea
      )`,
    );
    return createAdapter(pool, { channelPrefix: prefix, tableName: prefix, ...heartbeat });
  },
  async cluster() {
    const { createAdapter } = await import("@socket.io/cluster-adapter");
    return createAdapter(heartbeat);
  },
};

/** A client of the Redis that listens at a path. */
export async function nodeRedis(path) {
  const { createClient } = await import("redis");
  const client = createClient({ socket: { path } });
  client.on("error", (error) => {
    throw error;
  });
  await client.connect();
  return client;
}
