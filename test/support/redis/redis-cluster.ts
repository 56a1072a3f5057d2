import assert from "node:assert/strict";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Redis } from "ioredis";
import { freePort } from "../hosts/free-port.ts";
import { RedisServer } from "./redis-server.ts";

const SLOTS = 16_384;
const MASTERS = 3;

/** One server of a cluster. */
interface Member {
  readonly server: RedisServer;
  readonly busPort: number;
  readonly folder: string;
  readonly redis: Redis;
}

/** A Redis Cluster of its own: three masters, and a replica of the first one. */
export class RedisCluster implements AsyncDisposable {
  readonly #members: readonly Member[];
  /** A master, and its replica. */
  readonly #pair: [Member, Member];
  readonly #down: Set<Member> = new Set();

  private constructor(members: readonly Member[]) {
    this.#members = members;
    this.#pair = [members[0]!, members[MASTERS]!];
  }

  static async start(): Promise<RedisCluster> {
    const cluster = new RedisCluster(await Promise.all(Array.from({ length: MASTERS + 1 }, startMember)));
    await cluster.#create();
    return cluster;
  }

  /** The ports of its servers. */
  get ports(): readonly number[] {
    return this.#members.map(({ server }) => server.port);
  }

  async #create(): Promise<void> {
    const [first, ...others] = this.#members;
    for (const [index, { redis }] of this.#members.entries()) {
      await redis.call("CLUSTER", "SET-CONFIG-EPOCH", index + 1);
      if (index === MASTERS) continue;
      const [from, to] = [index, index + 1].map((part) => Math.floor((part * SLOTS) / MASTERS));
      await redis.call("CLUSTER", "ADDSLOTSRANGE", from!, to! - 1);
    }
    for (const { server, busPort } of others) {
      await first!.redis.call("CLUSTER", "MEET", "127.0.0.1", server.port, busPort);
    }
    await this.#agree();
    const replica = this.#members[MASTERS]!;
    await replica.redis.call("CLUSTER", "REPLICATE", await idOf(first!));
    await this.#isReplica(replica);
  }

  async #isReplica({ redis }: Member): Promise<void> {
    await until(async () => (await redis.info("replication")).includes("master_link_status:up"));
  }

  /** Waits until all servers know each other, and serve all slots. */
  async #agree(): Promise<void> {
    for (const { redis } of this.#members.filter((member) => !this.#down.has(member))) {
      await until(async () => {
        const info = String(await redis.call("CLUSTER", "INFO"));
        return info.includes("cluster_state:ok") && info.includes(`cluster_known_nodes:${MASTERS + 1}`);
      });
    }
  }

  get #masters(): Member[] {
    return [this.#pair[0], ...this.#members.slice(1, MASTERS)];
  }

  /** Removes all keys. */
  async clear(): Promise<void> {
    await Promise.all(this.#masters.map(({ redis }) => redis.flushall()));
  }

  /** All servers at once. */
  async kill(): Promise<void> {
    await Promise.all(this.#members.map(({ server }) => server.kill()));
  }

  async start(): Promise<void> {
    await Promise.all(this.#members.map(({ server }) => server.start()));
    await this.#agree();
  }

  /** The slot of a key or a channel. */
  async slotOf(key: string): Promise<number> {
    return Number(await this.#members[0]!.redis.call("CLUSTER", "KEYSLOT", key));
  }

  /** Moves a slot to another master, with its keys. */
  async moveSlot(slot: number): Promise<void> {
    const from = await this.#masterOf(slot);
    const to = this.#masters.find((member) => member !== from)!;
    const [fromId, toId] = [await idOf(from), await idOf(to)];
    await to.redis.call("CLUSTER", "SETSLOT", slot, "IMPORTING", fromId);
    await from.redis.call("CLUSTER", "SETSLOT", slot, "MIGRATING", toId);
    const keys = (await from.redis.call("CLUSTER", "GETKEYSINSLOT", slot, 1000)) as string[];
    if (keys.length > 0) {
      await from.redis.call("MIGRATE", "127.0.0.1", to.server.port, "", 0, 1000, "KEYS", ...keys);
    }
    const others = this.#masters.filter((member) => member !== to);
    for (const { redis } of [to, ...others]) await redis.call("CLUSTER", "SETSLOT", slot, "NODE", toId);
  }

  /** Kills the master that has a replica, and lets its replica take its place. */
  async failOver(): Promise<void> {
    const [master, replica] = this.#pair;
    this.#down.add(master);
    await master.server.kill();
    await replica.redis.call("CLUSTER", "FAILOVER", "TAKEOVER");
    await until(async () => (await replica.redis.info("replication")).includes("role:master"));
    await this.#agree();
  }

  /** Starts the master that has been killed, as the replica of the one that has taken its place. */
  async recover(): Promise<void> {
    const [replica] = this.#pair;
    if (!this.#down.delete(replica)) return;
    this.#pair.reverse();
    await replica.server.start();
    await this.#isReplica(replica);
    await this.#agree();
  }

  /** Whether the master that has a replica has a slot. */
  async hasReplica(slot: number): Promise<boolean> {
    return (await this.#masterOf(slot)) === this.#pair[0];
  }

  async #masterOf(slot: number): Promise<Member> {
    const ranges = (await this.#members[1]!.redis.call("CLUSTER", "SLOTS")) as [
      number,
      number,
      [string, number],
    ][];
    const range = ranges.find(([from, to]) => from <= slot && slot <= to);
    const member = this.#members.find(({ server }) => server.port === range?.[2][1]);
    assert.ok(member, `nobody has slot ${slot}`);
    return member;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const { redis } of this.#members) redis.disconnect();
    await this.kill();
    for (const { folder } of this.#members) rmSync(folder, { recursive: true });
  }
}

async function startMember(): Promise<Member> {
  const folder = mkdtempSync(join(tmpdir(), "tidewire-redis-"));
  const busPort = await freePort();
  const settings = ["--cluster-enabled", "yes", "--cluster-port", String(busPort), "--dir", folder];
  const server = await RedisServer.start(settings);
  const redis = new Redis(server.url, { retryStrategy: () => 50, maxRetriesPerRequest: null });
  redis.on("error", () => {});
  return { server, busPort, folder, redis };
}

async function idOf({ redis }: Member): Promise<string> {
  return String(await redis.call("CLUSTER", "MYID"));
}

/** Servers tell nobody what they have learned of each other. */
async function until(isTrue: () => Promise<boolean>): Promise<void> {
  while (!(await isTrue())) await new Promise((resolve) => setTimeout(resolve, 20));
}
