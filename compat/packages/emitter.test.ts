import assert from "node:assert/strict";
import { next } from "../../test/support/waiting/events.ts";
import { Cluster, eventually, hearers, type Member, type Step } from "./support/cluster.ts";
import { program, published } from "./support/published.ts";
import { describeWith, redis } from "./support/service.ts";

let suites = 0;

published("@socket.io/redis-emitter", (host) => {
  describeWith(redis, "a process without a server, next to two servers", () => {
    const cluster = new Cluster();
    const prefix = `emitter_${++suites}`;
    before("start two servers", async () => {
      await cluster.start(host, { adapter: "redis", redis: await redis.start(), prefix }, 2);
      await cluster.complete();
    });
    after("stop the servers", () => cluster.stop());
    const emitter = program("emitter", host, async () => ({ redis: await redis.start(), prefix }));
    const emit = <T>(...steps: Step[]): Promise<T> => emitter().call<T>("emitter", ...steps);

    it("reaches all clients", async () => {
      const members = await cluster.members();
      await emit(["emit", "hello", "world", { data: Buffer.from([1, 2]) }]);
      await fence(members);
      for (const { heard } of members) {
        assert.deepEqual(heard, [["hello", "world", { data: Buffer.from([1, 2]) }]]);
      }
    });

    it("reaches rooms, except those of except()", async () => {
      const members = await cluster.members({ red: ["a0", "b0", "b1"], blue: ["b1"] });
      await emit(["to", "red"], ["except", "blue"], ["emit", "hello"]);
      await fence(members);
      assert.deepEqual(hearers(members), ["a0", "b0"]);
    });

    it("makes sockets join and leave rooms", async () => {
      const members = await cluster.members({ red: ["a0", "b0", "b1"] });
      const green = async (): Promise<number> =>
        (await cluster.node(0).io<unknown[]>(["in", "green"], ["fetchSockets"])).length;
      await emit(["in", "red"], ["socketsJoin", "green"]);
      await eventually(green, (count) => count === 3);
      await emit(["in", members[0]?.client.id ?? ""], ["socketsLeave", "green"]);
      await eventually(green, (count) => count === 2);
    });

    it("disconnects sockets", async () => {
      const members = await cluster.members({ red: ["a1", "b0"] });
      const gone = [1, 2].map((number) => next(members[number]?.client, "disconnect"));
      await emit(["in", "red"], ["disconnectSockets"]);
      for (const [reason] of await Promise.all(gone)) assert.equal(reason, "io server disconnect");
    });

    it("sends events to the servers", async () => {
      await emit(["serverSideEmit", "note", "from outside"]);
      for (const node of cluster.nodes) {
        const notes = await eventually(
          () => node.notes(),
          (heard) => heard.length > 0,
        );
        assert.deepEqual(notes, [["from outside"]]);
      }
    });

    /** Waits until everything that the emitter sent has arrived. */
    async function fence(members: readonly Member[]): Promise<void> {
      await cluster.fence({ io: emit }, members);
    }
  });
});
