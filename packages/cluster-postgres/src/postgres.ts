import type { Backend, Channels } from "@tidewire/cluster";
import { LeasedDiscovery } from "@tidewire/cluster";
import { fromFactory, fromPool } from "./connection/client.ts";
import type { Connect, PostgresClient, PostgresPool } from "./connection/client.ts";
import { Connection } from "./connection/connection.ts";
import { PostgresError } from "./errors.ts";
import { PostgresChannels } from "./postgres-channels.ts";
import { PostgresLeases } from "./postgres-leases.ts";

/** Names of channels have 63 characters at most, and that of the cluster has up to 40 of them. */
const PREFIX = /^[a-z_][a-z0-9_]{0,14}$/;

export interface PostgresOptions {
  /**
   * The pool of the application, of `pg` 8 or later. It stays the application's, which listens for its errors and ends it. One of its
   * connections is in use until the server has closed.
   * @default none: then `client` is needed
   */
  pool?: PostgresPool;
  /**
   * In place of a pool: returns a new `Client` of `pg` 8 or later, which has not been connected. It is connected and ended here.
   * @default none: then `pool` is needed
   */
  client?: () => PostgresClient;
  /**
   * How long the id of a node that has died stays taken, in ms; it is renewed three times as often.
   * @default 15000
   */
  lease?: number;
  /**
   * What the names of the table and of the channels begin with: 1 to 15 of the characters `a-z 0-9 _`, of which the first is no digit.
   * @default "tidewire", which makes the table `tidewire_nodes`
   */
  prefix?: string;
}

/** What `postgres()` returns. */
export interface PostgresBackend extends Backend {
  readonly channels: Channels;
}

/**
 * Lets the nodes of several machines find each other, and broadcast what is small, through PostgreSQL, for the option `backend` of
 * `cluster()`.
 *
 * @throws PostgresError (`NO_CLIENT`, `BAD_LEASE`, `BAD_PREFIX`)
 *
 * @example
 * const pool = new Pool({ host: "postgres.internal", connectionTimeoutMillis: 5000 });
 *
 * const io = new Server(3000, {
 *   cluster: cluster({
 *     name: "chat",
 *     listen: { port: [7900, 7963], secret: process.env.TIDEWIRE_SECRET },
 *     backend: postgres({ pool }),
 *   }),
 * });
 */
export function postgres({
  pool,
  client,
  lease = 15_000,
  prefix = "tidewire",
}: PostgresOptions): PostgresBackend {
  if (!Number.isFinite(lease) || lease < 1000) throw new PostgresError("BAD_LEASE");
  if (!PREFIX.test(prefix)) throw new PostgresError("BAD_PREFIX");
  const connection = new Connection(connectOf(pool, client));
  const leases = new PostgresLeases(connection, prefix, Math.round(lease));
  return {
    discovery: new LeasedDiscovery(leases, "PostgreSQL", lease),
    channels: new PostgresChannels(connection, prefix),
  };
}

function connectOf(pool: unknown, client: unknown): Connect {
  if (typeof client === "function") return fromFactory(client as () => PostgresClient);
  if (typeof pool === "object" && pool !== null && "connect" in pool && typeof pool.connect === "function") {
    return fromPool(pool as PostgresPool);
  }
  throw new PostgresError("NO_CLIENT");
}
