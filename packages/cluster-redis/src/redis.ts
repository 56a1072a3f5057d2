import { LeasedDiscovery } from "@tidewire/cluster";
import type { Backend, Channels, Journal } from "@tidewire/cluster";
import type { RedisDriver } from "./driver/driver.ts";
import { IoredisDriver } from "./driver/ioredis.ts";
import type { IoredisClient } from "./driver/ioredis.ts";
import { NodeRedisDriver } from "./driver/node-redis.ts";
import type { NodeRedisClient } from "./driver/node-redis.ts";
import { RedisError } from "./errors.ts";
import { RedisChannels } from "./redis-channels.ts";
import { RedisJournal } from "./redis-journal.ts";
import { RedisLeases } from "./redis-leases.ts";

/** Options of {@link redis}. */
export interface RedisOptions {
  /**
   * The client of the application: of `ioredis` 5 or later, or of `redis` 4 or later, for one server or for Redis Cluster. It stays
   * the application's, which connects it, listens for its errors and closes it. It is used for short commands, so it must not be one
   * that blocks. More connections are made like it, to be told of changes and to get broadcasts.
   */
  client: IoredisClient | NodeRedisClient;
  /**
   * How long the id of a node that has died stays taken, in ms; it is renewed three times as often.
   * @default 15000
   */
  lease?: number;
  /**
   * What the names of keys and channels begin with.
   * @default "tidewire"
   */
  prefix?: string;
  /**
   * How many events of each namespace are kept at most, so that clients that come back get them; a client that has missed more begins
   * anew.
   * @default 100000
   */
  maxEvents?: number;
}

/** What `redis()` returns. */
export interface RedisBackend extends Backend {
  readonly channels: Channels;
  readonly journal: Journal;
}

/**
 * Lets the nodes of several machines find each other through Redis or Valkey, which carries their broadcasts, too: for the option
 * `backend` of `cluster()`.
 *
 * @throws RedisError (`NO_CLIENT`, `BAD_LEASE`, `BAD_MAX_EVENTS`)
 *
 * @example
 * const client = new Redis("redis://10.0.0.5");
 *
 * const io = new Server(3000, {
 *   cluster: cluster({ listen: { secret: process.env.CLUSTER_SECRET }, backend: redis({ client }) }),
 * });
 */
export function redis(options: RedisOptions): RedisBackend {
  const { client, lease = 15_000, prefix = "tidewire", maxEvents = 100_000 } = options;
  if (!Number.isFinite(lease) || lease < 1000) throw new RedisError("BAD_LEASE");
  if (!Number.isSafeInteger(maxEvents) || maxEvents < 1) throw new RedisError("BAD_MAX_EVENTS");
  const driver = driverOf(client);
  return {
    discovery: new LeasedDiscovery(new RedisLeases(driver, prefix, Math.round(lease)), "Redis", lease),
    channels: new RedisChannels(driver, prefix),
    journal: new RedisJournal(driver, prefix, Math.round(lease), maxEvents),
  };
}

function driverOf(client: unknown): RedisDriver {
  if (typeof client === "object" && client !== null) {
    if ("isOpen" in client && typeof client.isOpen === "boolean") {
      return new NodeRedisDriver(client as NodeRedisClient);
    }
    if ("status" in client && typeof client.status === "string") {
      return new IoredisDriver(client as IoredisClient);
    }
  }
  throw new RedisError("NO_CLIENT");
}
