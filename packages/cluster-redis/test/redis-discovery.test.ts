// What is found through a real Redis, with the clients that applications have.
import assert from "node:assert/strict";
import type { Announcement, Discovery } from "@tidewire/cluster";
import { RedisServer, describeWithRedis } from "../../../test/support/redis/redis-server.ts";
import { Queue } from "../../../test/support/waiting/queue.ts";
import { redis } from "../src/redis.ts";
import type { RedisOptions } from "../src/redis.ts";
import { clients } from "./clients.ts";
import type { Client } from "./clients.ts";

const KEY = "tidewire:{test}:nodes";

/** A node that is found at `<id>:1`. */
class Finder implements AsyncDisposable {
  readonly discovery: Discovery;
  readonly self: Announcement;
  readonly events: Queue<string> = new Queue("an event of a discovery");
  #found = "";

  constructor(client: RedisOptions["client"], id: string, epoch: string = `epoch of ${id}`) {
    this.discovery = redis({ client, lease: 1500 }).discovery;
    this.self = { id, epoch: epoch.replaceAll(" ", "-"), address: `${id}:1` };
    this.discovery.start("test", {
      onNodes: (nodes) => {
        const found = nodes.map((node) => `${node.id}@${node.address}`).toSorted();
        if (String(found) !== this.#found) this.events.push(`finds ${found.join(" and ") || "nobody"}`);
        this.#found = String(found);
      },
      onTaken: () => this.events.push("taken"),
      onAway: (error) => this.events.push(`away: ${(error as Error & { code: string }).code}`),
      onBack: () => this.events.push("back"),
    });
  }

  announce(): Promise<boolean> {
    return this.discovery.announce(this.self);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.discovery.close();
  }
}

describeWithRedis("nodes find each other through Redis", () => {
  let server: RedisServer;

  beforeEach(async () => {
    server = await RedisServer.start();
  });

  afterEach(() => server[Symbol.asyncDispose]());

  for (const [name, connect] of Object.entries(clients)) {
    describe(`with a client of ${name}`, () => {
      let client: Client;

      beforeEach(async () => {
        client = await connect(server.url);
      });

      afterEach(() => client[Symbol.asyncDispose]());

      it("at once, when one comes and when it leaves", async () => {
        await using a = new Finder(client.client, "AAAA");
        assert.equal(await a.announce(), true);
        const begin = performance.now();
        const b = new Finder(client.client, "BBBB");
        assert.equal(await b.announce(), true);
        assert.equal(await a.events.next(), "finds BBBB@BBBB:1");
        assert.equal(await b.events.next(), "finds AAAA@AAAA:1");
        await b.discovery.close();
        assert.equal(await a.events.next(), "finds nobody");
        assert.ok(performance.now() - begin < 1400, "before the leases end");
      });

      it("again, when Redis has been killed and started with nothing in it", async () => {
        await using a = new Finder(client.client, "AAAA");
        await using b = new Finder(client.client, "BBBB");
        assert.deepEqual([await a.announce(), await b.announce()], [true, true]);
        assert.equal(await a.events.next(), "finds BBBB@BBBB:1");
        await server.kill();
        assert.equal(await a.events.next(), "away: DISCOVERY_AWAY");
        await server.start();
        assert.equal(await a.events.next(), "back");
        // With or without a moment in which the other one has not come back.
        await using c = new Finder(client.client, "CCCC");
        assert.equal(await c.announce(), true);
        while ((await a.events.next()) !== "finds BBBB@BBBB:1 and CCCC@CCCC:1");
        assert.equal(String(await client.command("HLEN", KEY)), "3");
      });

      it("again, when Redis has hung", async () => {
        await using a = new Finder(client.client, "AAAA");
        assert.equal(await a.announce(), true);
        server.stall();
        assert.equal(await a.events.next(), "away: DISCOVERY_AWAY");
        server.resume();
        assert.equal(await a.events.next(), "back");
      });
    });
  }

  describe("and lease their ids:", () => {
    let client: Client;

    beforeEach(async () => {
      client = await clients["ioredis"]!(server.url);
    });

    afterEach(() => client[Symbol.asyncDispose]());

    it("one that is taken is refused, and the node that has it keeps it", async () => {
      await using a = new Finder(client.client, "AAAA");
      await using other = new Finder(client.client, "AAAA", "another epoch");
      assert.equal(await a.announce(), true);
      assert.equal(await other.announce(), false);
      assert.equal(await a.announce(), true);
    });

    it("one is not given again before the lease of a node that has left ends", async () => {
      const a = new Finder(client.client, "AAAA");
      assert.equal(await a.announce(), true);
      await a.discovery.close();
      await using other = new Finder(client.client, "AAAA", "another epoch");
      assert.equal(await other.announce(), false);
      await new Promise((resolve) => setTimeout(resolve, 1700));
      assert.equal(await other.announce(), true);
    });

    it("that of a node that has died ends", async () => {
      await using a = new Finder(client.client, "AAAA");
      assert.equal(await a.announce(), true);
      const connection = await clients["ioredis"]!(server.url);
      const dead = new Finder(connection.client, "BBBB");
      assert.equal(await dead.announce(), true);
      assert.equal(await a.events.next(), "finds BBBB@BBBB:1");
      await connection[Symbol.asyncDispose]();
      assert.equal(await a.events.next(), "finds nobody");
      await dead.discovery.close();
    });

    it("a node whose lease is gone takes it again, unless another one has the id", async () => {
      await using a = new Finder(client.client, "AAAA");
      assert.equal(await a.announce(), true);
      await client.command("DEL", KEY);
      await using b = new Finder(client.client, "BBBB");
      assert.equal(await b.announce(), true);
      while ((await b.events.next()) !== "finds AAAA@AAAA:1");
      const far = String(Date.now() + 1_000_000);
      await client.command("HSET", KEY, "AAAA", `${far} another-epoch elsewhere:1`);
      while ((await a.events.next()) !== "taken");
      assert.equal(await client.command("HGET", KEY, "AAAA"), `${far} another-epoch elsewhere:1`);
    });

    it("nothing is left in Redis when all have ended", async () => {
      const a = new Finder(client.client, "AAAA");
      assert.equal(await a.announce(), true);
      await a.discovery.close();
      await new Promise((resolve) => setTimeout(resolve, 1700));
      assert.deepEqual(await client.command("KEYS", "*"), []);
    });
  });

  it("reports what is no client, and no lease", () => {
    const code = (run: () => unknown): string => {
      try {
        run();
        return "none";
      } catch (error) {
        return (error as { code: string }).code;
      }
    };
    assert.equal(
      code(() => redis({ client: {} as never })),
      "NO_CLIENT",
    );
    assert.equal(
      code(() => redis({ client: undefined as never })),
      "NO_CLIENT",
    );
    assert.equal(
      code(() => redis({ client: { isOpen: true } as never, lease: 10 })),
      "BAD_LEASE",
    );
  });
});
