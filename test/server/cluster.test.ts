// Servers that an adapter of the published base class joins: events between them, and what one may do to the sockets of
// another.
import assert from "node:assert/strict";
import { mock } from "node:test";
import { closing, owning } from "../support/waiting/closing.ts";
import { cluster } from "../support/cluster/adapter.ts";
import { next } from "../support/waiting/events.ts";
import { onEveryHost } from "../support/hosts/on-every-host.ts";
import { serverHosts } from "../support/server/hosts.ts";
import { socketio } from "../support/server/socketio.ts";
import { pair, settled } from "../support/server/clients.ts";
import type { Pair } from "../support/server/clients.ts";

import type { ServerHost } from "../support/server/hosts.ts";
import type { StartedServer } from "../support/server/started-server.ts";

type Ack = (...args: unknown[]) => void;
type Remote = Awaited<ReturnType<StartedServer["io"]["fetchSockets"]>>[number];

type Cluster = [near: StartedServer, far: StartedServer, ...others: StartedServer[]];

async function servers(host: ServerHost, count = 2): Promise<Cluster & AsyncDisposable> {
  const adapter = cluster() as never;
  const started: Cluster = [await host.start({ adapter }), await host.start({ adapter })];
  while (started.length < count) started.push(await host.start({ adapter }));
  return owning(started, ...started);
}

interface Distance extends AsyncDisposable {
  readonly near: StartedServer;
  readonly far: StartedServer;
  /** A client of the far server. */
  readonly there: Pair;
  /** What the near server sees of it. */
  readonly remote: Remote;
}

async function remotely(host: ServerHost): Promise<Distance> {
  const [near, far] = await servers(host);
  const there = await pair(far, { auth: { token: "t" } });
  there.socket.data.name = "ann";
  await there.socket.join("room");
  const [remote] = await near.io.fetchSockets();
  assert.ok(remote);
  return owning({ near, far, there, remote }, near, far);
}

onEveryHost("events between the servers of a cluster", serverHosts, (host) => {
  it("reach the others, in the main namespace", async () => {
    await using all = await servers(host);
    const [near, far] = all;
    near.io.on("hello", () => assert.fail("heard itself"));
    const heard = next(far.io, "hello");
    assert.equal(near.io.serverSideEmit("hello", 1, { a: "b" }), true);
    assert.deepEqual(await heard, [1, { a: "b" }]);
  });

  it("reach only their namespace", async () => {
    await using all = await servers(host);
    const [near, far] = all;
    near.io.of("/chat");
    const heard = next(far.io.of("/chat"), "hello");
    far.io.on("hello", () => assert.fail("heard in the main namespace"));
    near.io.of("/chat").serverSideEmit("hello", "chat");
    assert.deepEqual(await heard, ["chat"]);
  });

  it("are answered by every other server", async () => {
    await using all = await servers(host, 3);
    const [near, ...others] = all;
    for (const [index, { io }] of others.entries()) {
      io.on("ping", (value: string, answer: Ack) => answer(`${value} ${index}`));
    }
    const answers = (await near.io.serverSideEmitWithAck("ping", "pong")) as string[];
    assert.deepEqual(answers.toSorted(), ["pong 0", "pong 1"]);
    const args = await new Promise((resolve) =>
      near.io.of("/").serverSideEmit("ping", "again", (...got: unknown[]) => resolve(got)),
    );
    assert.deepEqual(args, [null, ["again 0", "again 1"]]);
  });

  it("are answered at once by an empty list when there is no other server", async () => {
    await using running = await host.start({ adapter: cluster() as never });
    const { io } = running;
    assert.deepEqual(await io.serverSideEmitWithAck("ping"), []);
  });

  it("reject with the error of the adapter, and the answers so far", async () => {
    await using running = await host.start();
    const { io } = running;
    const late = "timeout reached: only 1 responses received out of 2";
    io.sockets.adapter.serverSideEmit = (packet) => (packet.at(-1) as Ack)(new Error(late), ["one"]);
    await assert.rejects(io.serverSideEmitWithAck("ping"), { message: late, responses: ["one"] });
    const args = await new Promise((resolve) =>
      io.serverSideEmit("ping", (...got: unknown[]) => resolve(got)),
    );
    assert.deepEqual(args, [new Error(late), ["one"]]);
  });
});

