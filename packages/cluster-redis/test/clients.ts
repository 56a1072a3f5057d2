import { Redis } from "ioredis";
import { Redis as Redis5 } from "ioredis-5";
import { createClient } from "redis";
import { createClient as createClient4 } from "redis-4";
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
