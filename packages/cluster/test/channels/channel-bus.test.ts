// Nodes that publish on the channels of a broker, and what happens when it, or a link, is not there.
import assert from "node:assert/strict";
import { setImmediate as turn } from "node:timers/promises";
import { EVERYONE, channelOf } from "../../src/channels/partitions.ts";
import { settled, TestNodes } from "../broadcasting/nodes.ts";
import type { TestClient, TestNode } from "../broadcasting/nodes.ts";

interface Three extends AsyncDisposable {
  readonly cluster: TestNodes;
  readonly clients: [TestClient, TestClient, TestClient];
}

async function three(patience?: number): Promise<Three> {
  const cluster = await TestNodes.start(3, {}, "channels", patience);
  const [a, b, c] = cluster.nodes;
  return {
    cluster,
    clients: [await a!.connect(), await b!.connect(), await c!.connect()],
    [Symbol.asyncDispose]: () => cluster[Symbol.asyncDispose](),
  };
}

async function heardBy(clients: readonly TestClient[]): Promise<string[][]> {
  await settled();
  return clients.map((client) => client.take());
}

const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

describe("nodes with channels", () => {
  it("subscribe to what everybody gets, and to the partitions of rooms with members", async () => {
    await using nodes = await three();
    const { broker } = nodes.cluster;
    assert.deepEqual(broker.subscribers(EVERYONE), [0, 1, 2]);
    const partition = channelOf("/", "red");
    assert.deepEqual(broker.subscribers(partition), []);
    const [, b, c] = nodes.clients.map(({ socket }) => socket);
    const joined = b!.join("red");
    assert.ok(joined instanceof Promise);
    await joined;
    assert.deepEqual(broker.subscribers(partition), [1]);
    // No room, or one of the same partition, costs another subscription.
    assert.equal(b!.join("red"), undefined);
    assert.equal(b!.join(c!.id), undefined);
    await c!.join(["red", "blue"]);
    assert.deepEqual(broker.subscribers(partition), [1, 2]);
    void b!.leave("red");
    await b!.join("red");
    await pause(100);
    assert.deepEqual(broker.subscribers(partition), [1, 2]);
    void b!.leave("red");
    c!.disconnect();
    await pause(100);
    assert.deepEqual([broker.subscribers(partition), broker.subscribers(channelOf("/", "blue"))], [[], []]);
  });

  it("wait with join() until broadcasts arrive, whoever else has the partition first", async () => {
    await using nodes = await three();
    const [a, b] = nodes.clients.map(({ socket }) => socket);
    const joins = [b!.join("red"), b!.join("red"), b!.join(["blue", "red"])];
    assert.ok(joins.every((joined) => joined instanceof Promise));
    await Promise.all(joins);
    a!.to("red").emit("x");
    a!.to("blue").emit("y");
    assert.deepEqual(await heardBy(nodes.clients), [[], ['2["x"]', '2["y"]'], []]);
  });

  it("get what is for their rooms only, and a message for several rooms once", async () => {
    await using nodes = await three();
    const { cluster, clients } = nodes;
    await clients[1].socket.join(["red", "blue"]);
    await clients[2].socket.join("blue");
    const { counts } = cluster.broker;
    counts.clear();
    const { io } = cluster.nodes[0]!;
    for (let n = 0; n < 3; n++) io.to("red").to("blue").emit("x", n);
    io.to("green").emit("nobody");
    io.to("blue").except(clients[1].socket.id).emit("y");
    const all = ['2["x",0]', '2["x",1]', '2["x",2]'];
    assert.deepEqual(await heardBy(clients), [[], all, [...all, '2["y"]']]);
    const expected = [channelOf("/", "red"), channelOf("/", "blue"), channelOf("/", "green")];
    assert.deepEqual(counts, new Map(expected.map((channel, n) => [channel, n === 1 ? 2 : 1])));
  });

  it("publish once per tick what goes to one channel in a row, and keep the order between channels", async () => {
    await using nodes = await three();
    const { cluster, clients } = nodes;
    for (const { socket } of clients) await socket.join(["red", "blue"]);
    const { counts } = cluster.broker;
    counts.clear();
    const { io } = cluster.nodes[0]!;
    const expected: string[] = [];
    for (const target of [io, io, io.to("red"), io.to("red"), io.to("blue"), io.to("red"), io]) {
      expected.push(`2["x",${expected.length}]`);
      target.emit("x", expected.length - 1);
    }
    assert.deepEqual(await heardBy(clients), [expected, expected, expected]);
    assert.deepEqual(Object.fromEntries(counts), {
      [EVERYONE]: 2,
      [channelOf("/", "red")]: 2,
      [channelOf("/", "blue")]: 1,
    });
  });

  it("reach sockets that they have just let join a room", async () => {
    await using nodes = await three();
    const { cluster, clients } = nodes;
    const { io } = cluster.nodes[0]!;
    io.in(clients[1].socket.id).socketsJoin("new");
    io.to("new").emit("x");
    assert.deepEqual(await heardBy(clients), [[], ['2["x"]'], []]);
  });

  it("send over the links what is too large for the broker, in its order", async () => {
    await using nodes = await three();
    const { cluster, clients } = nodes;
    const { io } = cluster.nodes[0]!;
    const large = "x".repeat(20_000);
    io.emit("a");
    io.emit(large);
    io.emit("b");
    for (let n = 0; n < 30; n++) io.emit("many", "y".repeat(1000));
    const heard = await heardBy(clients);
    assert.deepEqual(heard[1], heard[0]);
    assert.deepEqual(heard[0]!.slice(0, 3), ['2["a"]', `2["${large}"]`, '2["b"]']);
    assert.equal(heard[0]!.length, 33);
    assert.deepEqual(cluster.gaps, []);
  });

  it("go on without links: broadcasts and commands arrive", async () => {
    await using nodes = await three();
    const { cluster, clients } = nodes;
    for (const { socket } of clients) await socket.join("red");
    cluster.cut(0, 1);
    await settled();
    const { io } = cluster.nodes[0]!;
    io.to("red").emit("x");
    io.emit("y");
    io.in("red").disconnectSockets();
    const all = ['2["x"]', '2["y"]', "1"];
    assert.deepEqual(await heardBy(clients), [all, all, all]);
  });

  it("use the links while the broker is away, and lose, repeat or reorder nothing when it goes and comes", async () => {
    await using nodes = await three();
    const { cluster, clients } = nodes;
    for (const { socket } of clients) await socket.join("red");
    const expected: string[] = [];
    const send = ({ io }: TestNode): void => {
      io.to("red").emit("x", expected.length);
      expected.push(`2["x",${expected.length}]`);
    };
    const some = async (count: number): Promise<void> => {
      for (let n = 0; n < count; n++) {
        send(cluster.nodes[0]!);
        await pause(1);
      }
    };
    await some(5);
    send(cluster.nodes[0]!);
    cluster.broker.kill();
    await some(5);
    assert.deepEqual(cluster.outages.splice(0), [
      [0, "CHANNELS_AWAY"],
      [1, "CHANNELS_AWAY"],
      [2, "CHANNELS_AWAY"],
    ]);
    assert.equal(clients[1].socket.join("new"), undefined);
    cluster.nodes[0]!.io.to("new").emit("n");
    await settled();
    send(cluster.nodes[0]!);
    cluster.broker.restart();
    await some(5);
    const [a, b, c] = await heardBy(clients);
    assert.deepEqual(a, expected);
    assert.deepEqual(c, expected);
    assert.deepEqual(
      b!.filter((heard) => heard !== '2["n"]'),
      expected,
    );
    assert.equal(b!.length, expected.length + 1);
    assert.deepEqual(cluster.gaps, []);
    assert.deepEqual(cluster.outages.splice(0), [
      [0, "back"],
      [1, "back"],
      [2, "back"],
    ]);
  });

  it("send a node that has lost the broker alone everything over its link, and first what it may have lost", async () => {
    await using nodes = await three();
    const { cluster, clients } = nodes;
    const [io, other] = [cluster.nodes[0]!.io, cluster.broker.all[2]!];
    io.emit("0");
    await settled();
    other.isDeaf = true;
    io.emit("1");
    io.emit("2");
    await settled();
    other.isDeaf = false;
    other.lose();
    await settled();
    io.emit("3");
    await settled();
    cluster.nodes[2]!.io.emit("4");
    await settled();
    other.comeBack();
    io.emit("5");
    await settled();
    io.emit("6");
    const all = ["0", "1", "2", "3", "4", "5", "6"].map((event) => `2["${event}"]`);
    assert.deepEqual(await heardBy(clients), [all, all, all]);
    assert.deepEqual(cluster.gaps, []);
  });

  it("report what was lost for good", async () => {
    await using nodes = await three();
    const { cluster, clients } = nodes;
    const [io, deaf] = [cluster.nodes[0]!.io, cluster.broker.all[1]!];
    io.emit("0");
    await settled();
    deaf.isDeaf = true;
    io.emit("1");
    io.emit("2");
    await settled();
    deaf.isDeaf = false;
    io.emit("3");
    await pause(600);
    assert.deepEqual(clients[1].take(), ['2["0"]', '2["3"]']);
    assert.deepEqual(cluster.gaps, [[1, cluster.members[0]!.self, 2]]);
  });

  it("understand nodes without channels, and are understood", async () => {
    await using cluster = await TestNodes.start(2, {}, "channels");
    const [a, b, c] = [cluster.nodes[0]!, cluster.nodes[1]!, cluster.add()];
    await settled();
    const clients = [await a.connect(), await b.connect(), await c.connect()];
    for (const { socket } of clients) await socket.join("red");
    for (const { io } of [a, b, c]) io.to("red").emit("x");
    const all = ['2["x"]', '2["x"]', '2["x"]'];
    assert.deepEqual(await heardBy(clients), [all, all, all]);
    assert.equal(await c.io.in("red").count(), 3);
    assert.equal(await a.io.in("red").count(), 3);
  });

  it("ignore what is no publication", async () => {
    await using nodes = await three();
    const { broker, nodes: all } = nodes.cluster;
    for (const text of ["", "\u0001", "other"]) broker.all[0]!.publish(EVERYONE, Buffer.from(text));
    await settled();
    all[0]!.io.emit("x");
    assert.deepEqual(await heardBy(nodes.clients), [['2["x"]'], ['2["x"]'], ['2["x"]']]);
  });

  it("forget subscriptions that were not needed any more before they held", async () => {
    await using nodes = await three();
    const { cluster, clients } = nodes;
    const joined = clients[1].socket.join("red");
    clients[1].socket.disconnect();
    await joined;
    await pause(100);
    assert.deepEqual(cluster.broker.subscribers(channelOf("/", "red")), []);
  });
});