onEveryHost("what a server sees of another server's socket", serverHosts, (host) => {
  it("id, handshake, rooms and data", async () => {
    await using distance = await remotely(host);
    const { remote, there } = distance;
    assert.notEqual(remote, there.socket);
    assert.equal(remote.constructor.name, "RemoteSocket");
    assert.equal(remote.id, there.socket.id);
    assert.deepEqual(remote.rooms, new Set([there.socket.id, "room"]));
    assert.deepEqual(remote.data, { name: "ann" });
    assert.deepEqual(
      Object.keys(remote.handshake).toSorted(),
      Object.keys(there.socket.handshake).toSorted(),
    );
    assert.deepEqual(remote.handshake.auth, { token: "t" });
    assert.equal(remote.handshake.url, there.socket.handshake.url);
  });

  it("nothing with local, and the members of rooms with to() and except()", async () => {
    await using distance = await remotely(host);
    const { near, there } = distance;
    const here = await pair(near);
    const ids = async (sockets: Promise<Remote[]>): Promise<string[]> => (await sockets).map(({ id }) => id);
    assert.deepEqual(await ids(near.io.local.fetchSockets()), [here.socket.id]);
    assert.deepEqual(await ids(near.io.in("room").fetchSockets()), [there.socket.id]);
    assert.deepEqual(await ids(near.io.except("room").fetchSockets()), [here.socket.id]);
    assert.equal((await near.io.fetchSockets())[0], here.socket);
  });
});

onEveryHost("a server can, with another server's socket,", serverHosts, (host) => {
  it("emit to it", async () => {
    await using distance = await remotely(host);
    const { remote, there } = distance;
    const heard = next(there.client, "ev");
    assert.equal(remote.emit("ev", 1, { a: 2 }), true);
    assert.deepEqual(await heard, [1, { a: 2 }]);
  });

  it("not emit a reserved event", async () => {
    await using distance = await remotely(host);
    const { remote } = distance;
    assert.throws(() => remote.emit("disconnect" as never), {
      message: '"disconnect" is a reserved event name',
    });
  });

  it("request an ack, and get its one answer", async () => {
    await using distance = await remotely(host);
    const { remote, there } = distance;
    there.client.on("q", (value: number, answer: Ack) => answer(value + 1));
    const args = await new Promise((resolve) =>
      remote.timeout(5_000).emit("q", 1, (...got: unknown[]) => resolve(got)),
    );
    assert.deepEqual(args, [null, 2]);
    assert.equal(await remote.timeout(5_000).emitWithAck("q", 2), 3);
  });

  it("request an ack that times out: the callback gets the error and null", async () => {
    await using distance = await remotely(host);
    const { remote } = distance;
    const args = await new Promise((resolve) =>
      remote.timeout(20).emit("unheard", (error: Error, answer: unknown) => resolve([error.message, answer])),
    );
    assert.deepEqual(args, ["operation has timed out", null]);
    await assert.rejects(remote.timeout(20).emitWithAck("unheard"), {
      message: "operation has timed out",
      responses: null,
    });
  });

  it("let it join and leave rooms", async () => {
    await using distance = await remotely(host);
    const { remote, there } = distance;
    remote.join(["r1", "r2"]);
    remote.join("r3");
    remote.leave("r2");
    assert.deepEqual([...there.socket.rooms], [there.socket.id, "room", "r1", "r3"]);
    assert.deepEqual(remote.rooms, new Set([there.socket.id, "room"]));
  });

  it("disconnect it, and leave the connection open", async () => {
    await using distance = await remotely(host);
    const { remote, there, far } = distance;
    const gone = next(there.socket, "disconnect");
    assert.equal(remote.disconnect(), remote);
    assert.deepEqual((await gone)[0], "server namespace disconnect");
    assert.equal(far.io.engine.clientsCount, 1);
  });

  it("disconnect it with its connection", async () => {
    await using distance = await remotely(host);
    const { remote, there, far } = distance;
    const closed = next(there.socket.conn, "close");
    remote.disconnect(true);
    await closed;
    assert.equal(far.io.engine.clientsCount, 0);
  });

  it("move and disconnect it by its rooms", async () => {
    await using distance = await remotely(host);
    const { near, there } = distance;
    near.io.in("room").socketsJoin("other");
    near.io.in("other").socketsLeave("room");
    assert.deepEqual([...there.socket.rooms], [there.socket.id, "other"]);
    near.io.local.disconnectSockets();
    await settled(there.client, there.socket);
    const gone = next(there.client, "disconnect");
    near.io.in("other").disconnectSockets();
    assert.deepEqual((await gone)[0], "io server disconnect");
  });
});

