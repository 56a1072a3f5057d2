// What is published through a real Redis, with the clients that applications have.
import assert from "node:assert/strict";
import { setImmediate as turn } from "node:timers/promises";
import type { Channels } from "@tidewire/cluster";
import type { Redis } from "ioredis";
import { block } from "../../../test/support/process/blocked-loop.ts";
import { RedisServer, describeWithRedis } from "../../../test/support/redis/redis-server.ts";
import { Queue } from "../../../test/support/waiting/queue.ts";
import { redis } from "../src/redis.ts";
import type { RedisOptions } from "../src/redis.ts";
import { clients } from "./clients.ts";
import type { Client } from "./clients.ts";

/** The channels of a node. */
class Node implements AsyncDisposable {
  readonly channels: Channels;
  readonly heard: Queue<string> = new Queue("a publication");
  readonly events: Queue<string> = new Queue("an event of channels");
  readonly confirmed: Queue<string> = new Queue("a confirmation");

  constructor(client: RedisOptions["client"], cluster: string = "test") {
    this.channels = redis({ client }).channels;
    this.channels.start(cluster, {
      onPublication: (channel, payload) => this.heard.push(`${channel} ${payload.toString("latin1")}`),
      onAway: (error) => this.events.push(`away: ${(error as Error & { code: string }).code}`),
      onBack: () => this.events.push("back"),
      onConfirmed: () => this.confirmed.push("confirmed"),
    });
  }

  publish(channel: number, text: string): void {
    this.channels.publish(channel, Buffer.from(text, "latin1"));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.channels.close();
  }
}

/** Subscribers of the channels of the cluster `test`, by their numbers. */
async function subscribers(client: Client, command: "NUMSUB" | "SHARDNUMSUB"): Promise<number[]> {
  const names = [0, 7, 256].map((channel) => `tidewire:test:${channel}`);
  const counts = (await client.command("PUBSUB", command, ...names)) as unknown[];
  return counts.filter((_, index) => index % 2 === 1).map(Number);
}

describeWithRedis("channels of Redis", function () {
  let server: RedisServer;
  let client: Client;

  const restart = async (connect: (url: string) => Promise<Client>, settings?: string[]): Promise<void> => {
    server = await RedisServer.start(settings);
    client = await connect(server.url);
  };

  afterEach(async () => {
    await client[Symbol.asyncDispose]();
    await server[Symbol.asyncDispose]();
  });

  for (const [index, [name, connect]] of Object.entries(clients).entries()) {
    describe(`with a client of ${name}`, () => {
      beforeEach(() => restart(connect));

      it("carry any bytes, to those that subscribe, in order", async () => {
        await using a = new Node(client.client);
        await using b = new Node(client.client);
        await using stranger = new Node(client.client, "another");
        await Promise.all([a.channels.subscribe(0), b.channels.subscribe(256), b.channels.subscribe(7)]);
        await stranger.channels.subscribe(256);
        const bytes = Buffer.from(Array.from({ length: 256 }, (_, n) => n)).toString("latin1");
        a.publish(256, bytes);
        for (let n = 0; n < 100; n++) a.publish(n % 2 === 0 ? 7 : 256, `${n}`);
        a.publish(0, "own");
        assert.equal(await b.heard.next(), `256 ${bytes}`);
        for (let n = 0; n < 100; n++) assert.equal(await b.heard.next(), `${n % 2 === 0 ? 7 : 256} ${n}`);
        assert.equal(await a.heard.next(), "0 own");
        assert.deepEqual([a.heard.pending, b.heard.pending, stranger.heard.pending], [[], [], []]);
        assert.deepEqual(await subscribers(client, "SHARDNUMSUB"), [1, 1, 1]);
        b.channels.unsubscribe(7);
        while ((await subscribers(client, "SHARDNUMSUB"))[1] !== 0);
        await b.channels.subscribe(7);
        assert.deepEqual(await subscribers(client, "SHARDNUMSUB"), [1, 1, 1]);
      });

      it("are busy until Redis has confirmed what they have published", async () => {
        await using a = new Node(client.client);
        await a.channels.subscribe(1);
        server.stall();
        a.publish(1, "one");
        a.publish(1, "two");
        await turn();
        assert.equal(a.channels.isBusy, true);
        assert.deepEqual(a.confirmed.pending, []);
        server.resume();
        await a.confirmed.next();
        assert.equal(a.channels.isBusy, false);
        assert.equal(await a.heard.next(), "1 one");
        assert.equal(await a.heard.next(), "1 two");
      });

      // That takes three seconds, and depends on time rather than on the client.
      (index > 0 ? () => {} : it)("are away while Redis hangs", async () => {
        await using a = new Node(client.client);
        await a.channels.subscribe(1);
        server.stall();
        assert.equal(await a.events.next(), "away: CHANNELS_AWAY");
        server.resume();
        assert.equal(await a.events.next(), "back");
        a.publish(1, "one");
        assert.equal(await a.heard.next(), "1 one");
      });
    });
  }

  it("are not away when the process was stopped while an echo was under way", async () => {
    await restart(clients["ioredis"]!);
    await using a = new Node(client.client);
    await a.channels.subscribe(1);
    const redisClient = client.client as Redis;
    const publish = redisClient.spublish.bind(redisClient);
    await new Promise<void>((resolve) => {
      redisClient.spublish = (channel, message) => {
        redisClient.spublish = publish;
        setImmediate(() => {
          block(2500);
          resolve();
        });
        return publish(channel, message);
      };
    });
    a.publish(1, "one");
    assert.equal(await a.heard.next(), "1 one");
    assert.deepEqual(a.events.pending, []);
  });

  it("are away from the beginning if Redis is, until it is there", async () => {
    await restart(clients["ioredis"]!);
    await server.kill();
    await using a = new Node(client.client);
    const subscribed = a.channels.subscribe(1);
    assert.equal(await a.events.next(), "away: CHANNELS_AWAY");
    await server.start();
    await subscribed;
    assert.equal(await a.events.next(), "back");
  });

  it("are not sharded on servers that cannot do that", async () => {
    await restart(clients["ioredis"]!, ["--rename-command", "SSUBSCRIBE", ""]);
    await using a = new Node(client.client);
    await using b = new Node(client.client);
    await Promise.all([a.channels.subscribe(256), b.channels.subscribe(256)]);
    a.publish(256, "x");
    assert.equal(await b.heard.next(), "256 x");
    assert.deepEqual(await subscribers(client, "NUMSUB"), [0, 0, 2]);
  });

  it("come back when somebody has ended the connections", async () => {
    await restart(clients["ioredis"]!);
    await using a = new Node(client.client);
    await a.channels.subscribe(1);
    await client.command("CLIENT", "KILL", "TYPE", "pubsub");
    assert.equal(await a.events.next(), "away: CHANNELS_AWAY");
    assert.equal(await a.events.next(), "back");
    a.publish(1, "one");
    assert.equal(await a.heard.next(), "1 one");
  });
});
