// Three nodes that broadcast through a real Redis, each on an address of its own, with official clients.
import assert from "node:assert/strict";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setImmediate as turn } from "node:timers/promises";
import { cluster } from "@tidewire/cluster";
import { Server } from "@tidewire/server";
import type { Socket as ServerSocket } from "@tidewire/server";
import { Redis } from "ioredis";
import { io as connect } from "socket.io-client";
import type { Socket } from "socket.io-client";
import { RedisServer, describeWithRedis } from "../../../test/support/redis/redis-server.ts";
import { next } from "../../../test/support/waiting/events.ts";
import { Queue } from "../../../test/support/waiting/queue.ts";
import { redis } from "../src/redis.ts";

const SECRET = "a secret that all nodes share";
const CLIENTS = 2;

/** Messages per second, and for how long before, while and after Redis is away, in s. REDIS_RATE and REDIS_SECONDS make it harder. */
const RATE = Number(process.env["REDIS_RATE"] ?? 1000);
const SECONDS = Number(process.env["REDIS_SECONDS"] ?? 0.5);

/** The channel of everyone; those of rooms come before it. */
const EVERYONE = 256;

const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

/** A node with some clients. */
class Node {
  readonly io: Server;
  readonly redis: Redis;
  readonly events: Queue<string> = new Queue("an event of a cluster");
  readonly clients: Socket[] = [];
  readonly sockets: ServerSocket[] = [];
  missed = 0;

  constructor(url: string, address: string, folder: string) {
    this.redis = new Redis(url, { retryStrategy: () => 50 });
    this.redis.on("error", () => {});
    this.io = new Server(0, {
      host: "node",
      cluster: cluster({
        name: "test",
        directory: join(folder, address),
        listen: { host: address, secret: SECRET },
        backend: redis({ client: this.redis, lease: 2000 }),
      }),
    });
    this.io.cluster!.on("away", ({ code }) => this.events.push(`${code}`));
    this.io.cluster!.on("back", (code) => this.events.push(`back ${code}`));
    this.io.cluster!.on("gap", ({ missed }) => (this.missed += missed));
  }

  async connect(): Promise<void> {
    const { port } = this.io.httpServer.address() as { port: number };
    const url = `http://localhost:${port}`;
    for (let n = 0; n < CLIENTS; n++) {
      const accepted = next<[ServerSocket]>(this.io, "connection");
      const client = connect(url, { forceNew: true, transports: ["websocket"] });
      this.clients.push(client);
      this.sockets.push((await accepted)[0]);
      if (!client.connected) await next(client, "connect");
    }
  }

  async close(): Promise<void> {
    for (const client of this.clients) client.disconnect();
    await this.io.close();
    this.redis.disconnect();
  }
}

