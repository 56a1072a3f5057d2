// Servers on real hosts, behind a load balancer without affinity, with official clients. The links are in memory.
import assert from "node:assert/strict";
import type { AddressInfo } from "node:net";
import { internals, Server as EngineServer } from "@tidewire/engine";
import { Server } from "@tidewire/server";
import type { ClusterOption, Socket } from "@tidewire/server";
import { io } from "socket.io-client";
import type { ManagerOptions, Socket as ClientSocket, SocketOptions } from "socket.io-client";
import { roundRobinProxy } from "../../../test/support/proxies/round-robin.ts";
import type { RoundRobinProxy } from "../../../test/support/proxies/round-robin.ts";
import { openOldClient } from "../../../test/support/server/old-clients.ts";
import { needUws } from "../../../test/support/uws/absent.ts";
import { next } from "../../../test/support/waiting/events.ts";
import { NetworkClient } from "../../../test/support/wire/network-client.ts";
import { LinkWebSocketPort } from "../src/forwarding/link-websocket-port.ts";
import { joinInMemory } from "../src/link/memory-link.ts";
import type { MemoryConnection } from "../src/link/memory-link.ts";
import { Members } from "../src/members.ts";
import { SessionDirectory } from "../src/session-directory.ts";
import type { BindingOptions } from "../src/session-directory.ts";

type HostName = "uws" | "node";

/** A server with its own links. */
class Node {
  readonly members: Members = new Members(new internals.NodeEventLoop());
  readonly directory: SessionDirectory;
  readonly io: Server;

  constructor(host: HostName, binding: BindingOptions) {
    const directory = new SessionDirectory(this.members, binding);
    this.directory = directory;
    const cluster: ClusterOption = {
      handle: Object.assign(new EngineServer(), { nodes: [], ready: true }),
      adapter: undefined,
      joinEngine: (engine) => void engine.joinCluster(directory),
      leave: () => this.members.leave(),
    };
    this.io = new Server(0, { host, cluster, allowEIO3: true });
    this.io.on("connection", (socket) => {
      socket.on("echo", (...args) => (args.pop() as (...echo: unknown[]) => void)(...args));
    });
  }

  get port(): number {
    return (this.io.httpServer.address() as AddressInfo).port;
  }

  get sockets(): Socket[] {
    return [...this.io.sockets.sockets.values()];
  }
}

/** Three servers behind a load balancer. */
class Cluster implements AsyncDisposable {
  readonly nodes: readonly Node[];
  readonly connections: readonly MemoryConnection[];
  #proxy!: RoundRobinProxy;
  readonly #clients: { close(): unknown }[] = [];

  private constructor(hosts: readonly HostName[], binding: BindingOptions) {
    if (hosts.includes("uws")) needUws();
    this.nodes = hosts.map((host) => new Node(host, binding));
    const loop = new internals.NodeEventLoop();
    const [a, b, c] = this.nodes.map(({ members }) => members) as [Members, Members, Members];
    this.connections = [
      [a, b],
      [a, c],
      [b, c],
    ].map(([one, other]) => joinInMemory(loop, one!, other!));
  }

  static async start(hosts: readonly HostName[], binding: BindingOptions = {}): Promise<Cluster> {
    const cluster = new Cluster(hosts, binding);
    for (const { members } of cluster.nodes) while (members.peers.size < 2) await next(members, "join");
    cluster.#proxy = await roundRobinProxy(cluster.nodes.map(({ port }) => port));
    return cluster;
  }

  get url(): string {
    return `http://127.0.0.1:${this.#proxy.port}`;
  }

  client(options: Partial<ManagerOptions & SocketOptions> = {}): ClientSocket {
    const client = io(this.url, { forceNew: true, reconnection: false, ...options });
    this.#clients.push(client);
    return client;
  }

  oldClient(options: { transports?: ("polling" | "websocket")[] } = {}): ClientSocket {
    const client = openOldClient(this.url, options);
    this.#clients.push(client);
    return client as unknown as ClientSocket;
  }

  get sockets(): Socket[] {
    return this.nodes.flatMap(({ sockets }) => sockets);
  }

  /** Those whose sessions began on another node. */
  get moved(): Socket[] {
    return this.nodes.flatMap(({ members, sockets }) =>
      sockets.filter(({ conn }) => !conn.id.startsWith(members.self)),
    );
  }

  get relayed(): Socket[] {
    return this.sockets.filter(({ conn }) => {
      const { transport } = conn;
      return "socket" in transport && transport.socket instanceof LinkWebSocketPort;
    });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const client of this.#clients) client.close();
    await this.#proxy[Symbol.asyncDispose]();
    await Promise.all(this.nodes.map(({ io: server }) => server.close()));
  }
}

