// Sockets and namespaces of the other servers of a cluster.
import assert from "node:assert/strict";
import { next } from "../../../test/support/waiting/events.ts";
import type { Declare } from "../../support/cell.ts";
import { eventually, hearers, join, type Cluster, type Member, type Step } from "./cluster.ts";

/** A socket of `fetchSockets()`, as the servers send it to the test. */
export interface SocketDetails {
  readonly id: string;
  readonly rooms: readonly string[];
  readonly name: string;
  readonly auth: { readonly name: string };
}

/** The title of a test that some adapters do not pass. */
export const CHILD_AGAIN = "recreates a child of a dynamic namespace after it was empty";

/** Declares tests of one server with the sockets of others. */
export function describeSockets(cluster: Cluster, test: Declare): void {
  test("returns the sockets of all servers, with their data, from fetchSockets()", async () => {
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

  test("returns the sockets of rooms, except those of except(), from fetchSockets()", async () => {
    await cluster.members({ red: ["a1", "b0", "c0"], blue: ["c0", "c1"] });
    const sockets = await cluster
      .node(1)
      .io<SocketDetails[]>(["in", "red"], ["except", "blue"], ["fetchSockets"]);
    assert.deepEqual(sockets.map(({ name }) => name).sort(), ["a1", "b0"]);
  });

  test("moves the sockets of all servers with socketsJoin() and socketsLeave()", async () => {
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

  test("emits to a socket of another server, and makes it join and leave a room", async () => {
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

  test("gets an ack from a socket of another server", async () => {
    await cluster.members();
    const steps: Step[] = [
      ["timeout", 15_000],
      ["emitWithAck", "question", "you"],
    ];
    assert.equal(await cluster.node(0).remote("c0", ...steps), "c0 heard you");
  });

  test("disconnects a socket of another server", async () => {
    const members = await cluster.members();
    const gone = next(members[4]?.client, "disconnect");
    await cluster.node(0).remote("c0", ["disconnect"]);
    assert.deepEqual((await gone)[0], "io server disconnect");
  });

  test("disconnects only the sockets of a room, on every server, with disconnectSockets()", async () => {
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

/** Declares tests of namespaces, static and dynamic. */
export function describeNamespaces(cluster: Cluster, test: Declare): void {
  test("keeps the broadcasts of a namespace in it", async () => {
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

  test("shares a child of a dynamic namespace between the servers", async () => {
    await meetIn("/team-1", cluster);
  });

  test(CHILD_AGAIN, async () => {
    const first = await meetIn("/team-2", cluster);
    for (const { client } of first) client.close();
    await eventually(
      () => Promise.all(cluster.nodes.map((node) => node.namespaces())),
      (all) => all.every((names) => !names.includes("/team-2")),
    );
    await meetIn("/team-2", cluster);
  });
}

/** Asserts that a client of each server receives a broadcast in the namespace, and that one server finds all of them. */
async function meetIn(namespace: string, cluster: Cluster): Promise<Member[]> {
  const members = await Promise.all(
    cluster.nodes.map((node, number) => join(node.url, { name: `member ${number}`, namespace })),
  );
  await cluster.complete(namespace);
  const waiting = members.map(({ client }) => next(client, "hello"));
  await cluster.node(0).of(namespace, ["emit", "hello", 1]);
  assert.deepEqual(await Promise.all(waiting), [[1], [1], [1]]);
  await eventually(
    () => cluster.node(2).of<SocketDetails[]>(namespace, ["fetchSockets"]),
    (sockets) => sockets.length === 3,
  );
  return members;
}

function byName(one: { name: string }, other: { name: string }): number {
  return one.name < other.name ? -1 : 1;
}
