// What every published adapter must do between three server processes.
import assert from "node:assert/strict";
import { next } from "../../../test/support/socketio.ts";
import { within } from "../../../test/support/queue.ts";
import { unsupported } from "../../support/cell.ts";
import { Cluster, eventually, hearers, join, type Member, type Step } from "./cluster.ts";
import type { ProgramError, HostName } from "./program.ts";
import { closeClients } from "./published.ts";
import { describeWith, type Service } from "./service.ts";

/** An adapter of `adapters.mjs`, and what it cannot do on any server. */
export interface AdapterSuite {
  /** The service it needs, if any. */
  readonly needs?: Service<unknown>;
  /** Starts the servers. */
  start(cluster: Cluster, host: HostName): Promise<void>;
  /** Why it does not do a thing, by the title of the test. */
  readonly unsupported?: Readonly<Record<string, string>>;
}

interface SocketDetails {
  readonly id: string;
  readonly rooms: readonly string[];
  readonly name: string;
  readonly auth: { readonly name: string };
}

/** Larger than PostgreSQL lets a notification be. */
const LARGE: string = "0123456789".repeat(3000);
const EVERYONE = ["a0", "a1", "b0", "b1", "c0", "c1"];

/** Declares the tests of an adapter. */
export function describeAdapter(title: string, host: HostName, suite: AdapterSuite): void {
  const test = (name: string, body: () => Promise<void>): void => {
    const reason = suite.unsupported?.[name];
    if (reason === undefined) it(name, body);
    else unsupported(name, reason);
  };

  describeWith(suite.needs, title, () => {
    const cluster = new Cluster();
    before("start three servers", async function () {
      this.timeout(60_000);
      await suite.start(cluster, host);
      await cluster.complete();
    });
    after("stop the servers", () => cluster.stop());
    afterEach(async () => {
      closeClients();
      await cluster.deserted();
    });
    describeBroadcasts(cluster, test);
    describeAnswers(cluster, test);
    describeSockets(cluster, test);
    describeServers(cluster, test);
  });
}

type Test = (name: string, body: () => Promise<void>) => void;

function describeBroadcasts(cluster: Cluster, test: Test): void {
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

  test("a namespace is a world of its own", async () => {
    const members = await cluster.members();
    const others = await Promise.all(
      cluster.nodes.map((node, number) => join(node.url, { name: `other${number}`, namespace: "/other" })),
    );
    const waiting = others.map(({ client }) => next(client, "hello"));
    await cluster.node(0).of("/other", ["emit", "hello", 1]);
    assert.deepEqual(await Promise.all(waiting), [[1], [1], [1]]);
    await cluster.fence(cluster.node(0), members);
    assert.deepEqual(hearers(members), []);
  });

  test("a child of a dynamic namespace spans the servers, and comes again after it was empty", async () => {
    for (let times = 0; times < 2; times++) {
      const members = await Promise.all(
        cluster.nodes.map((node, number) => join(node.url, { name: `team${number}`, namespace: "/team-1" })),
      );
      await cluster.complete("/team-1");
      const waiting = members.map(({ client }) => next(client, "hello"));
      await cluster.node(0).of("/team-1", ["emit", "hello", times]);
      assert.deepEqual(await Promise.all(waiting), [[times], [times], [times]]);
      // servers may still wait for the answer of one that has left it a moment ago
      const ask = (): Promise<SocketDetails[]> => cluster.node(2).of("/team-1", ["fetchSockets"]);
      await eventually(
        () => ask().catch(() => []),
        (sockets) => sockets.length === 3,
      );
      for (const { client } of members) client.close();
      await eventually(
        () => Promise.all(cluster.nodes.map((node) => node.namespaces())),
        (all) => all.every((names) => !names.includes("/team-1")),
      );
    }
  });
}

