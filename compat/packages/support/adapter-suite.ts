// Tests that every published adapter must pass, between three server processes.
import assert from "node:assert/strict";
import { next } from "../../../test/support/waiting/events.ts";
import { within } from "../../../test/support/waiting/queue.ts";
import { unsupported, type Declare } from "../../support/cell.ts";
import { describeAcks, describeBroadcasts } from "./adapter-broadcasts.ts";
import { describeNamespaces, describeSockets, type SocketDetails } from "./adapter-sockets.ts";
import { Cluster, eventually, hearers, join, type Member } from "./cluster.ts";
import type { HostName } from "./program.ts";
import { closeClients } from "./published.ts";
import { describeWith, type Service } from "./service.ts";

/** How to start servers with an adapter, and what it cannot do with any server. */
export interface AdapterSuite {
  /** The service it needs, if any. */
  readonly needs?: Service<unknown>;
  /** Starts the servers. */
  start(cluster: Cluster, host: HostName): Promise<void>;
  /** The titles of the tests that it cannot pass, each with the reason. */
  readonly unsupported?: Readonly<Record<string, string>>;
}

/** Declares the tests of an adapter. */
export function describeAdapter(title: string, host: HostName, suite: AdapterSuite): void {
  const test: Declare = (name, body) => {
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
    describeNamespaces(cluster, test);
    describeAcks(cluster, test);
    describeSockets(cluster, test);
    describeServers(cluster, test);
  });
}

function describeServers(cluster: Cluster, test: Declare): void {
  test("reaches the other servers with serverSideEmit()", async () => {
    await cluster.node(1).io(["serverSideEmit", "note", "from the second", { n: 1 }]);
    const notes = (number: number): Promise<unknown[][]> => cluster.node(number).notes();
    const some = (heard: unknown[][]): boolean => heard.length > 0;
    assert.deepEqual(await eventually(() => notes(0), some), [["from the second", { n: 1 }]]);
    assert.deepEqual(await eventually(() => notes(2), some), [["from the second", { n: 1 }]]);
    assert.deepEqual(await notes(1), []);
  });

  test("collects the acks of the other servers with serverSideEmitWithAck()", async () => {
    const answers = await cluster.node(1).io<string[]>(["serverSideEmitWithAck", "question", "it"]);
    assert.equal(answers.length, 2);
    for (const answer of answers) assert.match(answer, / heard it$/);
    assert.equal(new Set(answers).size, 2);
  });

  test("removes a disconnected client on all servers", async () => {
    const members = await cluster.members();
    members[0]?.client.close();
    await eventually(
      () => cluster.node(2).io<SocketDetails[]>(["fetchSockets"]),
      (sockets) => sockets.length === 5,
    );
  });

  test("keeps working when a server is killed, whose clients disconnect at once", async () => {
    const members = await cluster.members({ red: ["a0", "b1", "c1"] });
    const [a0, a1, b0, b1, c0, c1] = members as [Member, Member, Member, Member, Member, Member];
    const gone = [c0, c1].map(({ client }) => next(client, "disconnect"));
    await cluster.node(2).kill();
    cluster.nodes.pop();
    for (const [reason] of await within(Promise.all(gone), "the clients to disconnect")) {
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
