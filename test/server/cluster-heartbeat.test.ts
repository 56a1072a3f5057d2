// Servers that ClusterAdapterWithHeartbeat joins: each knows the others by their heartbeats, and goes on without one that is
// lost.
import assert from "node:assert/strict";
import { owning } from "../support/waiting/closing.ts";
import { HeartbeatCluster } from "../support/cluster/heartbeat-adapter.ts";
import { next } from "../support/waiting/events.ts";
import { onEveryHost } from "../support/hosts/on-every-host.ts";
import { serverHostsAndApp } from "../support/server/hosts.ts";
import { pair, settled } from "../support/server/clients.ts";
import type { Pair } from "../support/server/clients.ts";
import type { ServerHost } from "../support/server/hosts.ts";
import type { StartedServer } from "../support/server/started-server.ts";

type Ack = (...args: unknown[]) => void;
type Three<T> = [T, T, T];

/** Longer than a test waits for anything else. */
const NEVER = 600_000;

interface Cluster extends AsyncDisposable {
  readonly servers: Three<StartedServer>;
  readonly clients: Three<Pair>;
  readonly cluster: HeartbeatCluster;
}

/** Three servers that know each other, with a client each. */
async function three(host: ServerHost, heartbeatTimeout = NEVER): Promise<Cluster> {
  const cluster = new HeartbeatCluster(heartbeatTimeout);
  const start = (): Promise<StartedServer> => host.start({ adapter: cluster.adapter as never });
  const servers: Three<StartedServer> = [await start(), await start(), await start()];
  const clients = (await Promise.all(servers.map((server) => pair(server)))) as Three<Pair>;
  for (const server of servers) await known(server, 3);
  return owning({ servers, clients, cluster }, ...servers);
}

/** Resolves when the server counts that many servers, itself included. */
async function known({ io }: StartedServer, count: number): Promise<void> {
  while ((await io.of("/").adapter.serverCount()) !== count)
    await new Promise((resolve) => setTimeout(resolve, 5));
}

onEveryHost("servers with heartbeats", serverHostsAndApp, (host) => {
  it("reach the clients of all servers", async () => {
    await using started = await three(host);
    const { servers, clients } = started;
    const heard = clients.map(({ client }) => next(client, "ev"));
    servers[0].io.emit("ev", Buffer.from([1]));
    assert.deepEqual(
      await Promise.all(heard),
      clients.map(() => [Buffer.from([1])]),
    );
  });

  it("collect the answers of all clients, and leave out excepted ones", async () => {
    await using started = await three(host);
    const { servers, clients } = started;
    for (const [index, { client }] of clients.entries()) client.on("q", (answer: Ack) => answer(index));
    const answers = (await servers[1].io.timeout(20_000).emitWithAck("q")) as number[];
    assert.deepEqual(new Set(answers), new Set([0, 1, 2]));
    const others = await clients[0].socket.broadcast.timeout(20_000).emitWithAck("q");
    assert.deepEqual(new Set(others as unknown as number[]), new Set([1, 2]));
  });

  it("see the sockets of all servers, move them and disconnect them", async () => {
    await using started = await three(host);
    const { servers, clients } = started;
    const ids = clients.map(({ socket }) => socket.id);
    const seen = await servers[2].io.fetchSockets();
    assert.deepEqual(new Set(seen.map(({ id }) => id)), new Set(ids));
    servers[0].io.in(ids[2]!).socketsJoin("room");
    const heard = next(clients[2].client, "in the room");
    servers[1].io.to("room").emit("in the room");
    await heard;
    const left = next<[string]>(clients[2].client, "disconnect");
    servers[0].io.in("room").disconnectSockets();
    assert.equal((await left)[0], "io server disconnect");
  });

  it("answer each other's events", async () => {
    await using started = await three(host);
    const { servers } = started;
    for (const [index, { io }] of servers.entries()) io.on("ping", (answer: Ack) => answer(index));
    const answers = await servers[0].io.serverSideEmitWithAck("ping");
    assert.deepEqual(new Set(answers as number[]), new Set([1, 2]));
  });

  it("continue at once without a closed server", async () => {
    await using started = await three(host);
    const { servers, clients } = started;
    await servers[2].io.close();
    await known(servers[0], 2);
    for (const { client } of clients) client.on("q", (answer: Ack) => answer("here"));
    assert.deepEqual(await servers[0].io.timeout(20_000).emitWithAck("q"), ["here", "here"]);
    assert.equal((await servers[1].io.fetchSockets()).length, 2);
  });

  it("continue without a lost server once its heartbeat is missing: pending requests end with the others' answers", async function () {
    this.timeout(30_000);
    await using started = await three(host, 400);
    const { servers, clients, cluster } = started;
    cluster.cutOff(servers[2].io.of("/").adapter);
    servers[1].io.on("ping", (answer: Ack) => answer("pong"));
    const [answers, sockets] = await Promise.all([
      servers[0].io.serverSideEmitWithAck("ping"),
      servers[0].io.fetchSockets(),
    ]);
    assert.deepEqual([answers, sockets.length], [["pong"], 2]);
    await known(servers[0], 2);
    for (const { client } of clients) client.on("q", (answer: Ack) => answer("here"));
    assert.deepEqual(await servers[0].io.timeout(20_000).emitWithAck("q"), ["here", "here"]);
    // Its own clients are served as before.
    await settled(clients[2].client, clients[2].socket);
  });
});
