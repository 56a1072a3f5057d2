// Broadcasts between the servers of a cluster, and their acks.
import assert from "node:assert/strict";
import { next } from "../../../test/support/waiting/events.ts";
import type { Declare } from "../../support/cell.ts";
import { hearers, type Cluster, type Member } from "./cluster.ts";
import type { ProgramError } from "./program.ts";

/** Larger than a PostgreSQL notification can be. */
const LARGE: string = "0123456789".repeat(3000);
const EVERYONE = ["a0", "a1", "b0", "b1", "c0", "c1"];

/** Declares tests of events from one server to the clients of all. */
export function describeBroadcasts(cluster: Cluster, test: Declare): void {
  test("sends a broadcast to every client of every server", async () => {
    const members = await cluster.members();
    await cluster.node(0).io(["emit", "hello", "world", { n: [1, null, { deep: true }] }]);
    await cluster.fence(cluster.node(0), members);
    for (const { heard } of members) {
      assert.deepEqual(heard, [["hello", "world", { n: [1, null, { deep: true }] }]]);
    }
  });

  test("sends a broadcast with binary data", async () => {
    const members = await cluster.members();
    const waiting = members.map(({ client }) => next(client, "bytes"));
    await cluster.node(1).io(["emit", "bytes", { data: Buffer.from([0, 1, 255]) }, "after"]);
    for (const args of await Promise.all(waiting)) {
      assert.deepEqual(args, [{ data: Buffer.from([0, 1, 255]) }, "after"]);
    }
  });

  test("sends a large broadcast", async () => {
    const members = await cluster.members();
    const waiting = members.map(({ client }) => next(client, "large"));
    await cluster.node(2).io(["emit", "large", LARGE]);
    for (const [text] of await Promise.all(waiting)) assert.equal(text, LARGE);
  });

  test("keeps broadcasts of one server in order", async () => {
    const members = await cluster.members();
    for (let number = 0; number < 50; number++) void cluster.node(0).io(["emit", "count", number]);
    await cluster.fence(cluster.node(0), members);
    const expected = Array.from({ length: 50 }, (_, number) => ["count", number]);
    for (const { heard } of members) assert.deepEqual(heard, expected);
  });

  test("reaches the clients of a room on every server", async () => {
    const members = await cluster.members({ red: ["a1", "b0"], blue: ["c1"] });
    await cluster.node(2).io(["to", "red"], ["emit", "in red"]);
    await cluster.fence(cluster.node(2), members);
    assert.deepEqual(hearers(members), ["a1", "b0"]);
  });

  test("sends an event once to a client in several of its rooms", async () => {
    const members = await cluster.members({ red: ["a1", "b0"], blue: ["b0", "c1"] });
    await cluster.node(0).io(["to", "red"], ["to", "blue"], ["emit", "hello"]);
    await cluster.fence(cluster.node(0), members);
    assert.deepEqual(hearers(members), ["a1", "b0", "c1"]);
    for (const { heard } of members) assert.ok(heard.length <= 1);
  });

  test("excludes the rooms of except() on every server", async () => {
    const members = await cluster.members({ red: ["a1", "b0"] });
    await cluster.node(0).io(["except", "red"], ["emit", "hello"]);
    await cluster.fence(cluster.node(0), members);
    assert.deepEqual(hearers(members), ["a0", "b1", "c0", "c1"]);
  });

  test("combines to() and except()", async () => {
    const members = await cluster.members({ red: ["a1", "b0", "c0"], blue: ["c0"] });
    await cluster.node(1).io(["to", "red"], ["except", "blue"], ["emit", "hello"]);
    await cluster.fence(cluster.node(1), members);
    assert.deepEqual(hearers(members), ["a1", "b0"]);
  });

  test("reaches all except the sender with socket.broadcast", async () => {
    const members = await cluster.members();
    await cluster.node(1).listening.call("broadcastFrom", "b0", "hello");
    await cluster.fence(cluster.node(1), members);
    assert.deepEqual(hearers(members), ["a0", "a1", "b1", "c0", "c1"]);
  });

  test("reaches a room except the sender with socket.to(room)", async () => {
    const members = await cluster.members({ red: ["a1", "b0", "c0"] });
    await cluster.node(1).socket("b0", ["to", "red"], ["emit", "hello"]);
    await cluster.fence(cluster.node(1), members);
    assert.deepEqual(hearers(members), ["a1", "c0"]);
  });

  test("reaches a socket of any server by its id", async () => {
    const members = await cluster.members();
    const c1 = members.find(({ name }) => name === "c1") as Member;
    await cluster.node(0).io(["to", c1.client.id], ["emit", "hello"]);
    await cluster.fence(cluster.node(0), members);
    assert.deepEqual(hearers(members), ["c1"]);
  });

  test("keeps local broadcasts on the server", async () => {
    const members = await cluster.members();
    await cluster.node(2).listening.call("local", "hello");
    await cluster.fence(cluster.node(2), members);
    assert.deepEqual(hearers(members), ["c0", "c1"]);
  });
}

/** Declares tests of acks of broadcasts. */
export function describeAcks(cluster: Cluster, test: Declare): void {
  test("collects the acks of all clients", async () => {
    await cluster.members();
    const answers = await cluster
      .node(0)
      .io<string[]>(["timeout", 15_000], ["emitWithAck", "question", "it"]);
    assert.deepEqual(
      answers.sort(),
      EVERYONE.map((name) => `${name} heard it`),
    );
  });

  test("collects the acks of a room", async () => {
    await cluster.members({ red: ["a1", "b0"] });
    const answers = await cluster
      .node(2)
      .io<string[]>(["to", "red"], ["timeout", 15_000], ["emitWithAck", "question", "it"]);
    assert.deepEqual(answers.sort(), ["a1 heard it", "b0 heard it"]);
  });

  test("collects binary acks", async () => {
    const members = await cluster.members();
    for (const { client } of members) {
      client.on("bytes", (data: Buffer, reply: (data: Buffer) => void) => reply(data.subarray(1)));
    }
    const answers = await cluster
      .node(1)
      .io<Uint8Array[]>(["timeout", 15_000], ["emitWithAck", "bytes", Buffer.from([1, 2, 3])]);
    assert.deepEqual(
      answers.map((answer) => [...answer]),
      EVERYONE.map(() => [2, 3]),
    );
  });

  test("rejects after the timeout, with the acks that arrived", async () => {
    await cluster.members({ red: ["a1", "b0"] });
    const asking = cluster
      .node(2)
      .io(["to", "red"], ["timeout", 500], ["emitWithAck", "question", "silence"]);
    await assert.rejects(asking, (error: ProgramError) => {
      assert.equal(error.message, "operation has timed out");
      assert.deepEqual(error.responses, ["a1 heard silence"]);
      return true;
    });
  });
}
