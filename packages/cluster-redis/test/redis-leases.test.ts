// What is in Redis, and what the option "client" may be. The rest is what every backend does.
import assert from "node:assert/strict";
import { setTimeout as delay } from "node:timers/promises";
import { BackendNode, LEASE } from "../../../test/support/backends/node.ts";
import type { Connected } from "../../../test/support/backends/node.ts";
import { RedisServer, describeWithRedis } from "../../../test/support/redis/redis-server.ts";
import { redis } from "../src/redis.ts";
import { clients } from "./clients.ts";
import type { Client } from "./clients.ts";

const KEY = "tidewire:{test}:nodes";

async function connect(port: number): Promise<Connected> {
  const { client, [Symbol.asyncDispose]: close } = await clients["ioredis"]!(`redis://127.0.0.1:${port}`);
  return { backend: redis({ client, lease: LEASE }), [Symbol.asyncDispose]: close };
}

describeWithRedis("leases in Redis", () => {
  let server: RedisServer;
  let client: Client;

  before(async () => {
    server = await RedisServer.start();
    client = await clients["ioredis"]!(server.url);
  });

  after(async () => {
    await client[Symbol.asyncDispose]();
    await server[Symbol.asyncDispose]();
  });

  it("are taken again when they are gone, unless another node has the id", async () => {
    await using a = await BackendNode.connect("test", "AAAA", server.port, connect);
    assert.equal(await a.announce(), true);
    await client.command("DEL", KEY);
    await using b = await BackendNode.connect("test", "BBBB", server.port, connect);
    assert.equal(await b.announce(), true);
    await b.finds("AAAA");
    const far = String(Date.now() + 1_000_000);
    await client.command("HSET", KEY, "AAAA", `${far} another-epoch elsewhere:1`);
    while ((await a.found.next()) !== "taken");
    assert.equal(await client.command("HGET", KEY, "AAAA"), `${far} another-epoch elsewhere:1`);
    await client.command("DEL", KEY);
  });

  it("leave nothing in Redis when all have ended", async () => {
    const a = await BackendNode.connect("test", "AAAA", server.port, connect);
    assert.equal(await a.announce(), true);
    await a[Symbol.asyncDispose]();
    await delay(LEASE + 200);
    assert.deepEqual(await client.command("KEYS", "*"), []);
  });
});

describe("redis()", () => {
  for (const [title, options, code] of [
    ["what is no client", { client: {} }, "NO_CLIENT"],
    ["no client", {}, "NO_CLIENT"],
    ["a lease that is too short", { client: { isOpen: true }, lease: 10 }, "BAD_LEASE"],
  ] as const) {
    it(`reports ${title}`, () => {
      assert.throws(() => redis(options as never), { name: "RedisError", code });
    });
  }
});