/** Sends something and compares what comes back. */
function echo(client: ClientSocket, ...data: unknown[]): Promise<void> {
  return new Promise((resolve, reject) => {
    client.once("disconnect", (reason) => reject(new Error(reason)));
    client.emit("echo", ...data, (...back: unknown[]) => {
      try {
        assert.deepEqual(back, data);
        resolve();
      } catch (error) {
        reject(error);
      }
    });
  });
}

async function exercise(client: ClientSocket): Promise<void> {
  if (!client.connected) await next(client, "connect");
  for (let round = 0; round < 5; round++) await echo(client, "é", round);
  await echo(client, Buffer.from([1, 2, 3]), { nested: Buffer.from([4]) });
  await echo(client, "x".repeat(900_000));
  await echo(client, Buffer.alloc(600_000, 7));
  await Promise.all(Array.from({ length: 20 }, (_, index) => echo(client, index)));
}

function upgraded(client: ClientSocket): Promise<unknown> {
  const { engine } = client.io;
  return engine.transport.name === "websocket" ? Promise.resolve() : next(engine, "upgrade");
}

for (const hosts of [
  ["uws", "uws", "uws"],
  ["node", "node", "node"],
  ["uws", "node", "uws"],
] as const) {
  describe(`cluster: on ${hosts.join(", ")}, without affinity`, function () {
    this.timeout(30_000);

    it("serves clients that only poll", async () => {
      await using cluster = await Cluster.start(hosts);
      const clients = Array.from({ length: 6 }, () => cluster.client({ transports: ["polling"] }));
      await Promise.all(clients.map(exercise));
    });

    it("serves old clients that only poll", async () => {
      await using cluster = await Cluster.start(hosts);
      const clients = Array.from({ length: 4 }, () => cluster.oldClient({ transports: ["polling"] }));
      await Promise.all(clients.map(exercise));
    });

    it("binds clients that upgrade where their WebSockets are", async () => {
      await using cluster = await Cluster.start(hosts);
      const clients = Array.from({ length: 12 }, (_, index) =>
        index % 3 === 2 ? cluster.oldClient() : cluster.client(),
      );
      await Promise.all(clients.map((client) => next(client, "connect").then(() => upgraded(client))));
      await Promise.all(clients.map(exercise));
      assert.equal(cluster.sockets.length, 12);
      // On a busy machine, some are bound before their WebSocket comes.
      assert.ok(cluster.moved.length > 0);
    });

    it("relays WebSockets of sessions that were bound at once", async () => {
      await using cluster = await Cluster.start(hosts, { bind: "early" });
      // So many that chance relays some.
      const clients = Array.from({ length: 9 }, (_, index) =>
        index % 3 === 2 ? cluster.oldClient() : cluster.client(),
      );
      await Promise.all(clients.map((client) => next(client, "connect").then(() => upgraded(client))));
      await Promise.all(clients.map(exercise));
      assert.ok(cluster.relayed.length > 0);
    });

    it("closes relayed WebSockets in order when the node that relays them closes", async () => {
      await using cluster = await Cluster.start(hosts, { bind: "early" });
      const [owner, front] = cluster.nodes as [Node, Node];
      using polling = new NetworkClient(owner.port);
      const { body } = await polling.get("/socket.io/?EIO=4&transport=polling");
      const { sid } = JSON.parse(body.slice(1)) as { sid: string };
      using relayed = new NetworkClient(front.port);
      const socket = await relayed.websocket(`/socket.io/?EIO=4&transport=websocket&sid=${sid}`);
      socket.sendText("2probe");
      assert.equal(await socket.next(), "3probe");
      await front.directory.retire();
      assert.equal((await socket.closed).code, 1005);
    });

    it("serves WebSockets without polling", async () => {
      await using cluster = await Cluster.start(hosts);
      const client = cluster.client({ transports: ["websocket"] });
      await exercise(client);
      assert.deepEqual(cluster.relayed, []);
    });

    it("ends clients of other nodes when links break, and no others", async () => {
      await using cluster = await Cluster.start(hosts, { bind: "early" });
      const clients = Array.from({ length: 9 }, () => cluster.client());
      // These are where they have connected.
      for (let count = 0; count < 2; count++) clients.push(cluster.client({ transports: ["websocket"] }));
      await Promise.all(clients.map((client) => next(client, "connect").then(() => upgraded(client))));
      // The servers know of the upgrades, too.
      await Promise.all(clients.map((client) => echo(client, "hello")));
      const { relayed } = cluster;
      assert.ok(relayed.length > 0 && relayed.length <= 9);
      const ids = relayed.map(({ id }) => id);
      const lost = clients.filter(({ id }) => ids.includes(id!));
      const ends = lost.map((client) => next(client, "disconnect"));
      for (const connection of cluster.connections) connection.cut();
      for (const [reason] of await Promise.all(ends)) assert.equal(reason, "transport close");
      await Promise.all(
        clients.filter(({ connected }) => connected).map((client) => echo(client, "still here")),
      );
      assert.equal(clients.filter(({ connected }) => connected).length, clients.length - relayed.length);
    });
  });
}
