// Sockets and namespaces that a server of a cluster does not have itself.
import assert from "node:assert/strict";
import { next } from "../../../test/support/waiting/events.ts";
import type { Declare } from "../../support/cell.ts";
import { eventually, hearers, join, type Cluster, type Member, type Step } from "./cluster.ts";

/** What a server tells of a socket. */
export interface SocketDetails {
  readonly id: string;
  readonly rooms: readonly string[];
  readonly name: string;
  readonly auth: { readonly name: string };
}

/** The title of a test that not every adapter passes. */
export const CHILD_AGAIN = "a child of a dynamic namespace comes again after it was empty";

/** What a server does with sockets of others. */
export function describeSockets(cluster: Cluster, test: Declare): void {
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

/** Namespaces, fixed and dynamic. */
export function describeNamespaces(cluster: Cluster, test: Declare): void {
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

  test("a child of a dynamic namespace spans the servers", async () => {
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

/** Has a client of each server hear a broadcast in the namespace, and one server find them all. */
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