onEveryHost("a broadcast in a cluster", serverHosts, (host) => {
  it("reaches the clients of every server, once, and with local those of this one", async () => {
    await using distance = await remotely(host);
    const { near, there } = distance;
    const here = await pair(near);
    const heard: unknown[] = [];
    here.client.on("ev", (value) => heard.push(["here", value]));
    there.client.on("ev", (value) => heard.push(["there", value]));
    near.io.emit("ev", 1);
    near.io.local.emit("ev", 2);
    here.socket.broadcast.emit("ev", 3);
    here.socket.to("room").emit("ev", 4);
    near.io.to(there.socket.id).except("nobody").emit("ev", 5);
    await settled(here.client, here.socket);
    await settled(there.client, there.socket);
    const of = (name: string): unknown[] =>
      (heard as [string, unknown][]).flatMap(([who, value]) => (who === name ? [value] : []));
    // The adapter of a cluster waits for its broker, and not with what is local.
    assert.deepEqual(
      [of("here").toSorted((a, b) => Number(a) - Number(b)), of("there")],
      [
        [1, 2],
        [1, 3, 4, 5],
      ],
    );
  });

  it("collects the acks of all clients, or those that arrive in time", async () => {
    await using distance = await remotely(host);
    const { near, there } = distance;
    const here = await pair(near);
    there.client.on("q", (answer: Ack) => answer("there"));
    here.client.on("q", (answer: Ack) => answer("here"));
    const answers = (await near.io.timeout(5_000).emitWithAck("q")) as string[];
    assert.deepEqual(answers.toSorted(), ["here", "there"]);
    here.client.off("q");
    const error = await near.io
      .timeout(600)
      .emitWithAck("q")
      .catch((caught: unknown) => caught);
    assert.deepEqual(
      [(error as Error).message, (error as { responses?: unknown }).responses],
      ["operation has timed out", ["there"]],
    );
  });

  it("waits for all of them without timeout()", async () => {
    await using distance = await remotely(host);
    const { near, there } = distance;
    there.client.on("q", (answer: Ack) => setImmediate(() => setTimeout(answer, 50, "late")));
    assert.deepEqual(await near.io.in("room").emitWithAck("q"), ["late"]);
  });
});

describe("a server without a cluster", () => {
  it("warns about serverSideEmit(), emits nothing itself, and keeps working", () => {
    const warn = mock.method(console, "warn", () => {});
    using _warn = closing(() => warn.mock.restore());
    const io = new socketio.Server();
    io.on("hello", () => assert.fail("heard"));
    for (const emitter of [io, io.of("/chat"), io.of(/x/)]) {
      assert.equal(emitter.serverSideEmit("hello"), true);
    }
    const text = "this adapter does not support the serverSideEmit() functionality";
    assert.deepEqual(
      warn.mock.calls.map((call) => call.arguments),
      [[text], [text], [text]],
    );
  });
});
