// Connection state recovery on several nodes whose journal is in Redis, with official clients.
import assert from "node:assert/strict";
import { setTimeout as delay } from "node:timers/promises";
import type { Socket } from "@tidewire/server";
import msgpackParser from "socket.io-msgpack-parser";
import { anyConnected, openAnyClient } from "../support/cluster/any-client.ts";
import { answerMarks, RecoveringNodes } from "../support/cluster/recovering-nodes.ts";
import type { RecoveringNode } from "../support/cluster/recovering-nodes.ts";
import { block } from "../support/process/blocked-loop.ts";
import { cuttableProxy } from "../support/proxies/tcp.ts";
import { describeWithRedis } from "../support/redis/redis-server.ts";
import { next } from "../support/waiting/events.ts";

/** The socket of a client, wherever it is. */
function socketOf(nodes: readonly RecoveringNode[], id: string, namespace: string = "/"): Socket {
  for (const { io } of nodes) {
    const socket = io.of(namespace).sockets.get(id);
    if (socket !== undefined) return socket;
  }
  throw new Error("no node has the socket");
}

describeWithRedis("a client comes back to another node", function () {
  this.timeout(30_000);

  it("and has its id, rooms, data and everything that was sent to it meanwhile", async () => {
    await using cluster = await RecoveringNodes.start(3);
    const [a, b, c] = cluster.nodes as [RecoveringNode, RecoveringNode, RecoveringNode];
    const client = await cluster.connect(a);
    const { id } = client;
    const socket = socketOf(cluster.nodes, id);
    await socket.join(["room", "other"]);
    socket.data = { name: "Ada", picture: Buffer.from([1, 255]) };
    b.io.emit("before");
    socket.emit("direct", 1);
    await cluster.settled();
    assert.deepEqual(client.take(), ["direct 1", "before"]);
    await client.drop();
    a.io.emit("from a", 1);
    b.io.to("room").emit("from b", Buffer.from([0, 200]));
    c.io.to(["room", "other"]).emit("from c", { deep: [null, "é"] });
    c.io.to("elsewhere").emit("for others");
    c.io.except("other").emit("for others");
    b.io.to(id).emit("to it alone");
    b.io.volatile.emit("volatile");
    b.io.local.emit("local");
    await cluster.settled();
    const connection = next<[Socket]>(c.io, "connection");
    await client.back(c);
    const [again] = await connection;
    c.io.emit("after");
    await cluster.settled();
    assert.equal(client.socket.recovered, true);
    assert.deepEqual([again.recovered, again.id, client.id], [true, id, id]);
    assert.deepEqual([...again.rooms].toSorted(), [id, "other", "room"].toSorted());
    assert.deepEqual(again.data, { name: "Ada", picture: Buffer.from([1, 255]) });
    const received = client.take();
    assert.equal(received.pop(), "after");
    assert.deepEqual(received.toSorted(), [
      "from a 1",
      "from b 00c8",
      'from c {"deep":[null,"é"]}',
      "to it alone",
    ]);
    assert.deepEqual(
      received.filter((text) => text.startsWith("from b") || text.startsWith("to it")),
      ["from b 00c8", "to it alone"],
    );
  });

  it("again and again", async () => {
    await using cluster = await RecoveringNodes.start(2);
    const [a] = cluster.nodes as [RecoveringNode, RecoveringNode];
    const client = await cluster.connect(a);
    const { id } = client;
    for (let round = 0; round < 6; round++) {
      await client.drop();
      for (const [index, { io }] of cluster.nodes.entries()) io.emit("event", round, index);
      await client.back(cluster.nodes[round % 2]!);
      assert.deepEqual([client.socket.recovered, client.id], [true, id]);
      for (const [index, { io }] of cluster.nodes.entries()) io.emit("live", round, index);
      await cluster.settled();
      assert.deepEqual(client.take().toSorted(), [
        `event ${round} 0`,
        `event ${round} 1`,
        `live ${round} 0`,
        `live ${round} 1`,
      ]);
    }
  });

  it("before the first one knows that the connection is dead, and takes its socket over", async () => {
    await using cluster = await RecoveringNodes.start(2);
    const [a, b] = cluster.nodes as [RecoveringNode, RecoveringNode];
    const client = await cluster.connect(a);
    const socket = socketOf(cluster.nodes, client.id);
    await socket.join("room");
    b.io.emit("first");
    await cluster.settled();
    await client.breakLine();
    socket.data["late"] = "not written yet";
    socket.emit("into the void");
    a.io.to("room").emit("both ways");
    const gone = next(socket, "disconnect");
    await client.back(b);
    const [reason, description] = await gone;
    assert.deepEqual([reason, (description as { code: string }).code], ["transport close", "REPLACED"]);
    assert.equal(client.socket.recovered, true);
    assert.deepEqual(socketOf([b], client.id).data, { late: "not written yet" });
    assert.equal(a.io.sockets.sockets.size, 0);
    await cluster.settled();
    assert.deepEqual(client.take(), ["first", "into the void", "both ways"]);
  });

  it("in a namespace, with the events of that namespace alone", async () => {
    await using cluster = await RecoveringNodes.start(2);
    const [a, b] = cluster.nodes as [RecoveringNode, RecoveringNode];
    for (const { io } of cluster.nodes) io.of(/^\/dynamic-\d+$/).on("connection", answerMarks);
    const client = await cluster.connect(a, { namespace: "/dynamic-1" });
    const other = await cluster.connect(b, { namespace: "/dynamic-1" });
    // Who leaves before it is known where the journal of a new namespace is begins anew. Events have whole offsets from then on.
    const offset = (): string => String(Reflect.get(client.socket, "_lastOffset") ?? ".");
    while (offset().endsWith(".")) {
      const before = next(client.socket, "before");
      a.io.of("/dynamic-1").emit("before");
      await before;
    }
    await cluster.settled();
    for (const each of [client, other]) each.take();
    await client.drop();
    a.io.emit("elsewhere");
    a.io.of("/dynamic-1").emit("missed", 1);
    await cluster.settled();
    await client.back(b);
    assert.equal(client.socket.recovered, true);
    await cluster.settled();
    assert.deepEqual([client.take(), other.take()], [["missed 1"], ["missed 1"]]);
  });

  it("with another parser", async () => {
    await using cluster = await RecoveringNodes.start(2, { server: { parser: msgpackParser } });
    const [a, b] = cluster.nodes as [RecoveringNode, RecoveringNode];
    const client = await cluster.connect(a, { parser: msgpackParser });
    b.io.emit("live", Buffer.from([1]));
    await cluster.settled();
    await client.drop();
    b.io.emit("missed", { deep: Buffer.from([2]) }, "text");
    await cluster.settled();
    await client.back(b);
    assert.equal(client.socket.recovered, true);
    await cluster.settled();
    assert.equal(client.take().length, 2);
  });

  it("with its credentials, unless they have ended", async () => {
    await using cluster = await RecoveringNodes.start(2);
    const [a, b] = cluster.nodes as [RecoveringNode, RecoveringNode];
    for (const { io } of cluster.nodes) {
      io.use((socket, admit) => {
        if (!socket.recovered) socket.expiresAt(Date.now() + 60_000);
        admit();
      });
    }
    const [long, short] = [await cluster.connect(a), await cluster.connect(a)];
    socketOf(cluster.nodes, short.id).expiresAt(Date.now() + 400);
    await Promise.all([long.drop(), short.drop()]);
    await delay(450);
    await Promise.all([long.back(b), short.back(b)]);
    assert.deepEqual([long.socket.recovered, short.socket.recovered], [true, false]);
  });

  it("while its middlewares still run there, and misses nothing", async () => {
    await using cluster = await RecoveringNodes.start(2, {
      server: { connectionStateRecovery: { skipMiddlewares: false } },
    });
    const [a, b] = cluster.nodes as [RecoveringNode, RecoveringNode];
    const client = await cluster.connect(a);
    await client.drop();
    const asked = new Promise<() => void>((resolve) => b.io.use((_socket, admit) => resolve(admit)));
    a.io.emit("before");
    const coming = client.back(b);
    const admit = await asked;
    a.io.emit("meanwhile, from elsewhere");
    await a.io.serverSideEmitWithAck("settle");
    b.io.emit("meanwhile, from here");
    admit();
    await coming;
    assert.equal(client.socket.recovered, true);
    await cluster.settled();
    assert.deepEqual(client.take(), ["before", "meanwhile, from elsewhere", "meanwhile, from here"]);
  });

  it("although it has received nothing for so long that its offset is no longer kept", async () => {
    await using cluster = await RecoveringNodes.start(2, {
      server: {
        connectionStateRecovery: { maxLogBytes: 10_000 },
        // Their sum is shorter than the pause below. A busy machine does not take so long for a pong.
        pingInterval: 100,
        pingTimeout: 1000,
        upgradeTimeout: 50,
      },
      backend: { maxEvents: 10 },
    });
    const [a, b] = cluster.nodes as [RecoveringNode, RecoveringNode];
    const client = await cluster.connect(a);
    a.io.emit("first");
    await cluster.settled();
    for (let count = 0; count < 300; count++) b.io.to("others").emit("event", "x".repeat(100));
    await cluster.settled();
    await delay(1300);
    b.io.to("others").emit("event");
    await cluster.settled();
    await client.drop();
    await cluster.settled();
    await client.back(b);
    assert.equal(client.socket.recovered, true);
  });

  it("when the events that it has missed are no longer held in memory", async () => {
    await using cluster = await RecoveringNodes.start(2, {
      server: { connectionStateRecovery: { maxLogBytes: 4000 } },
    });
    const [a, b] = cluster.nodes as [RecoveringNode, RecoveringNode];
    const client = await cluster.connect(a);
    await client.drop();
    for (let count = 0; count < 50; count++) a.io.emit("event", count);
    await cluster.settled();
    await client.back(b);
    assert.equal(client.socket.recovered, true);
    await cluster.settled();
    assert.deepEqual(
      client.take(),
      Array.from({ length: 50 }, (_, count) => `event ${count}`),
    );
  });

  it("that has started since", async () => {
    await using cluster = await RecoveringNodes.start(2);
    const [a, b] = cluster.nodes as [RecoveringNode, RecoveringNode];
    const client = await cluster.connect(a);
    b.io.emit("first");
    await cluster.settled();
    await client.drop();
    b.io.emit("missed");
    await cluster.settled();
    const c = await cluster.add();
    await client.back(c);
    assert.equal(client.socket.recovered, true);
    await cluster.settled();
    assert.deepEqual(client.take(), ["first", "missed"]);
  });

  it("when its own lets its clients leave, one batch after the other", async () => {
    await using cluster = await RecoveringNodes.start(2);
    const [a, b] = cluster.nodes as [RecoveringNode, RecoveringNode];
    const clients = [];
    for (let count = 0; count < 6; count++) clients.push(await cluster.connect(a));
    const returning = clients.map(async (client) => {
      await next(client.socket, "disconnect");
      b.io.emit("to all");
      await client.back(b);
      return client.socket.recovered;
    });
    await a.io.drain({ batch: 2, every: 20 });
    assert.deepEqual(
      await Promise.all(returning),
      clients.map(() => true),
    );
    await cluster.settled();
    for (const client of clients) assert.equal(client.take().length, clients.length);
  });

  it("after its own was closed in good order", async () => {
    await using cluster = await RecoveringNodes.start(2);
    const [a, b] = cluster.nodes as [RecoveringNode, RecoveringNode];
    const client = await cluster.connect(a);
    const socket = socketOf(cluster.nodes, client.id);
    socket.on("disconnecting", () => (socket.data["last"] = "word"));
    const gone = next(client.socket, "disconnect");
    await a.io.close();
    await gone;
    b.io.emit("missed");
    await client.back(b);
    assert.equal(client.socket.recovered, true);
    assert.deepEqual(socketOf([b], client.id).data, { last: "word" });
    assert.deepEqual(client.take(), ["missed"]);
    a.client.disconnect();
    cluster.nodes.shift();
  });
});