describeWithRedis("three nodes over Redis", function () {
  this.timeout(60_000);

  let server: RedisServer;
  let folder: string;
  let nodes: [Node, Node, Node];

  before(async () => {
    server = await RedisServer.start();
    folder = mkdtempSync(join(tmpdir(), "tidewire-test-"));
    const [a, b, c] = [2, 3, 4].map((last) => new Node(server.url, `127.0.0.${last}`, folder));
    nodes = [a!, b!, c!];
    for (const { io } of nodes) while (io.cluster!.nodes.length < 3) await pause(10);
    for (const node of nodes) await node.connect();
    while ((await subscribers(EVERYONE)) < 3) await pause(10);
  });

  after(async () => {
    await Promise.all(nodes.map((node) => node.close()));
    await server[Symbol.asyncDispose]();
    rmSync(folder, { recursive: true });
  });

  /** How many nodes subscribe to a channel; without one, to any channels of rooms. */
  async function subscribers(channel?: number): Promise<number> {
    const client = nodes[0].redis;
    if (channel !== undefined) {
      return Number(
        ((await client.call("PUBSUB", "SHARDNUMSUB", `tidewire:test:${channel}`)) as string[])[1],
      );
    }
    const names = (await client.call("PUBSUB", "SHARDCHANNELS", "tidewire:test:*")) as string[];
    return names.filter((name) => /:\d+$/.test(name) && !name.endsWith(`:${EVERYONE}`)).length;
  }

  it("subscribe to the partitions of rooms while they have members", async () => {
    assert.equal(await subscribers(), 0);
    const [, b, c] = nodes;
    await b.sockets[0]!.join("red");
    assert.equal(await subscribers(), 1);
    await c.sockets[0]!.join("red");
    assert.equal(await subscribers(), 1);
    await c.sockets[0]!.join("blue");
    assert.equal(await subscribers(), 2);
  });

  it("carry broadcasts, commands, questions and answers", async () => {
    const [a, b, c] = nodes;
    const heard = next(b.clients[0], "hello");
    a.io
      .to("red")
      .to("blue")
      .emit("hello", Buffer.from([1, 2]));
    assert.deepEqual(await heard, [Buffer.from([1, 2])]);
    a.io.in("blue").socketsJoin("green");
    assert.equal(await b.io.in("green").count(), 1);
    const green = next(c.clients[0], "green");
    a.io.to("green").emit("green");
    await green;
    assert.equal((await c.io.fetchSockets()).length, 3 * CLIENTS);
    for (const node of nodes) {
      for (const client of node.clients)
        client.on("question", (answer: (value: number) => void) => answer(1));
      node.io.on("sum", (value: number, answer: (value: number) => void) => answer(value + 1));
    }
    assert.equal((await a.io.timeout(5000).emitWithAck("question")).length, 3 * CLIENTS);
    assert.deepEqual(await b.io.serverSideEmitWithAck("sum", 1), [2, 2]);
  });

  it("publish messages of several ticks together while they follow each other", async () => {
    const [a, b] = nodes;
    const published = async (): Promise<number> => {
      const stats = (await a.redis.call("INFO", "commandstats")) as string;
      return Number(/cmdstat_spublish:calls=(\d+)/.exec(stats)?.[1]);
    };
    const heard = new Queue<number>("a message");
    b.clients[0]!.on("tick", (n: number) => heard.push(n));
    const before = await published();
    const ticks = 300;
    for (let n = 0; n < ticks; n++) {
      a.io.emit("tick", n);
      await turn();
    }
    assert.deepEqual(
      await heard.take(ticks),
      Array.from({ length: ticks }, (_, n) => n),
    );
    const commands = (await published()) - before;
    assert.ok(commands < ticks, `${commands} commands`);
  });

  it(`lose nothing in silence, and repeat nothing, when Redis is killed and started under ${RATE} messages per second`, async () => {
    const kinds = ["all", "red"];
    const received = nodes.map(() => Object.fromEntries(kinds.map((kind) => [kind, [] as number[]])));
    for (const [index, node] of nodes.entries()) {
      await node.sockets[0]!.join("red");
      for (const kind of kinds) node.clients[0]!.on(kind, (n: number) => received[index]![kind]!.push(n));
    }
    const [{ io }] = nodes;
    const sent: Record<string, number> = { all: 0, red: 0 };
    const start = performance.now();
    const timer = setInterval(() => {
      const due = ((performance.now() - start) * RATE) / 1000;
      while (sent["all"]! + sent["red"]! < due) {
        io.emit("all", sent["all"]!++);
        io.to("red").emit("red", sent["red"]!++);
      }
    }, 1);
    try {
      await pause(SECONDS * 1000);
      await server.kill();
      const away = ["CHANNELS_AWAY", "DISCOVERY_AWAY"];
      for (const { events } of nodes) assert.deepEqual((await events.take(2)).toSorted(), away);
      await pause(SECONDS * 1000);
      await server.start();
      const back = away.map((code) => `back ${code}`);
      for (const { events } of nodes) assert.deepEqual((await events.take(2)).toSorted(), back);
      await pause(SECONDS * 1000);
    } finally {
      clearInterval(timer);
    }
    for (const [index, node] of nodes.entries()) {
      const last = (): boolean => kinds.every((kind) => received[index]![kind]!.at(-1) === sent[kind]! - 1);
      while (!last()) await pause(10);
      const got = kinds.map((kind) => received[index]![kind]!);
      for (const numbers of got) {
        assert.deepEqual(
          numbers,
          [...new Set(numbers)].toSorted((x, y) => x - y),
          "in order, and once",
        );
      }
      const { missed } = node;
      const missing = sent["all"]! + sent["red"]! - got[0]!.length - got[1]!.length;
      assert.equal(missing, missed, `node ${index}`);
      assert.ok(missed < RATE / 10, `${missed} are missing`);
    }
    assert.equal((await io.fetchSockets()).length, 3 * CLIENTS);
  });
});
