import { Cluster, Redis } from "ioredis";
import { Cluster as Cluster5, Redis as Redis5 } from "ioredis-5";
import { createClient, createCluster } from "redis";
import { createClient as createClient4, createCluster as createCluster4 } from "redis-4";
import type { RedisOptions } from "../src/redis.ts";

/** A client as an application makes it, connected to `url`. */
export interface Client extends AsyncDisposable {
  readonly client: RedisOptions["client"];
  command(name: string, ...args: string[]): Promise<unknown>;
}

/** The clients that applications have, by name. */
export const clients: Readonly<Record<string, (url: string) => Promise<Client>>> = {
  ioredis: (url) => withIoredis(new Redis(url, { retryStrategy: () => 100 })),
  "ioredis 5": (url) => withIoredis(new Redis5(url, { retryStrategy: () => 100 })),
  redis: (url) => withRedis(createClient({ url, socket: { reconnectStrategy: 100 } })),
  "redis 4": (url) => withRedis(createClient4({ url, socket: { reconnectStrategy: 100 } })),
};

function withIoredis(client: Redis | Redis5): Promise<Client> {
  client.on("error", () => {});
  return Promise.resolve({
    client,
    command: (name, ...args) => client.call(name, ...args),
    [Symbol.asyncDispose]: async () => client.disconnect(),
  });
}

async function withRedis(
  client: ReturnType<typeof createClient> | ReturnType<typeof createClient4>,
): Promise<Client> {
  client.on("error", () => {});
  await client.connect();
  return {
    client,
    command: (...words) => client.sendCommand(words),
    [Symbol.asyncDispose]: async () => {
      if ("destroy" in client) client.destroy();
      else await client.disconnect();
    },
  };
}

/** The clients of Redis Cluster, by name; `ports` are those under which its servers are reached, by their own. */
export const clusterClients: Readonly<
  Record<string, (ports: ReadonlyMap<number, number>) => Promise<Client>>
> = {
  ioredis: (ports) => withIoredisCluster(new Cluster(...ioredisSettings(ports))),
  redis: (ports) => withRedisCluster(createCluster(redisSettings(ports))),
  "ioredis 5": (ports) => withIoredisCluster(new Cluster5(...ioredisSettings(ports))),
  "redis 4": (ports) => withRedisCluster(createCluster4(redisSettings(ports))),
};

function ioredisSettings(
  ports: ReadonlyMap<number, number>,
): [
  { host: string; port: number }[],
  { natMap: Record<string, { host: string; port: number }>; clusterRetryStrategy: () => number },
] {
  const addresses = [...ports].map(
    ([own, port]) => [`127.0.0.1:${own}`, { host: "127.0.0.1", port }] as const,
  );
  return [
    addresses.map(([, address]) => address),
    { natMap: Object.fromEntries(addresses), clusterRetryStrategy: () => 100 },
  ];
}

function redisSettings(ports: ReadonlyMap<number, number>): {
  rootNodes: { url: string }[];
  nodeAddressMap: Record<string, { host: string; port: number }>;
  minimizeConnections: boolean;
  defaults: { socket: { reconnectStrategy: number } };
} {
  const [roots, { natMap }] = ioredisSettings(ports);
  return {
    rootNodes: roots.map(({ port }) => ({ url: `redis://127.0.0.1:${port}` })),
    nodeAddressMap: natMap,
    minimizeConnections: true,
    defaults: { socket: { reconnectStrategy: 100 } },
  };
}

function withIoredisCluster(client: Cluster | Cluster5): Promise<Client> {
  client.on("error", () => {});
  return Promise.resolve({
    client,
    command: (name, ...args) => client.call(name, ...args),
    [Symbol.asyncDispose]: async () => client.disconnect(),
  });
}

async function withRedisCluster(
  client: ReturnType<typeof createCluster> | ReturnType<typeof createCluster4>,
): Promise<Client> {
  client.on("error", () => {});
  await client.connect();
  return {
    client,
    command: (...words) => client.sendCommand(words[1], false, words),
    [Symbol.asyncDispose]: async () => {
      if ("destroy" in client) client.destroy();
      else await client.disconnect();
    },
  };
}