function describeAnswers(cluster: Cluster, test: Test): void {
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

function describeSockets(cluster: Cluster, test: Test): void {
  test("fetchSockets() gives the sockets of all servers, with what is known of them", async () => {
    const members = await cluster.members({ red: ["b1"] });
    const sockets = await cluster.node(0).io<SocketDetails[]>(["fetchSockets"]);
    const expected = members.map(({ name, client }) => ({
      id: client.id as string,
      rooms: [client.id as string, ...(name === "b1" ? ["red"] : [])].sort(),
      name,
      auth: name === "b1" ? { name, rooms: ["red"] } : { name, rooms: [] },
    }));
    const found = sockets.map((socket) => ({ ...socket, rooms: socket.rooms.toSorted() }));
    assert.deepEqual(found.sort(byName), expected.sort(byName));
  });

  test("fetchSockets() of rooms, and except()", async () => {
    await cluster.members({ red: ["a1", "b0", "c0"], blue: ["c0", "c1"] });
    const sockets = await cluster
      .node(1)
      .io<SocketDetails[]>(["in", "red"], ["except", "blue"], ["fetchSockets"]);
    assert.deepEqual(sockets.map(({ name }) => name).sort(), ["a1", "b0"]);
  });

  test("socketsJoin() and socketsLeave() move the sockets of all servers", async () => {
    const members = await cluster.members({ red: ["a1", "b0", "c0"] });
    const inGreen = async (): Promise<string[]> =>
      (await cluster.node(0).io<SocketDetails[]>(["in", "green"], ["fetchSockets"]))
        .map(({ name }) => name)
        .sort();
    await cluster.node(0).io(["in", "red"], ["socketsJoin", "green"]);
    await eventually(inGreen, (names) => names.join() === "a1,b0,c0");
    await cluster
      .node(1)
      .io(["in", "red"], ["except", members[5]?.client.id ?? ""], ["socketsLeave", ["green"]]);
    await eventually(inGreen, (names) => names.length === 0);
  });

  test("a socket of another server is joined, told and taken out by what fetchSockets() gave", async () => {
    const members = await cluster.members();
    const c1 = members[5] as Member;
    const told = next(c1.client, "hello");
    await cluster.node(0).remote("c1", ["emit", "hello", "you"]);
    assert.deepEqual(await told, ["you"]);
    await cluster.node(0).remote("c1", ["join", "green"]);
    await eventually(
      () => cluster.node(1).io<SocketDetails[]>(["in", "green"], ["fetchSockets"]),
      (sockets) => sockets.length === 1,
    );
    await cluster.node(0).remote("c1", ["leave", "green"]);
    await eventually(
      () => cluster.node(1).io<SocketDetails[]>(["in", "green"], ["fetchSockets"]),
      (sockets) => sockets.length === 0,
    );
  });

  test("a socket of another server answers", async () => {
    await cluster.members();
    const steps: Step[] = [
      ["timeout", 15_000],
      ["emitWithAck", "question", "you"],
    ];
    assert.equal(await cluster.node(0).remote("c0", ...steps), "c0 heard you");
  });

  test("a socket of another server is disconnected by what fetchSockets() gave", async () => {
    const members = await cluster.members();
    const gone = next(members[4]?.client, "disconnect");
    await cluster.node(0).remote("c0", ["disconnect"]);
    assert.deepEqual((await gone)[0], "io server disconnect");
  });

  test("disconnectSockets() ends the sockets of a room on every server, and no others", async () => {
    const members = await cluster.members({ red: ["a1", "b0"] });
    const gone = [members[1], members[2]].map((member) => next(member?.client, "disconnect"));
    await cluster.node(2).io(["in", "red"], ["disconnectSockets", true]);
    for (const [reason] of await Promise.all(gone)) {
      assert.ok(reason === "io server disconnect" || reason === "transport close", String(reason));
    }
    const rest = members.filter(({ client }) => client.connected);
    assert.deepEqual(
      rest.map(({ name }) => name),
      ["a0", "b1", "c0", "c1"],
    );
    await cluster.fence(cluster.node(0), rest);
  });
}

function describeServers(cluster: Cluster, test: Test): void {
  test("serverSideEmit() reaches the other servers", async () => {
    await cluster.node(1).io(["serverSideEmit", "note", "from the second", { n: 1 }]);
    const notes = (number: number): Promise<unknown[][]> => cluster.node(number).notes();
    const some = (heard: unknown[][]): boolean => heard.length > 0;
    assert.deepEqual(await eventually(() => notes(0), some), [["from the second", { n: 1 }]]);
    assert.deepEqual(await eventually(() => notes(2), some), [["from the second", { n: 1 }]]);
    assert.deepEqual(await notes(1), []);
  });

  test("serverSideEmitWithAck() gathers the answers of the other servers", async () => {
    const answers = await cluster.node(1).io<string[]>(["serverSideEmitWithAck", "question", "it"]);
    assert.equal(answers.length, 2);
    for (const answer of answers) assert.match(answer, / heard it$/);
    assert.equal(new Set(answers).size, 2);
  });

  test("a client of one server that is gone is gone for all", async () => {
    const members = await cluster.members();
    members[0]?.client.close();
    await eventually(
      () => cluster.node(2).io<SocketDetails[]>(["fetchSockets"]),
      (sockets) => sockets.length === 5,
    );
  });

  test("when a server is killed, its clients know at once, and the others go on", async () => {
    const members = await cluster.members({ red: ["a0", "b1", "c1"] });
    const [a0, a1, b0, b1, c0, c1] = members as [Member, Member, Member, Member, Member, Member];
    const gone = [c0, c1].map(({ client }) => next(client, "disconnect"));
    await cluster.node(2).kill();
    cluster.nodes.pop();
    for (const [reason] of await within(Promise.all(gone), "the clients to know")) {
      assert.ok(reason === "transport close" || reason === "transport error", String(reason));
    }
    const rest = [a0, a1, b0, b1];
    await cluster.node(0).io(["to", "red"], ["emit", "hello"]);
    await cluster.fence(cluster.node(0), rest);
    assert.deepEqual(hearers(rest), ["a0", "b1"]);
    await cluster.complete();
    const sockets = await cluster.node(1).io<SocketDetails[]>(["fetchSockets"]);
    assert.deepEqual(sockets.map(({ name }) => name).sort(), ["a0", "a1", "b0", "b1"]);
    const answers = await cluster
      .node(0)
      .io<string[]>(["timeout", 15_000], ["emitWithAck", "question", "it"]);
    assert.deepEqual(answers.sort(), ["a0 heard it", "a1 heard it", "b0 heard it", "b1 heard it"]);
    const moved = await join(cluster.node(1).url, { name: "c0", rooms: ["red"] });
    await cluster.node(0).io(["to", "red"], ["emit", "welcome"]);
    await cluster.fence(cluster.node(0), [moved]);
    assert.deepEqual(moved.heard, [["welcome"]]);
  });
}

function byName(one: { name: string }, other: { name: string }): number {
  return one.name < other.name ? -1 : 1;
}