describeWithRedis("a client that comes back begins anew", function () {
  this.timeout(30_000);

  it("if it was told to leave, or has left", async () => {
    await using cluster = await RecoveringNodes.start(2);
    const [a, b] = cluster.nodes as [RecoveringNode, RecoveringNode];
    const [told, left] = [await cluster.connect(a), await cluster.connect(a)];
    const gone = next(told.socket, "disconnect");
    socketOf(cluster.nodes, told.id).disconnect();
    await gone;
    left.socket.disconnect();
    await cluster.settled();
    await Promise.all([told.back(b), left.back(b)]);
    assert.deepEqual([told.socket.recovered, left.socket.recovered], [false, false]);
  });

  it("if another node has its state: of two at once, one has it", async () => {
    await using cluster = await RecoveringNodes.start(3);
    const [a, b, c] = cluster.nodes as [RecoveringNode, RecoveringNode, RecoveringNode];
    for (let round = 0; round < 10; round++) {
      const client = await cluster.connect(a);
      const { id } = client;
      await client.drop();
      a.io.emit("missed");
      await cluster.settled();
      const twins = [client.twin(b), client.twin(c)];
      await Promise.all(twins.map((twin) => next(twin, "connect")));
      await cluster.settled();
      const has = cluster.nodes.filter(({ io }) => io.sockets.sockets.has(id));
      assert.equal(has.length, 1);
      assert.equal(twins.filter((twin) => twin.connected && twin.id === id).length, 1);
      for (const twin of twins) twin.close();
    }
  });

  it("if events that it has missed are no longer kept", async () => {
    await using cluster = await RecoveringNodes.start(2, {
      server: { connectionStateRecovery: { maxLogBytes: 4000 } },
      backend: { maxEvents: 10 },
    });
    const [a, b] = cluster.nodes as [RecoveringNode, RecoveringNode];
    const client = await cluster.connect(a);
    a.io.emit("first");
    await cluster.settled();
    await client.drop();
    for (let count = 0; count < 300; count++) a.io.emit("event", count);
    await cluster.settled();
    await client.back(b);
    assert.equal(client.socket.recovered, false);
  });

  it("if it was away for too long", async () => {
    await using cluster = await RecoveringNodes.start(2, {
      server: { connectionStateRecovery: { maxDisconnectionDuration: 200 } },
    });
    const [a, b] = cluster.nodes as [RecoveringNode, RecoveringNode];
    const client = await cluster.connect(a);
    await client.drop();
    await delay(300);
    await client.back(b);
    assert.equal(client.socket.recovered, false);
  });

  it("if it presents what is no offset, or one that nobody has given", async () => {
    await using cluster = await RecoveringNodes.start(1);
    const [a] = cluster.nodes as [RecoveringNode];
    for (const change of [() => "hello", (offset: string) => offset.replace(/\.\w+\./, ".zzzz.")]) {
      const client = await cluster.connect(a);
      a.io.emit("first");
      await cluster.settled();
      await client.drop();
      const twin = client.twin(a, change(String(Reflect.get(client.socket, "_lastOffset"))));
      await next(twin, "connect");
      assert.equal(twin.recovered, false);
      twin.close();
    }
  });

  it("if Redis was killed and has started with nothing in it; later it can be recovered again", async () => {
    await using cluster = await RecoveringNodes.start(2);
    const [a, b] = cluster.nodes as [RecoveringNode, RecoveringNode];
    const [client, other] = [await cluster.connect(a), await cluster.connect(b)];
    a.io.emit("first");
    await cluster.settled();
    await client.drop();
    await cluster.redis.kill();
    b.io.emit("while Redis is away");
    for (const node of cluster.nodes) await node.says("away JOURNAL_AWAY");
    await cluster.redis.start();
    for (const node of cluster.nodes) await node.says("back JOURNAL_AWAY");
    b.io.emit("when Redis is back");
    await client.back(a);
    assert.equal(client.socket.recovered, false);
    // One that was connected all the time has received everything, and can be recovered.
    await cluster.settled();
    assert.deepEqual(other.take(), ["first", "while Redis is away", "when Redis is back"]);
    b.io.emit("in the new epoch");
    await cluster.settled();
    await Promise.all([client.drop(), other.drop()]);
    b.io.emit("missed");
    await Promise.all([client.back(b), other.back(a)]);
    assert.deepEqual([client.socket.recovered, other.socket.recovered], [true, true]);
    await cluster.settled();
    assert.deepEqual(other.take(), ["in the new epoch", "missed"]);
    assert.equal(client.take().at(-1), "missed");
    for (const { events } of cluster.nodes)
      assert.deepEqual(
        events.filter((event) => event.startsWith("gap")),
        [],
      );
  });

  it("if events were sent by one node that could not reach Redis, while the others could", async () => {
    await using cluster = await RecoveringNodes.start(1);
    const [b] = cluster.nodes as [RecoveringNode];
    using proxy = await cuttableProxy(cluster.redis.port);
    const a = await cluster.add(`redis://127.0.0.1:${proxy.port}`);
    const [client, other] = [await cluster.connect(b), await cluster.connect(b)];
    const third = await cluster.connect(a);
    b.io.emit("first");
    await cluster.settled();
    await client.drop();
    proxy.freeze();
    a.io.emit("from afar");
    await a.says("away JOURNAL_AWAY");
    b.io.emit("from b");
    await other.settled();
    await client.back(b);
    assert.equal(client.socket.recovered, false);
    assert.deepEqual(b.events, []);
    proxy.thaw();
    await a.says("back JOURNAL_AWAY");
    await cluster.settled();
    assert.deepEqual(other.take().toSorted(), ["first", "from afar", "from b"]);
    assert.deepEqual(third.take(), ["first", "from afar", "from b"]);
    await other.drop();
    await cluster.settled();
    b.io.emit("missed");
    await other.back(a);
    assert.equal(other.socket.recovered, false, "it has received nothing since");
  });

  it("if it has received what its node could not give to Redis", async () => {
    await using cluster = await RecoveringNodes.start(1);
    const [b] = cluster.nodes as [RecoveringNode];
    using proxy = await cuttableProxy(cluster.redis.port);
    const a = await cluster.add(`redis://127.0.0.1:${proxy.port}`);
    const client = await cluster.connect(a);
    proxy.freeze();
    a.io.emit("once");
    await client.settled();
    await client.drop();
    await client.back(b);
    assert.equal(client.socket.recovered, false);
    proxy.thaw();
    await a.says("back JOURNAL_AWAY");
    await cluster.settled();
    assert.deepEqual(client.take(), ["once"]);
  });

  it("if events were sent while no node could reach Redis", async () => {
    await using cluster = await RecoveringNodes.start(2);
    const [a, b] = cluster.nodes as [RecoveringNode, RecoveringNode];
    const [client, other] = [await cluster.connect(a), await cluster.connect(b)];
    a.io.emit("first");
    await cluster.settled();
    await client.drop();
    await cluster.settled();
    cluster.redis.stall();
    a.io.emit("while Redis hangs");
    for (const node of cluster.nodes) await node.says("away JOURNAL_AWAY");
    b.io.emit("and later");
    cluster.redis.resume();
    for (const node of cluster.nodes) await node.says("back JOURNAL_AWAY");
    await client.back(b);
    assert.equal(client.socket.recovered, false);
    await cluster.settled();
    assert.deepEqual(other.take(), ["first", "while Redis hangs", "and later"]);
  });
});

