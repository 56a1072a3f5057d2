// Two machines with two processes each: addresses of the loopback interface, and directories of their own. They find each other
// through Redis. A load balancer without affinity is in front of all four.
import assert from "node:assert/strict";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Redis } from "ioredis";
import { freePort } from "../support/hosts/free-port.ts";
import { ClusteredProcess } from "../support/processes/clustered-process.ts";
import { Clients } from "../support/processes/clients.ts";
import { roundRobinProxy } from "../support/proxies/round-robin.ts";
import type { RoundRobinProxy } from "../support/proxies/round-robin.ts";
import { RedisServer, describeWithRedis } from "../support/redis/redis-server.ts";
import { whyNoUws } from "../support/uws/absent.ts";
import { next } from "../support/waiting/events.ts";
import { within } from "../support/waiting/queue.ts";

const SECRET = "a secret that all nodes share";
const RECONNECTION = { reconnectionDelay: 100, reconnectionDelayMax: 200 };

/** The host of the processes of a machine, the last number of its address. */
const MACHINES = [
  { address: 2, host: whyNoUws === undefined ? "uws" : "node" },
  { address: 3, host: "node" },
] as const;

class Machines implements AsyncDisposable {
  readonly redis: RedisServer;
  readonly all: ClusteredProcess[] = [];
  readonly #ports: number[] = [];
  /** Those to which the load balancer sends requests. */
  #balanced: number[] = [];
  readonly #folder: string = mkdtempSync(join(tmpdir(), "tidewire-test-"));
  #proxy: RoundRobinProxy | undefined = undefined;

  private constructor(redis: RedisServer) {
    this.redis = redis;
  }

  static async start(): Promise<Machines> {
    const machines = new Machines(await RedisServer.start());
    try {
      for (const { address, host } of [...MACHINES, ...MACHINES]) await machines.add(address, host);
      await Promise.all(machines.all.map((each) => each.ready()));
      machines.#balanced = [...machines.#ports];
      machines.#proxy = await roundRobinProxy(machines.#balanced);
      return machines;
    } catch (error) {
      await machines[Symbol.asyncDispose]();
      throw error;
    }
  }

  get url(): string {
    return `http://127.0.0.1:${this.#proxy!.port}`;
  }

