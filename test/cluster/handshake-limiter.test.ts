// Handshakes that several nodes count together, with a limiter of rate-limiter-flexible.
import assert from "node:assert/strict";
import { Redis } from "ioredis";
import { RateLimiterMemory, RateLimiterRedis } from "rate-limiter-flexible";
import { engineHosts } from "../support/engine/hosts.ts";
import { onEveryHost } from "../support/hosts/on-every-host.ts";
import { warningsOf } from "../support/process/warnings.ts";
import { describeWithRedis, RedisServer } from "../support/redis/redis-server.ts";
import { closing } from "../support/waiting/closing.ts";

const POLLING = "transport=polling";
const WEBSOCKET = "transport=websocket";

onEveryHost("limits.handshakeLimiter", engineHosts, (host) => {
  host.it("counts the handshakes of an address, over both transports", async () => {
    const handshakeLimiter = new RateLimiterMemory({ points: 2, duration: 60 });
    await using server = await host.start({ limits: { handshakeLimiter } });
    const { client } = server;
    assert.equal((await client.get(server.path(POLLING))).status, 200);
    await client.websocket(server.path(WEBSOCKET));
    const plain = await client.get(server.path(POLLING));
    assert.deepEqual([plain.status, plain.body], [429, '{"code":4,"message":"Too many handshakes"}']);
    assert.equal((await client.refused(server.path(WEBSOCKET))).status, 429);
    const { code, context } = await server.nextError();
    assert.equal(code, 4);
    const { name, limit, address } = context as Record<string, unknown>;
    assert.deepEqual([name, limit, address], ["TOO_MANY_HANDSHAKES", 2, "127.0.0.1"]);
  });

  host.it("is asked after `handshakesPerSecond`, and not by polls of an open session", async () => {
    const keys: string[] = [];
    const handshakeLimiter = { consume: (key: string) => Promise.resolve(void keys.push(key)) };
    const limits = { handshakeLimiter, handshakesPerSecond: { rate: 0.01, burst: 1 } };
    await using server = await host.start({ limits });
    const opened = await server.client.get(server.path(POLLING));
    const { sid } = JSON.parse(opened.body.slice(1)) as { sid: string };
    await server.client.post(server.path(`${POLLING}&sid=${sid}`), "4hello");
    assert.equal((await server.client.get(server.path(POLLING))).status, 429);
    assert.deepEqual(keys, ["127.0.0.1"]);
  });

  host.it("lets clients in while its store fails, and says so once", async () => {
    const handshakeLimiter = { consume: () => Promise.reject(new Error("the store is gone")) };
    await using server = await host.start({ limits: { handshakeLimiter } });
    const warnings = await warningsOf("TIDEWIRE_HANDSHAKE_LIMITER", async () => {
      for (let handshake = 1; handshake <= 3; handshake++) {
        assert.equal((await server.client.get(server.path(POLLING))).status, 200);
      }
    });
    assert.equal(warnings.length, 1);
    assert.match(warnings[0]!, /the store is gone/);
  });

  host.it("refuses what has no method consume()", async () => {
    const limits = { handshakeLimiter: { points: 3 } as never };
    await assert.rejects(async () => host.start({ limits }), { code: "INVALID_OPTION" });
  });
});

describeWithRedis("limits.handshakeLimiter with Redis", () => {
  let redis: RedisServer;
  before(async () => {
    redis = await RedisServer.start();
  });
  after(() => redis.kill());

  it("counts at two nodes together, and lets clients in while Redis is gone", async () => {
    const [host] = engineHosts;
    const storeClient = new Redis(redis.url, { enableOfflineQueue: false, retryStrategy: () => 50 });
    using _client = closing(() => storeClient.disconnect());
    storeClient.on("error", () => {});
    await new Promise((resolve) => storeClient.once("ready", resolve));
    const limiter = () => new RateLimiterRedis({ storeClient, points: 3, duration: 60 });
    await using one = await host!.start({ limits: { handshakeLimiter: limiter() } });
    await using two = await host!.start({ limits: { handshakeLimiter: limiter() } });
    const statuses: number[] = [];
    for (const server of [one, two, one, two, one]) {
      statuses.push((await server.client.get(server.path(POLLING))).status);
    }
    assert.deepEqual(statuses, [200, 200, 200, 429, 429]);
    const closed = new Promise((resolve) => storeClient.once("close", resolve));
    await redis.kill();
    await closed;
    assert.equal((await two.client.get(two.path(POLLING))).status, 200);
  });
});