describeWithRedis("events that are kept", function () {
  this.timeout(30_000);

  it("are not taken for lost when the process was stopped, and answers of Redis have waited", async () => {
    await using cluster = await RecoveringNodes.start(2);
    const [a, b] = cluster.nodes as [RecoveringNode, RecoveringNode];
    const client = await cluster.connect(b);
    a.io.emit("first");
    await cluster.settled();
    await client.drop();
    a.io.emit("missed");
    // It has left for Redis.
    await new Promise(setImmediate);
    block(2200);
    await client.back(a);
    assert.equal(client.socket.recovered, true);
    await cluster.settled();
    assert.deepEqual(client.take(), ["first", "missed"]);
    assert.ok(!a.events.includes("away JOURNAL_AWAY"));
  });

  it("arrive once and in order although the connections of subscribers break", async () => {
    await using cluster = await RecoveringNodes.start(2);
    const [a, b] = cluster.nodes as [RecoveringNode, RecoveringNode];
    const client = await cluster.connect(b);
    for (let count = 0; count < 200; count++) {
      a.io.emit("event", count);
      if (count % 50 === 20) await a.client.call("CLIENT", "KILL", "TYPE", "pubsub");
      if (count % 5 === 0) await delay(2);
    }
    const all = Array.from({ length: 200 }, (_, count) => `event ${count}`);
    while (client.received.length < all.length) await delay(20);
    assert.deepEqual(client.take(), all);
  });

  it("reach clients of the earlier protocol, too", async () => {
    await using cluster = await RecoveringNodes.start(2, { server: { allowEIO3: true } });
    const [a, b] = cluster.nodes as [RecoveringNode, RecoveringNode];
    const client = openAnyClient("2", b.url, { transports: ["websocket"] });
    await anyConnected(client);
    const heard = new Promise((resolve) => client.on("event", (...args: unknown[]) => resolve(args)));
    a.io.emit("event", 1);
    assert.equal(((await heard) as unknown[])[0], 1);
    client.close();
  });

  it("leave nothing in memory for clients that do not come back", async () => {
    await using cluster = await RecoveringNodes.start(2, {
      server: { connectionStateRecovery: { maxDisconnectionDuration: 300 } },
    });
    const [a, b] = cluster.nodes as [RecoveringNode, RecoveringNode];
    const keys = async (): Promise<number> => {
      const names = await a.client.keys("*:states:*");
      const fields = await Promise.all(names.map((name) => a.client.hkeys(name)));
      // The mark of a node has no name.
      return fields.flat().filter((field) => field !== "").length;
    };
    const clients = [];
    for (const node of [a, a, b]) clients.push(await cluster.connect(node));
    await cluster.settled();
    assert.equal(await keys(), 3);
    await Promise.all(clients.map((client) => client.drop()));
    while ((await keys()) > 0) await delay(50);
  });
});