  /** Starts a process on a machine. */
  async add(address: number, host: "uws" | "node", secret: string = SECRET): Promise<ClusteredProcess> {
    const port = await freePort();
    const listen = { host: `127.0.0.${address}`, secret };
    const options = { name: "test", listen, redisUrl: this.redis.url };
    const added = new ClusteredProcess(host, port, join(this.#folder, String(address)), options);
    this.all.push(added);
    this.#ports.push(port);
    return added;
  }

  /** Kills the first process, which the load balancer sees at once. */
  killFirst(): ClusteredProcess {
    this.#balanced.shift();
    this.all[0]!.child.kill("SIGKILL");
    return this.all[0]!;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const each of this.all) each[Symbol.dispose]();
    await this.#proxy?.[Symbol.asyncDispose]();
    await this.redis[Symbol.asyncDispose]();
    rmSync(this.#folder, { recursive: true, force: true });
  }
}

describeWithRedis("two machines", function () {
  this.timeout(60_000);

  let machines: Machines;

  beforeEach(async () => {
    machines = await Machines.start();
  });

  afterEach(() => machines?.[Symbol.asyncDispose]());

  it("serve clients on long-polling, whichever process gets their requests", async () => {
    using clients = new Clients(machines.url, 20, { transports: ["polling"] });
    const nodes = await clients.nodes();
    await clients.echo(10);
    assert.equal(new Set(nodes).size, 4);
    assert.deepEqual(clients.losses, []);
  });

  it("let sessions live where their WebSocket has landed", async () => {
    using clients = new Clients(machines.url, 20);
    const nodes = await clients.nodes();
    await clients.upgraded();
    await clients.echo(10);
    const upgraded = machines.all.flatMap((each) => each.reports("upgrade").pending.map(String));
    assert.deepEqual(upgraded.toSorted(), nodes.toSorted());
    assert.deepEqual(clients.losses, []);
  });

  it("broadcast to the clients of all, and count the sockets of rooms", async () => {
    using clients = new Clients(machines.url, 20);
    await clients.nodes();
    const heard = clients.all.map((client) => next<[string]>(client, "shouted"));
    clients.all[0]!.emit("shout", "hello");
    for (const [word] of await Promise.all(heard)) assert.equal(word, "hello");
    await Promise.all(clients.all.map((client) => client.emitWithAck("join", "room")));
    assert.equal(await clients.all[0]!.emitWithAck("count", "room"), 20);
  });

  it("go on while Redis is away, and find each other when it is back", async () => {
    using clients = new Clients(machines.url, 20, { transports: ["polling"] });
    await clients.nodes();
    await machines.redis.kill();
    const both = ["CHANNELS_AWAY", "DISCOVERY_AWAY"];
    for (const each of machines.all) {
      assert.deepEqual((await each.reports("away").take(2)).map(String).toSorted(), both);
    }
    await clients.echo(20);
    const heard = clients.all.map((client) => next<[string]>(client, "shouted"));
    clients.all[0]!.emit("shout", "hello");
    for (const [word] of await Promise.all(heard)) assert.equal(word, "hello");
    using more = new Clients(machines.url, 8, { transports: ["polling"] });
    await more.nodes();
    await machines.redis.start();
    for (const each of machines.all) {
      assert.deepEqual((await each.reports("back").take(2)).map(String).toSorted(), both);
    }
    const added = await (await machines.add(3, "node")).ready();
    for (const each of machines.all.slice(0, 4)) {
      let joined: unknown;
      while (joined !== added.id) joined = await each.reports("join").next();
      assert.deepEqual(each.reports("leave").pending, []);
    }
    await Promise.all([clients.echo(5), more.echo(5)]);
    assert.deepEqual([...clients.losses, ...more.losses], []);
  });

  it("start without Redis, and come together when it is there", async () => {
    await machines.redis.kill();
    const added = await machines.add(4, "node");
    await added.reports("away").take(2);
    await added.ready();
    assert.equal((await added.nodes()).length, 1);
    await machines.redis.start();
    const joined = (await added.reports("join").take(4)).map(String).toSorted();
    assert.deepEqual(
      joined,
      machines.all
        .slice(0, 4)
        .map(({ id }) => id)
        .toSorted(),
    );
  });

  it("take another id when another node has theirs in Redis; sessions go on", async () => {
    using clients = new Clients(machines.url, 20, { transports: ["websocket"] });
    await clients.nodes();
    const [first, ...others] = machines.all;
    const redis = new Redis(machines.redis.url);
    await redis.hset("tidewire:{test}:nodes", first!.id, `${Date.now() + 60_000} another-epoch 127.0.0.9:1`);
    redis.disconnect();
    for (const other of others) {
      assert.equal(await other.reports("leave").next(), first!.id);
      let joined = first!.id;
      while (machines.all.some(({ id }) => id === joined))
        joined = String(await other.reports("join").next());
    }
    await clients.echo(5);
    assert.deepEqual(clients.losses, []);
    using polling = new Clients(machines.url, 12, { transports: ["polling"] });
    await polling.nodes();
    await polling.echo(5);
    assert.deepEqual(polling.losses, []);
  });

  it("go on without a process that was killed, whose clients come back to the others", async () => {
    using clients = new Clients(machines.url, 24, { ...RECONNECTION, transports: ["websocket"] });
    const nodes = await clients.nodes();
    const [killed, ...others] = machines.all;
    const affected = [...nodes.keys()].filter((index) => nodes[index] === killed!.id);
    const back = affected.map((index) => next(clients.all[index], "node"));
    machines.killFirst();
    for (const other of others) assert.equal(await other.reports("leave").next(), killed!.id);
    await within(Promise.all(back), "the clients to come back");
    await clients.echo(5);
    clients.assertLost(affected);
  });

  it("keep out a machine with another secret, and say so at both ends", async () => {
    const stranger = await machines.add(4, "node", "another secret of theirs");
    await stranger.ready();
    assert.match(String(await stranger.reports("refused").next()), /^127\.0\.0\.\d.* another secret$/);
    assert.equal((await stranger.nodes()).length, 1);
    for (const each of machines.all.slice(0, 4)) {
      assert.match(String(await each.reports("refused").next()), /^127\.0\.0\.\d.* another secret$/);
      assert.equal((await each.nodes()).length, 4);
    }
  });
});
