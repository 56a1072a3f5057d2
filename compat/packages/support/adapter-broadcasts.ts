// Broadcasts between the servers of a cluster, and the answers to them.
import assert from "node:assert/strict";
import { next } from "../../../test/support/waiting/events.ts";
import type { Declare } from "../../support/cell.ts";
import { hearers, type Cluster, type Member } from "./cluster.ts";
import type { ProgramError } from "./program.ts";

/** Larger than PostgreSQL lets a notification be. */
const LARGE: string = "0123456789".repeat(3000);
const EVERYONE = ["a0", "a1", "b0", "b1", "c0", "c1"];

/** Events from one server to the clients of all. */
export function describeBroadcasts(cluster: Cluster, test: Declare): void {
  test("a broadcast reaches every client of every server", async () => {
    const members = await cluster.members();
    await cluster.node(0).io(["emit", "hello", "world", { n: [1, null, { deep: true }] }]);
    await cluster.fence(cluster.node(0), members);
    for (const { heard } of members) {
      assert.deepEqual(heard, [["hello", "world", { n: [1, null, { deep: true }] }]]);
    }
  });

  test("a broadcast carries binary data", async () => {
    const members = await cluster.members();
    const waiting = members.map(({ client }) => next(client, "bytes"));
    await cluster.node(1).io(["emit", "bytes", { data: Buffer.from([0, 1, 255]) }, "after"]);
    for (const args of await Promise.all(waiting)) {
      assert.deepEqual(args, [{ data: Buffer.from([0, 1, 255]) }, "after"]);
    }
  });

  test("a broadcast may be large", async () => {
    const members = await cluster.members();
    const waiting = members.map(({ client }) => next(client, "large"));
    await cluster.node(2).io(["emit", "large", LARGE]);
    for (const [text] of await Promise.all(waiting)) assert.equal(text, LARGE);
  });

  test("broadcasts of one server stay in order", async () => {
    const members = await cluster.members();
    for (let number = 0; number < 50; number++) void cluster.node(0).io(["emit", "count", number]);
    await cluster.fence(cluster.node(0), members);
    const expected = Array.from({ length: 50 }, (_, number) => ["count", number]);
    for (const { heard } of members) assert.deepEqual(heard, expected);
  });

  test("a room is the same room on every server", async () => {
    const members = await cluster.members({ red: ["a1", "b0"], blue: ["c1"] });
    await cluster.node(2).io(["to", "red"], ["emit", "in red"]);
    await cluster.fence(cluster.node(2), members);
    assert.deepEqual(hearers(members), ["a1", "b0"]);
  });

  test("a client in several of the rooms hears an event once", async () => {
    const members = await cluster.members({ red: ["a1", "b0"], blue: ["b0", "c1"] });
    await cluster.node(0).io(["to", "red"], ["to", "blue"], ["emit", "hello"]);
    await cluster.fence(cluster.node(0), members);
    assert.deepEqual(hearers(members), ["a1", "b0", "c1"]);
    for (const { heard } of members) assert.ok(heard.length <= 1);
  });

  test("except() leaves rooms out on every server", async () => {
    const members = await cluster.members({ red: ["a1", "b0"] });
    await cluster.node(0).io(["except", "red"], ["emit", "hello"]);
    await cluster.fence(cluster.node(0), members);
    assert.deepEqual(hearers(members), ["a0", "b1", "c0", "c1"]);
  });

  test("to() and except() together", async () => {
    const members = await cluster.members({ red: ["a1", "b0", "c0"], blue: ["c0"] });
    await cluster.node(1).io(["to", "red"], ["except", "blue"], ["emit", "hello"]);
    await cluster.fence(cluster.node(1), members);
    assert.deepEqual(hearers(members), ["a1", "b0"]);
  });

  test("socket.broadcast reaches all but the sender", async () => {
    const members = await cluster.members();
    await cluster.node(1).listening.call("broadcastFrom", "b0", "hello");
    await cluster.fence(cluster.node(1), members);
    assert.deepEqual(hearers(members), ["a0", "a1", "b1", "c0", "c1"]);
  });

  test("socket.to(room) reaches the room without the sender", async () => {
    const members = await cluster.members({ red: ["a1", "b0", "c0"] });
    await cluster.node(1).socket("b0", ["to", "red"], ["emit", "hello"]);
    await cluster.fence(cluster.node(1), members);
    assert.deepEqual(hearers(members), ["a1", "c0"]);
  });

  test("the id of a socket is a room on every server", async () => {
    const members = await cluster.members();
    const c1 = members.find(({ name }) => name === "c1") as Member;
    await cluster.node(0).io(["to", c1.client.id], ["emit", "hello"]);
    await cluster.fence(cluster.node(0), members);
    assert.deepEqual(hearers(members), ["c1"]);
  });

  test("local stays on the server", async () => {
    const members = await cluster.members();
    await cluster.node(2).listening.call("local", "hello");
    await cluster.fence(cluster.node(2), members);
    assert.deepEqual(hearers(members), ["c0", "c1"]);
  });
}

/** Acknowledgements of broadcasts. */
export function describeAnswers(cluster: Cluster, test: Declare): void {
  test("a broadcast gathers the answers of all clients", async () => {
    await cluster.members();
    const answers = await cluster
      .node(0)
      .io<string[]>(["timeout", 15_000], ["emitWithAck", "question", "it"]);
    assert.deepEqual(
      answers.sort(),
      EVERYONE.map((name) => `${name} heard it`),
    );
  });

  test("a broadcast to a room gathers the answers of the room", async () => {
    await cluster.members({ red: ["a1", "b0"] });
    const answers = await cluster
      .node(2)
      .io<string[]>(["to", "red"], ["timeout", 15_000], ["emitWithAck", "question", "it"]);
    assert.deepEqual(answers.sort(), ["a1 heard it", "b0 heard it"]);
  });

  test("answers may be binary", async () => {
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

  test("when some do not answer in time, the error has the answers of the others", async () => {
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
