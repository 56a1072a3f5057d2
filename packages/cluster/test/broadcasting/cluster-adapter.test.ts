import assert from "node:assert/strict";
import { once } from "node:events";
import type { Socket } from "@tidewire/server";
import { PacketType } from "@tidewire/parser";
import type { Packet } from "@tidewire/parser";
import * as msgpack from "socket.io-msgpack-parser";
import { MOST_BYTES } from "../../src/broadcasting/size.ts";
import { uncaught } from "../../../../test/support/process/uncaught.ts";
import { carriers, settled, TestNodes } from "./nodes.ts";
import type { Carrier, TestClient } from "./nodes.ts";

/** What the other parser makes of a packet. */
function encode(packet: Packet): Buffer[] {
  return new msgpack.Encoder().encode(packet) as unknown as Buffer[];
}

/** Three nodes with a client each. */
async function threeOver(carrier: Carrier): Promise<{
  cluster: TestNodes;
  clients: [TestClient, TestClient, TestClient];
  [Symbol.asyncDispose](): Promise<void>;
}> {
  const cluster = await TestNodes.start(3, {}, carrier);
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

for (const carrier of carriers) {
  describe(`over ${carrier}:`, () => {
    const three = (): ReturnType<typeof threeOver> => threeOver(carrier);

    describe("revalidateSockets() between nodes", () => {
      it("calls the middlewares of each node with its sockets, and disconnects those they refuse", async () => {
        await using nodes = await three();
        const { cluster, clients } = nodes;
        for (const { io } of cluster.nodes) {
          io.use((socket, next) => next(socket.data.isBanned ? new Error("banned") : undefined));
        }
        for (const { socket } of clients) {
          await socket.join("room");
          socket.data.isBanned = true;
        }
        clients[2].socket.data.isBanned = false;
        cluster.nodes[0]!.io.to("room").revalidateSockets();
        const ended = ['2["auth:ended",{"code":"AUTH_REFUSED","message":"banned"}]', "1"];
        assert.deepEqual(await heardBy(clients), [ended, ended, []]);
        assert.deepEqual(
          clients.map(({ socket }) => socket.connected),
          [false, false, true],
        );
      });
    });

    describe("a broadcast between nodes", () => {
      it("reaches the clients of all nodes once, those of one node in its order", async () => {
        await using nodes = await three();
        const { cluster, clients } = nodes;
        for (let n = 0; n < 3; n++) cluster.nodes[1]!.io.emit("n", n);
        const all = ['2["n",0]', '2["n",1]', '2["n",2]'];
        assert.deepEqual(await heardBy(clients), [all, all, all]);
      });

      it("reaches members of rooms, and no one in an excepted one", async () => {
        await using nodes = await three();
        const { cluster, clients } = nodes;
        const [a, b, c] = clients;
        await a.socket.join(["red", "blue"]);
        await b.socket.join(["blue", "green"]);
        await c.socket.join("green");
        const { io } = cluster.nodes[0]!;
        io.to("red").to("blue").emit("1");
        io.to("blue").except("green").emit("2");
        io.except("red").emit("3");
        a.socket.to("blue").emit("4");
        assert.deepEqual(await heardBy(clients), [
          ['2["1"]', '2["2"]'],
          ['2["1"]', '2["3"]', '2["4"]'],
          ['2["3"]'],
        ]);
      });

      it("reaches rooms whose names are numbers, and not those of the same text", async () => {
        await using nodes = await three();
        const { cluster, clients } = nodes;
        await clients[1].socket.join(7 as never);
        await clients[2].socket.join("7");
        cluster.nodes[0]!.io.to(7 as never).emit("x");
        assert.deepEqual(await heardBy(clients), [[], ['2["x"]'], []]);
      });

      it("that is larger than other nodes can read is refused: nobody gets it, and everything else arrives", async () => {
        await using nodes = await three();
        const { cluster, clients } = nodes;
        const { io } = cluster.nodes[0]!;
        const tooLarge = Buffer.alloc(MOST_BYTES + 1);
        io.emit("before");
        const refused = { name: "ClusterError", code: "TOO_LARGE" };
        assert.throws(() => io.emit("event", tooLarge), refused);
        assert.throws(() => io.to("red").emit("event", tooLarge), refused);
        assert.throws(() => io.serverSideEmit("event", tooLarge), refused);
        await assert.rejects(io.timeout(1000).emitWithAck("event", tooLarge), refused);
        await assert.rejects(io.serverSideEmitWithAck("event", tooLarge), refused);
        io.emit("after");
        const others = ['2["before"]', '2["after"]'];
        assert.deepEqual(await heardBy(clients), [others, others, others]);
        assert.deepEqual(cluster.gaps, []);
        assert.deepEqual(
          cluster.members.map(({ peers }) => peers.size),
          [2, 2, 2],
        );
      });

      it("stays on its node with the flag local", async () => {
        await using nodes = await three();
        const { cluster, clients } = nodes;
        cluster.nodes[0]!.io.local.emit("x");
        assert.deepEqual(await heardBy(clients), [['2["x"]'], [], []]);
      });

      it("carries bytes, which the application may change at once", async () => {
        await using nodes = await three();
        const { cluster, clients } = nodes;
        const bytes = Buffer.from([1, 2]);
        cluster.nodes[0]!.io.emit("x", bytes, "é", new Uint8Array([3]));
        bytes.fill(9);
        const frames = [
          '51-["x",{"_placeholder":true,"num":0},"é",{"_placeholder":true,"num":1}]',
          "0102",
          "03",
        ];
        frames[0] = frames[0]!.replace("51-", "52-");
        assert.deepEqual(await heardBy(clients), [frames, frames, frames]);
      });

      it("is what another parser has made", async () => {
        await using cluster = await TestNodes.start(2, { parser: msgpack }, carrier);
        const [a, b] = cluster.nodes;
        const webSocket = await b!.host.connect({ url: "/engine.io/?EIO=4&transport=websocket" });
        const [connect] = encode({ type: PacketType.CONNECT, nsp: "/" });
        webSocket.send(connect!);
        await settled();
        const received: unknown[] = [];
        const heard: unknown[] = [];
        webSocket.onmessage = () => {};
        webSocket.onmessage = (data) => received.push(data);
        const [socket] = b!.io.of("/").sockets.values();
        socket!.onAnyOutgoing((...args) => heard.push(args));
        const data = ["x", 1, Buffer.from([2])];
        a!.io.emit("x", 1, Buffer.from([2]));
        await settled();
        assert.deepEqual(received, encode({ type: PacketType.EVENT, data, nsp: "/" }));
        assert.deepEqual(heard, [data]);
      });

      it("carries whether it is volatile, and whether it may be compressed", async () => {
        await using nodes = await three();
        const { cluster, clients } = nodes;
        const written: unknown[] = [];
        clients[1].socket.conn.on("packetCreate", ({ options }: { options: { compress: boolean } }) =>
          written.push(options.compress),
        );
        const { io } = cluster.nodes[0]!;
        io.compress(false).emit("a");
        io.compress(true).emit("b");
        io.emit("c");
        assert.deepEqual(await heardBy(clients.slice(1, 2)), [['2["a"]', '2["b"]', '2["c"]']]);
        assert.deepEqual(written, [false, true, true]);
      });

      it("calls the outgoing listeners of receivers on other nodes", async () => {
        await using nodes = await three();
        const { cluster, clients } = nodes;
        const heard: unknown[] = [];
        clients[2].socket.onAnyOutgoing((...args) => heard.push(args));
        cluster.nodes[0]!.io.emit("x", { a: 1 }, Buffer.from([1]));
        await settled();
        assert.deepEqual(heard, [["x", { a: 1 }, Buffer.from([1])]]);
      });

      it("reaches its namespace, where nodes have it", async () => {
        await using cluster = await TestNodes.start(3, {}, carrier);
        const [a, b] = cluster.nodes;
        for (const { io } of cluster.nodes.slice(0, 2)) io.of(/^\/room-\d+$/);
        const clients = [
          await a!.connect("/room-1"),
          await b!.connect("/room-1"),
          await b!.connect("/room-2"),
        ];
        a!.io.of("/room-1").emit("x");
        assert.deepEqual(await heardBy(clients), [['2/room-1,["x"]'], ['2/room-1,["x"]'], []]);
      });
    });

    describe("a broadcast that asks for answers, between nodes", () => {
      it("gets those of the clients of all nodes", async () => {
        await using nodes = await three();
        const { cluster, clients } = nodes;
        for (const [n, client] of clients.entries()) client.answer = () => `["${n}"]`;
        const answers = (await cluster.nodes[0]!.io.timeout(5000).emitWithAck("q")) as string[];
        assert.deepEqual(answers.toSorted(), ["0", "1", "2"]);
        assert.deepEqual(await heardBy(clients), [['2#["q"]'], ['2#["q"]'], ['2#["q"]']]);
      });

      it("gets bytes", async () => {
        await using nodes = await three();
        const { cluster, clients } = nodes;
        const [, far] = clients;
        const answered = cluster.nodes[0]!.io.to(far.socket.id).emitWithAck("q", Buffer.from([1]));
        await settled();
        const [id] = (far.socket as unknown as { acks: Map<number, unknown> }).acks.keys();
        far.socket._onpacket({ type: 3, nsp: "/", id: id!, data: [Buffer.from([2])] });
        assert.deepEqual(await answered, [Buffer.from([2])]);
      });

      it("counts only its own node's clients with the flag local", async () => {
        await using nodes = await three();
        const { cluster, clients } = nodes;
        clients[0].answer = () => "[0]";
        assert.deepEqual(await cluster.nodes[0]!.io.local.timeout(5000).emitWithAck("q"), [0]);
      });

      it("is answered without the nodes that do not have the namespace", async () => {
        await using cluster = await TestNodes.start(3, {}, carrier);
        const [a, b] = cluster.nodes;
        b!.io.of("/x");
        const client = await b!.connect("/x");
        client.answer = () => "[1]";
        assert.deepEqual(await a!.io.of("/x").timeout(5000).emitWithAck("q"), [1]);
      });

      it("does not wait for a node that leaves before it says whom it has reached", async () => {
        await using nodes = await three();
        const { cluster, clients } = nodes;
        for (const [n, client] of clients.entries()) client.answer = () => `["${n}"]`;
        cluster.stall(0, 2);
        const answered = cluster.nodes[0]!.io.timeout(60_000).emitWithAck("q");
        await settled();
        cluster.cut(0, 2);
        assert.deepEqual(((await answered) as string[]).toSorted(), ["0", "1"]);
      });

      it("does not wait for the clients of a node that leaves after that, and keeps the answers that came", async () => {
        await using nodes = await three();
        const { cluster, clients } = nodes;
        const second = await cluster.nodes[2]!.connect();
        for (const [n, client] of clients.entries()) client.answer = () => `["${n}"]`;
        const answered = cluster.nodes[0]!.io.timeout(60_000).emitWithAck("q");
        assert.deepEqual(await heardBy([second]), [['2#["q"]']]);
        cluster.cut(0, 2);
        assert.deepEqual(((await answered) as string[]).toSorted(), ["0", "1", "2"]);
      });

      it("is answered by nobody on a node whose parser refuses to decode it", async () => {
        await using cluster = await TestNodes.start(2, { parser: msgpack }, carrier);
        const surfaced = uncaught(1);
        let deep: unknown = 0;
        for (let n = 0; n < 600; n++) deep = [deep];
        assert.deepEqual(await cluster.nodes[0]!.io.timeout(5000).emitWithAck("q", deep), []);
        assert.match(String(await surfaced), /ParseError/);
        assert.equal(cluster.members[0]!.peers.size, 1);
      });

      it("reports the answers that came in time", async () => {
        await using nodes = await three();
        const { cluster, clients } = nodes;
        clients[1].answer = () => "[1]";
        await assert.rejects(cluster.nodes[0]!.io.timeout(50).emitWithAck("q"), {
          message: "operation has timed out",
          responses: [1],
        });
      });

      it("leaves nothing with clients that owe an answer to a node that has left", async () => {
        await using nodes = await three();
        const { cluster, clients } = nodes;
        clients[0].answer = clients[2].answer = () => "[]";
        cluster.nodes[0]!.io.timeout(60_000).emit("q", () => {});
        await settled();
        const { acks } = clients[1].socket as unknown as { acks: Map<number, unknown> };
        assert.equal(acks.size, 1);
        cluster.cut(0, 1);
        await settled();
        assert.equal(acks.size, 0);
      });
    });

    describe("sockets of other nodes", () => {
      it("are fetched: with their rooms, data and handshake", async () => {
        await using nodes = await three();
        const { cluster, clients } = nodes;
        const [, far] = clients;
        await far.socket.join("red");
        far.socket.data = { name: "b", bytes: Buffer.from([1]) };
        const sockets = await cluster.nodes[0]!.io.fetchSockets();
        assert.deepEqual(
          sockets.map(({ id }) => id).toSorted(),
          clients.map(({ socket }) => socket.id).toSorted(),
        );
        assert.equal(sockets[0], clients[0].socket);
        const remote = sockets.find(({ id }) => id === far.socket.id)!;
        assert.deepEqual(remote.data, far.socket.data);
        assert.deepEqual(remote.rooms, far.socket.rooms);
        assert.equal(remote.handshake.url, far.socket.handshake.url);
        assert.deepEqual(
          (await cluster.nodes[2]!.io.in("red").fetchSockets()).map(({ id }) => id),
          [far.socket.id],
        );
        assert.equal((await cluster.nodes[0]!.io.local.fetchSockets()).length, 1);
        assert.equal((await cluster.nodes[0]!.io.allSockets()).size, 3);
      });

      it("are fetched without a session store, which may be circular", async () => {
        await using nodes = await three();
        const { cluster, clients } = nodes;
        const store: Record<string, unknown> = {};
        store["self"] = store;
        Object.assign(clients[1].socket.handshake, { sessionStore: store });
        assert.equal((await cluster.nodes[0]!.io.fetchSockets()).length, 3);
      });

      it("cannot be fetched if their data cannot be encoded", async () => {
        await using nodes = await three();
        const { cluster, clients } = nodes;
        const data: Record<string, unknown> = {};
        data["self"] = data;
        clients[1].socket.data = data;
        const message = new RegExp(`node ${cluster.members[1]!.self} could not answer: `);
        await assert.rejects(cluster.nodes[0]!.io.fetchSockets(), {
          message,
          code: "ANSWER_FAILED",
        });
      });

      it("cannot be fetched if their data is larger than other nodes can read", async () => {
        await using nodes = await three();
        const { cluster, clients } = nodes;
        clients[1].socket.data.bytes = Buffer.alloc(MOST_BYTES + 1);
        await assert.rejects(cluster.nodes[0]!.io.fetchSockets(), /could not answer: .*too large/);
        assert.equal(cluster.members[0]!.peers.size, 2);
      });

      it("are counted", async () => {
        await using nodes = await three();
        const { cluster, clients } = nodes;
        await clients[1].socket.join("red");
        await clients[2].socket.join("red");
        const { io } = cluster.nodes[0]!;
        assert.equal(await io.in("red").count(), 2);
        assert.equal(await io.except("red").count(), 1);
        assert.equal(await io.in("red").local.count(), 0);
        assert.equal(await io.of("/none").in("red").count(), 0);
      });

      it("join and leave rooms, and are disconnected", async () => {
        await using nodes = await three();
        const { cluster, clients } = nodes;
        const [near, far, other] = clients;
        await other.socket.join("red");
        const { io } = cluster.nodes[0]!;
        io.socketsJoin(["blue", "green"]);
        io.in("red").socketsLeave("blue");
        io.in("blue").emit("x");
        assert.deepEqual(await heardBy(clients), [['2["x"]'], ['2["x"]'], []]);
        io.in(far.socket.id).disconnectSockets();
        assert.deepEqual(await heardBy(clients), [[], ["1"], []]);
        assert.deepEqual(
          [near, far, other].map(({ socket }) => socket.connected),
          [true, false, true],
        );
      });

      it("are not asked for again when their node has left while it was asked", async () => {
        await using nodes = await three();
        const { cluster } = nodes;
        cluster.stall(0, 2);
        const { io } = cluster.nodes[0]!;
        const fetched = io.fetchSockets();
        const counted = io.except("none").count();
        await settled();
        cluster.cut(0, 2);
        assert.deepEqual([(await fetched).length, await counted], [2, 2]);
        assert.equal(await io.of("/").adapter.serverCount(), 2);
      });

      it("are waited for as long as the flag timeout says", async () => {
        await using nodes = await three();
        const { cluster } = nodes;
        cluster.stall(0, 2);
        await assert.rejects(cluster.nodes[0]!.io.timeout(20).fetchSockets(), {
          message: "timeout reached: missing 1 responses",
          code: "ANSWERS_MISSING",
        });
      });
    });

    describe("events between servers", () => {
      it("reach the other servers, in their namespace", async () => {
        await using cluster = await TestNodes.start(3, {}, carrier);
        const heard: unknown[][] = [[], [], []];
        for (const [n, { io }] of cluster.nodes.entries()) {
          io.on("hello", (...args: unknown[]) => heard[n]!.push(args));
          if (n < 2) io.of("/x").on("hello", (...args: unknown[]) => heard[n]!.push(["/x", ...args]));
        }
        cluster.nodes[0]!.io.serverSideEmit("hello", 1, Buffer.from([2]));
        cluster.nodes[0]!.io.of("/x").serverSideEmit("hello", "x");
        await settled();
        const hello = [1, Buffer.from([2])];
        assert.deepEqual(heard, [[], [hello, ["/x", "x"]], [hello]]);
      });

      it("are answered by all that have the namespace, with the first answer of each", async () => {
        await using cluster = await TestNodes.start(4, {}, carrier);
        for (const [n, { io }] of cluster.nodes.slice(0, 3).entries()) {
          io.of("/x").on("q", (value: number, answer: (value: unknown) => void) => {
            answer(`${value + n}`);
            answer("again");
          });
        }
        const answers = await cluster.nodes[0]!.io.of("/x").serverSideEmitWithAck("q", 10);
        assert.deepEqual((answers as string[]).toSorted(), ["11", "12"]);
      });

      it("are answered by no one where there is no other server", async () => {
        await using cluster = await TestNodes.start(1, {}, carrier);
        assert.deepEqual(await cluster.nodes[0]!.io.serverSideEmitWithAck("q"), []);
      });

      it("are not waited for when a node has left", async () => {
        await using cluster = await TestNodes.start(3, {}, carrier);
        cluster.nodes[1]!.io.on("q", (answer: (value: unknown) => void) => answer(1));
        const answered = cluster.nodes[0]!.io.serverSideEmitWithAck("q");
        await settled();
        cluster.cut(0, 2);
        assert.deepEqual(await answered, [1]);
      });

      it("whose listener throws do not break the link", async () => {
        await using cluster = await TestNodes.start(2, {}, carrier);
        const [a, b] = cluster.nodes;
        const errors: unknown[] = [];
        b!.io.onError((error) => errors.push(error));
        b!.io.on("hello", () => {
          throw new Error("no");
        });
        a!.io.serverSideEmit("hello");
        await settled();
        assert.deepEqual([errors.length, cluster.members[0]!.peers.size], [1, 1]);
      });
    });

    describe("a client that comes back", () => {
      it("starts anew on every node, and is not given what it would need to be recovered", async () => {
        await using cluster = await TestNodes.start(2, { connectionStateRecovery: {} });
        for (const { host, io } of cluster.nodes) {
          const webSocket = await host.connect({ url: "/engine.io/?EIO=4&transport=websocket" });
          const received: unknown[] = [];
          webSocket.onmessage = (data) => received.push(data);
          const connection = once(io, "connection") as Promise<[Socket]>;
          webSocket.send('40{"pid":"known","offset":"1"}');
          const [socket] = await connection;
          assert.equal(socket.recovered, false);
          socket.emit("alone");
          io.emit("all");
          await settled();
          assert.deepEqual(received.slice(1, 4), [`40{"sid":"${socket.id}"}`, '42["alone"]', '42["all"]']);
        }
      });
    });
  });
}

describe("publications", () => {
  it("that were lost with a link are noticed once there is another", async () => {
    await using nodes = await threeOver("links");
    const { cluster, clients } = nodes;
    const { io } = cluster.nodes[0]!;
    io.emit("1");
    await settled();
    cluster.cut(0, 1);
    await settled();
    io.emit("2");
    io.emit("3");
    cluster.link(0, 1);
    await settled();
    io.emit("4");
    assert.deepEqual(await heardBy(clients.slice(1)), [
      ['2["1"]', '2["4"]'],
      ['2["1"]', '2["2"]', '2["3"]', '2["4"]'],
    ]);
    assert.deepEqual(cluster.gaps, [[1, cluster.members[0]!.self, 2]]);
  });

  it("of a node that has joined later are not missed", async () => {
    await using nodes = await threeOver("links");
    const { cluster } = nodes;
    cluster.nodes[0]!.io.emit("1");
    await settled();
    cluster.add();
    await settled();
    cluster.nodes[0]!.io.emit("2");
    await settled();
    assert.deepEqual(cluster.gaps, []);
  });
});