describe("messages of one tick after another", () => {
  let nodes: Three;

  /** The nodes, the first of which waits so long for the broker, in ms. */
  async function start(patience?: number): Promise<void> {
    nodes = await three(patience);
    for (const { socket } of nodes.clients) await socket.join(["red", "blue"]);
    await settled();
    const [publisher] = nodes.cluster.broker.all;
    publisher!.published.length = 0;
    publisher!.isSlow = true;
    nodes.cluster.loop.stopClock();
  }

  // Long enough for a machine that is busy.
  beforeEach(() => start(60_000));

  afterEach(() => nodes[Symbol.asyncDispose]());

  /** Emits something in each of some ticks. */
  async function emitInTicks(...events: string[]): Promise<void> {
    for (const event of events) {
      nodes.cluster.nodes[0]!.io.emit(event);
      await turn();
    }
  }

  /** Waits until every client has heard as much. */
  async function heard(count: number): Promise<string[][]> {
    const end = performance.now() + 10_000;
    while (nodes.clients.some(({ received }) => received.length < count) && performance.now() < end)
      await turn();
    return heardBy(nodes.clients);
  }

  const eventsOf = (...names: string[]): string[][] => {
    const events = names.map((name) => `2["${name}"]`);
    return [events, events, events];
  };

  it("leave in their own tick if nothing is under way, and nothing has left just before", async () => {
    const [publisher] = nodes.cluster.broker.all;
    await emitInTicks("a");
    assert.deepEqual(publisher!.published, [EVERYONE]);
    publisher!.confirm();
    nodes.cluster.loop.advance(1);
    await emitInTicks("b");
    assert.deepEqual(publisher!.published, [EVERYONE, EVERYONE]);
    assert.deepEqual(await heard(2), eventsOf("a", "b"));
  });

  it("leave together, except for the first, while one tick after the other publishes", async () => {
    const [publisher] = nodes.cluster.broker.all;
    publisher!.isSlow = false;
    await emitInTicks("a", "b", "c", "d");
    assert.deepEqual(publisher!.published, [EVERYONE]);
    await turn();
    assert.deepEqual(publisher!.published, [EVERYONE, EVERYONE]);
    assert.deepEqual(await heard(4), eventsOf("a", "b", "c", "d"));
  });

  it("leave after a while, however many ticks publish one after the other", async () => {
    const [publisher] = nodes.cluster.broker.all;
    publisher!.isSlow = false;
    await emitInTicks("a", "b", "c");
    nodes.cluster.loop.advance(60_000);
    await emitInTicks("d");
    assert.deepEqual(publisher!.published, [EVERYONE, EVERYONE]);
    await emitInTicks("e");
    assert.deepEqual(publisher!.published, [EVERYONE, EVERYONE]);
    await turn();
    assert.deepEqual(publisher!.published, [EVERYONE, EVERYONE, EVERYONE]);
    assert.deepEqual(await heard(5), eventsOf("a", "b", "c", "d", "e"));
  });

  it("leave together when the broker has confirmed what was published before", async () => {
    const [publisher] = nodes.cluster.broker.all;
    await emitInTicks("a", "b", "c", "d");
    publisher!.confirm();
    await turn();
    assert.deepEqual(publisher!.published, [EVERYONE, EVERYONE]);
    assert.deepEqual(await heard(4), eventsOf("a", "b", "c", "d"));
  });

  it("keep their order between channels", async () => {
    const [publisher] = nodes.cluster.broker.all;
    const { io } = nodes.cluster.nodes[0]!;
    const [red, blue] = [channelOf("/", "red"), channelOf("/", "blue")];
    await emitInTicks("a", "b");
    for (const room of ["red", "blue", "blue", "red"]) {
      io.to(room).emit(room);
      await turn();
    }
    publisher!.confirm();
    await turn();
    assert.deepEqual(publisher!.published, [EVERYONE, EVERYONE, red, blue, red]);
    assert.deepEqual(await heard(6), eventsOf("a", "b", "red", "blue", "blue", "red"));
  });

  it("wait for a moment only, whether the broker confirms or not", async () => {
    await nodes[Symbol.asyncDispose]();
    await start();
    await emitInTicks("a", "b", "c");
    assert.deepEqual(await heard(3), eventsOf("a", "b", "c"));
  });

  it("do not wait when they are many bytes", async () => {
    const [publisher] = nodes.cluster.broker.all;
    const large = "x".repeat(9000);
    await emitInTicks("a");
    for (let n = 0; n < 8; n++) nodes.cluster.nodes[0]!.io.emit(large);
    await turn();
    assert.equal(publisher!.published.length, 9);
    assert.deepEqual(await heard(9), eventsOf("a", ...Array<string>(8).fill(large)));
  });

  it("do not wait when somebody asks a question, which follows them", async () => {
    const [publisher] = nodes.cluster.broker.all;
    const { io } = nodes.cluster.nodes[0]!;
    await emitInTicks("a", "b");
    const found = io.fetchSockets();
    await turn();
    assert.deepEqual(publisher!.published, [EVERYONE, EVERYONE]);
    assert.equal((await found).length, 3);
    assert.deepEqual(await heard(2), eventsOf("a", "b"));
  });

  it("arrive over the links, once and in order, if the broker goes meanwhile", async () => {
    await emitInTicks("a");
    await settled();
    await emitInTicks("b");
    nodes.cluster.broker.kill();
    await emitInTicks("c");
    assert.deepEqual(await heard(3), eventsOf("a", "b", "c"));
    assert.deepEqual(nodes.cluster.gaps, []);
  });

  it("leave before the node does", async () => {
    const [publisher] = nodes.cluster.broker.all;
    await emitInTicks("a", "b");
    await nodes.cluster.stopBus(0);
    assert.deepEqual(publisher!.published, [EVERYONE, EVERYONE]);
    assert.deepEqual(await heard(2), eventsOf("a", "b"));
  });
});
