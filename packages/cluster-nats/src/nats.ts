import type { Backend, Channels } from "@tidewire/cluster";
import type { NatsConnection } from "./connection.ts";
import { NatsError } from "./errors.ts";
import { NatsChannels } from "./nats-channels.ts";
import { NatsDiscovery } from "./nats-discovery.ts";
import { Reachability } from "./reachability.ts";

/** How many times a lease is renewed before it ends. */
const RENEWALS = 3;

/** Words with dots between them. */
const PREFIX = /^[\w-]+(\.[\w-]+)*$/;

export interface NatsOptions {
  /**
   * The connection of the application: of `nats` 2.29 or later, or of `@nats-io/transport-node` 3 or later. It stays the
   * application's, which closes it. Connect with `maxReconnectAttempts: -1`, or it gives up when NATS is away for long.
   */
  connection: NatsConnection;
  /**
   * How long the id of a node that has died stays taken, in ms; it is renewed three times as often.
   * @default 15000
   */
  lease?: number;
  /**
   * What subjects begin with: words of `A-Z a-z 0-9 _ -`, with dots between them.
   * @default "tidewire"
   */
  prefix?: string;
}

/** What `nats()` returns. */
export interface NatsBackend extends Backend {
  readonly channels: Channels;
}

/**
 * Lets the nodes of several machines find each other, and broadcast, through NATS, for the option `backend` of `cluster()`. It needs no
 * JetStream.
 *
 * @throws NatsError (`NO_CONNECTION`, `BAD_LEASE`, `BAD_PREFIX`)
 *
 * @example
 * const connection = await connect({ servers: "nats.internal:4222", maxReconnectAttempts: -1 });
 *
 * const io = new Server(3000, {
 *   cluster: cluster({
 *     name: "chat",
 *     listen: { port: [7900, 7963], secret: process.env.TIDEWIRE_SECRET },
 *     backend: nats({ connection }),
 *   }),
 * });
 */
export function nats({ connection, lease = 15_000, prefix = "tidewire" }: NatsOptions): NatsBackend {
  if (!isConnection(connection)) throw new NatsError("NO_CONNECTION");
  if (!Number.isFinite(lease) || lease < 1000) throw new NatsError("BAD_LEASE");
  if (!PREFIX.test(prefix)) throw new NatsError("BAD_PREFIX");
  const reachability = new Reachability(connection);
  return {
    discovery: new NatsDiscovery({ connection, reachability, prefix, lease, interval: lease / RENEWALS }),
    channels: new NatsChannels(connection, reachability, prefix),
  };
}

function isConnection(connection: unknown): connection is NatsConnection {
  const members = ["publish", "subscribe", "flush", "status", "closed", "isClosed"];
  return (
    typeof connection === "object" &&
    connection !== null &&
    members.every((name) => typeof Reflect.get(connection, name) === "function")
  );
}