describeWithRedis("the order of events", function () {
  this.timeout(30_000);

  it("of one node is that in which it sent them, whatever they are", async () => {
    await using cluster = await RecoveringNodes.start(2);
    const [a, b] = cluster.nodes as [RecoveringNode, RecoveringNode];
    const [near, far] = [await cluster.connect(a), await cluster.connect(b)];
    for (const client of [near, far]) client.socket.on("question", (_round, done: () => void) => done());
    await cluster.settled();
    for (let round = 0; round < 5; round++) {
      a.io.emit("kept", round);
      a.io.volatile.emit("volatile", round);
      a.io.in(far.id).socketsJoin("room");
      a.io.to("room").emit("to the room", round);
      const asked = a.io.timeout(5000).emitWithAck("question", round);
      a.io.in("room").socketsLeave("room");
      a.io.to("room").emit("to nobody", round);
      a.io.emit("last", round);
      await asked;
    }
    await cluster.settled();
    const rounds = (names: string[]): string[] =>
      [0, 1, 2, 3, 4].flatMap((round) => names.map((name) => `${name} ${round}`));
    // A volatile one is dropped if something else is just being sent.
    const withoutVolatile = (texts: string[]): string[] =>
      texts.filter((text) => !text.startsWith("volatile"));
    assert.deepEqual(withoutVolatile(far.take()), rounds(["kept", "to the room", "question", "last"]));
    assert.deepEqual(withoutVolatile(near.take()), rounds(["kept", "question", "last"]));
  });

  it('of all nodes is the same everywhere with `ordering: "stream"`, with and without recovery', async () => {
    for (const server of [{}, { connectionStateRecovery: undefined }]) {
      await using cluster = await RecoveringNodes.start(3, {
        server: server as object,
        cluster: { ordering: "stream" },
      });
      const clients = [];
      for (const node of cluster.nodes) clients.push(await cluster.connect(node));
      await cluster.settled();
      for (let round = 0; round < 20; round++) {
        for (const [index, { io }] of cluster.nodes.entries()) {
          io.emit("event", index, round);
          if (round % 3 === 0) io.emit("bytes", Buffer.from([index, round]));
        }
        if (round % 4 === 0) await new Promise(setImmediate);
      }
      await cluster.settled();
      const [first, ...others] = clients.map((client) => client.take());
      assert.equal(first!.length, 81);
      for (const other of others) assert.deepEqual(other, first);
    }
  });
});
