import assert from "node:assert/strict";
import { connected } from "../../test/support/server/clients.ts";
import { next } from "../../test/support/waiting/events.ts";
import { Cluster, eventually, join, type Member } from "./support/cluster.ts";
import { published } from "./support/published.ts";
import { describeWith, redis } from "./support/service.ts";

let suites = 0;

published("@socket.io/redis-streams-adapter", (host) => {
  describeWith(redis, "connection state recovery across servers", () => {
    const cluster = new Cluster();
    // the first two keep running; one of the others shuts down, one is killed
    before("start four servers", async () => {
      const prefix = `recovery_${++suites}`;
      await cluster.start(
        host,
        { adapter: "streams", redis: await redis.start(), prefix, recovery: true },
        4,
      );
      await cluster.complete();
    });
    after("stop the servers", () => cluster.stop());

    it("restores the id, the rooms and the missed events on another server", async () => {
      const client = await member();
      const { id } = client.client;
      await lose(client);
      await cluster.node(1).io(["emit", "to all", 1]);
      await cluster.node(1).io(["to", "red"], ["emit", "to the room", { n: 2 }]);
      await cluster.node(1).io(["to", "blue"], ["emit", "to another room"]);
      await cluster.node(1).io(["to", id as string], ["emit", "to the socket", Buffer.from([3])]);
      await moveTo(client, 1);
      assert.equal(client.client.recovered, true);
      assert.equal(client.client.id, id);
      assert.deepEqual(withoutOffsets(client), [
        ["to all", 1],
        ["to the room", { n: 2 }],
        ["to the socket", Buffer.from([3])],
      ]);
      await cluster.node(0).io(["to", "red"], ["emit", "live"]);
      await cluster.fence(cluster.node(0), [client]);
      assert.deepEqual(withoutOffsets(client).at(-1), ["live"]);
      const sockets = await cluster
        .node(0)
        .io<{ id: string; name: string }[]>(["in", "red"], ["fetchSockets"]);
      assert.deepEqual(
        sockets.map((socket) => [socket.id, socket.name]),
        [[id, "ann"]],
      );
    });

    it("recovers a client whose server shut down", async () => {
      const client = await member(2);
      const { id } = client.client;
      const gone = next(client.client, "disconnect");
      await cluster.node(2).listening.call("close");
      assert.equal((await gone)[0], "transport close");
      await cluster.node(1).io(["to", "red"], ["emit", "missed"]);
      await moveTo(client, 1);
      assert.deepEqual([client.client.recovered, client.client.id], [true, id]);
      assert.deepEqual(withoutOffsets(client), [["missed"]]);
    });

    it("creates a new socket for a client whose server was killed", async () => {
      const client = await member(3);
      const { id } = client.client;
      const gone = next(client.client, "disconnect");
      await cluster.node(3).kill();
      await gone;
      await moveTo(client, 1);
      assert.equal(client.client.recovered, false);
      assert.notEqual(client.client.id, id);
    });

    it("recovers a state only once", async () => {
      const client = await member();
      await lose(client);
      const { client: socket } = client;
      const { _pid, _lastOffset } = socket as unknown as { _pid: string; _lastOffset: string };
      await moveTo(client, 1);
      assert.equal(socket.recovered, true);
      const thief = await join(cluster.node(0).url, {
        name: "thief",
        session: { pid: _pid, offset: _lastOffset },
      });
      assert.equal(thief.client.recovered, false);
      assert.notEqual(thief.client.id, socket.id);
    });

    /** Connects a client that is in a room and has an offset. */
    async function member(number = 0): Promise<Member> {
      const client = await join(cluster.node(number).url, { name: "ann", rooms: ["red"] });
      await cluster.fence(cluster.node(number), [client]);
      return client;
    }

    /** Breaks the connection of a client, and waits until its server notices. */
    async function lose({ client }: Member): Promise<void> {
      const gone = next(client, "disconnect");
      client.io.engine.close();
      await gone;
      await eventually(
        () => cluster.node(0).localCount(),
        (count) => count === 0,
      );
    }

    /** Connects a client to another server, as a load balancer would. */
    async function moveTo({ client }: Member, number: number): Promise<void> {
      (client.io as unknown as { uri: string }).uri = cluster.node(number).url;
      const joined = next(client, "joined");
      client.connect();
      await connected(client);
      await joined;
    }
  });
});

/** The events that the client received, without their last argument, the offset. */
function withoutOffsets({ heard }: Member): unknown[][] {
  return heard.filter(([name]) => name !== "joined").map((args) => args.slice(0, -1));
}
