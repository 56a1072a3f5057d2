// What a backend does over a real Redis Cluster, whose servers change roles.
import { setTimeout as delay } from "node:timers/promises";
import { describeBackend } from "../../../test/support/backends/backend-suite.ts";
import { BackendNode, LEASE } from "../../../test/support/backends/node.ts";
import type { Connect } from "../../../test/support/backends/node.ts";
import { RedisCluster } from "../../../test/support/redis/redis-cluster.ts";
import { describeWithRedis } from "../../../test/support/redis/redis-server.ts";
import { within } from "../../../test/support/waiting/queue.ts";
import { redis } from "../src/redis.ts";
import { clusterClients } from "./clients.ts";
import type { Client } from "./clients.ts";
import { describeJournal, JournalNode } from "./journal-suite.ts";

/**
 * REDIS_CLUSTER=long tests the earlier versions of the clients, too, and everything that a backend does on one server. It needs `--exit`:
 * version 4 of redis goes on dialling servers that are gone after it was closed.
 */
const isLong = process.env["REDIS_CLUSTER"] === "long";

const tested = Object.entries(clusterClients).slice(0, isLong ? 4 : 2);

/** One channel for each slot. */
const CHANNELS = Array.from({ length: 16 }, (_, channel) => channel);

describeWithRedis("over Redis Cluster,", function () {
  this.timeout(30_000);

  let cluster: RedisCluster;

  before(async () => {
    cluster = await RedisCluster.start();
  });

  after(() => cluster[Symbol.asyncDispose]());

  function connectorOf(name: string): Connect {
    return async (_port, lease = LEASE, ports = new Map()) => {
      const { client, [Symbol.asyncDispose]: close } = await clusterClients[name]!(ports);
      return { backend: redis({ client, lease }), [Symbol.asyncDispose]: close };
    };
  }

  /** Connects a client to the servers, without a cable. */
  function connectClient(name: string): Promise<Client> {
    return clusterClients[name]!(new Map(cluster.ports.map((port) => [port, port])));
  }

  function describeBackendWith(name: string, isBrief: boolean): void {
    describeBackend(`a backend with the client of ${name}`, {
      // One for all tests.
      serve: () =>
        Promise.resolve({
          port: cluster.ports[0]!,
          ports: cluster.ports,
          kill: () => cluster.kill(),
          start: () => cluster.start(),
          [Symbol.asyncDispose]: () => Promise.resolve(),
        }),
      connect: connectorOf(name),
      isBrief,
    });

    describeJournal(`a journal with the client of ${name}`, {
      server: () => cluster,
      connect: async () => {
        await cluster.clear();
        return connectClient(name);
      },
    });
  }

  for (const [index, [name]] of tested.entries()) {
    if (isLong) describeBackendWith(name, index > 0);

    describe(`the channels with the client of ${name}`, () => {
      it("go on after a slot has moved to another master", async () => {
        const group = `move.${index}`;
        await using a = await listener(group, "AAAA", name);
        await using b = await listener(group, "BBBB", name, CHANNELS);
        await cluster.moveSlot(await cluster.slotOf(`{${group}.7}`));
        await allArrive(a, b);
      });
    });
  }

  describe("a replica takes the place of a master that has died:", () => {
    for (const [name] of tested) {
      describe(`with the client of ${name}`, () => {
        let group: string;
        let a: BackendNode;
        let b: BackendNode;
        let client: Client;
        let journal: JournalNode;

        before(async () => {
          await cluster.recover();
          group = await groupWithReplica(name);
          a = await listener(group, "AAAA", name);
          b = await listener(group, "BBBB", name, CHANNELS);
          for (const node of [a, b]) await announced(node);
          client = await connectClient(name);
          journal = await JournalNode.start(client.client, "a", { prefix: `{${group}}` });
          await cluster.failOver();
        });

        after(async () => {
          await journal[Symbol.asyncDispose]();
          for (const each of [client, a, b]) await each[Symbol.asyncDispose]();
        });

        it("channels notice, and go on", async () => {
          for (const node of [a, b]) {
            while ((await node.heard.next()) !== "away: CHANNELS_AWAY");
            while ((await node.heard.next()) !== "back");
          }
          await allArrive(a, b);
        });

        it("nodes find each other", async () => {
          await using c = await BackendNode.connect(group, "CCCC", cluster.ports, connectorOf(name));
          await announced(c);
          for (const node of [a, b]) while (!(await node.found.next()).includes("CCCC"));
        });

        it("the journal goes on", async () => {
          let sent = 0;
          while (journal.batches.pending.length === 0) {
            await Promise.all([attempt(() => journal.journal.resume("/", sent, false)), delay(20)]);
            if (await attempt(() => journal.append(sent + 1, "E"))) sent++;
          }
        });
      });
    }
  });

  /** A node that listens to these channels. */
  async function listener(
    group: string,
    id: string,
    name: string,
    channels: readonly number[] = [],
  ): Promise<BackendNode> {
    const node = await BackendNode.connect(group, id, cluster.ports, connectorOf(name));
    node.startChannels();
    await Promise.all(channels.map((channel) => node.channels.subscribe(channel)));
    return node;
  }

  /** The name of a cluster whose keys are on the master that dies. */
  async function groupWithReplica(name: string): Promise<string> {
    for (let n = 0; ; n++) {
      const group = `${name.replaceAll(" ", "-")}.${n}`;
      if (await cluster.hasReplica(await cluster.slotOf(`{${group}}`))) return group;
    }
  }
});

/** Publishes until something has got through on each of the channels; what is published while they are away does not. */
async function allArrive(from: BackendNode, to: BackendNode): Promise<void> {
  const missing = new Set(CHANNELS);
  for (let n = 0; missing.size > 0; n++) {
    for (const channel of missing) from.publish(channel, String(n));
    await delay(20);
    for (const text of to.heard.pending) missing.delete(Number.parseInt(text, 10));
  }
}

/** Waits until a node is announced. */
async function announced(node: BackendNode): Promise<void> {
  node.startDiscovery();
  while (!(await attempt(() => node.discovery.announce(node.self)))) await delay(20);
}

/** Whether a call succeeds; it may fail, or not be answered, until the client knows the new master. */
async function attempt(call: () => Promise<unknown>): Promise<boolean> {
  try {
    await within(call(), "an answer", 2000);
    return true;
  } catch {
    return false;
  }
}
