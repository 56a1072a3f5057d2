import process from "node:process";
import type { Backend } from "@tidewire/cluster";

/** Through which server nodes of several machines find each other, and broadcast: one of these, or none. */
export interface BackendPlace {
  redisUrl?: string | undefined;
  natsPort?: number | undefined;
  postgresPort?: number | undefined;
}

/** How long a lease of an id lasts, in ms. */
const LEASE = 2000;

/** The backend of a process, which closes its connection when the parent has gone. */
export async function backendAt({
  redisUrl,
  natsPort,
  postgresPort,
}: BackendPlace): Promise<Backend | undefined> {
  if (redisUrl !== undefined) return throughRedis(redisUrl);
  if (natsPort !== undefined) return throughNats(natsPort);
  if (postgresPort !== undefined) return throughPostgres(postgresPort);
  return undefined;
}

async function throughRedis(url: string): Promise<Backend> {
  const [{ Redis }, { redis }] = await Promise.all([import("ioredis"), import("@tidewire/cluster-redis")]);
  const client = new Redis(url, { retryStrategy: () => 100 });
  client.on("error", () => {});
  process.once("disconnect", () => client.disconnect());
  return redis({ client, lease: LEASE });
}

async function throughNats(port: number): Promise<Backend> {
  const [{ connect }, { nats }] = await Promise.all([import("nats"), import("@tidewire/cluster-nats")]);
  const connection = await connect({ port, maxReconnectAttempts: -1, reconnectTimeWait: 100 });
  process.once("disconnect", () => void connection.close());
  return nats({ connection, lease: LEASE });
}

async function throughPostgres(port: number): Promise<Backend> {
  const [{ Client }, { postgres }] = await Promise.all([import("pg"), import("@tidewire/cluster-postgres")]);
  const client = () => new Client({ host: "127.0.0.1", port, user: "test", database: "postgres" });
  return postgres({ client, lease: LEASE });
}
