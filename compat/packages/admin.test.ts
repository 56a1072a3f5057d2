import assert from "node:assert/strict";
import type { Socket } from "socket.io-client";
import { connected } from "../../test/support/server/clients.ts";
import { next } from "../../test/support/waiting/events.ts";
import { eventually } from "./support/cluster.ts";
import { connect, program, published } from "./support/published.ts";

interface SocketDetails {
  readonly id: string;
  readonly clientId: string;
  readonly transport: string;
  readonly nsp: string;
  readonly rooms: readonly string[];
  readonly data: unknown;
  readonly handshake: { readonly url: string; readonly headers: object };
}

interface Stats {
  readonly serverId: string;
  readonly clientsCount: number;
  readonly pollingClientsCount: number;
  readonly namespaces: readonly { readonly name: string; readonly socketsCount: number }[];
  readonly aggregatedEvents: readonly { readonly type: string; readonly count: number }[];
}

published("@socket.io/admin-ui", (host) => {
  const server = program("admin", host, () => ({ page: "http://localhost" }));
  const open = async (options: object = {}, namespace = ""): Promise<Socket> => {
    const client = connect(server().url + namespace, { transports: ["websocket"], ...options });
    await connected(client);
    return client;
  };
  const asAdmin = async (): Promise<Socket> => {
    const admin = connect(`${server().url}/admin`, { transports: ["websocket"] });
    const config = next(admin, "config");
    await next(admin, "all_sockets");
    assert.deepEqual(await config, [{ supportedFeatures: FEATURES }]);
    return admin;
  };

  it("lists the connected sockets", async () => {
    const client = await open({ auth: { name: "ann" } });
    await client.emitWithAck("join", "red");
    const [all] = await next<[SocketDetails[]]>(connect(`${server().url}/admin`), "all_sockets");
    const found = all.find(({ id }) => id === client.id) as SocketDetails;
    assert.equal(found.clientId, client.io.engine.id?.slice(0, 12));
    assert.deepEqual(
      [found.nsp, found.transport, found.rooms, found.data],
      ["/", "websocket", [client.id, "red"], { name: "ann" }],
    );
    assert.match(found.handshake.url, /^\/socket\.io\/\?EIO=4&transport=websocket/);
  });

  it("reports sockets that connect, upgrade and disconnect", async () => {
    const admin = await asAdmin();
    const came = matching<[SocketDetails]>(admin, "socket_connected", ([{ nsp }]) => nsp === "/");
    const upgraded = matching<[{ nsp: string; transport?: string }]>(
      admin,
      "socket_updated",
      ([{ nsp, transport }]) => nsp === "/" && transport !== undefined,
    );
    const client = await open({ transports: ["polling", "websocket"] });
    assert.equal((await came)[0].id, client.id);
    assert.deepEqual(await upgraded, [{ id: client.id, nsp: "/", transport: "websocket" }]);
    const gone = next(admin, "socket_disconnected");
    const { id } = client;
    client.disconnect();
    assert.deepEqual((await gone).slice(0, 3), ["/", id, "client namespace disconnect"]);
  });

  it("reports rooms and data", async () => {
    const admin = await asAdmin();
    const named = matching<[{ data?: object }]>(
      admin,
      "socket_updated",
      ([{ data }]) => data !== undefined && "name" in data,
    );
    const client = await open({ auth: { name: "bo" } });
    assert.deepEqual((await named)[0].data, { name: "bo" });
    const joined = matching<string[]>(admin, "room_joined", ([, room]) => room === "red");
    await client.emitWithAck("join", "red");
    assert.deepEqual((await joined).slice(0, 3), ["/", "red", client.id]);
    const left = matching<string[]>(admin, "room_left", ([, room]) => room === "red");
    const { id } = client;
    client.close();
    assert.deepEqual((await left).slice(0, 3), ["/", "red", id]);
  });

  it("reports events that are received, sent and broadcast", async () => {
    const admin = await asAdmin();
    const client = await open();
    const received = next(admin, "event_received");
    const sent = next(admin, "event_sent");
    client.emit("echo", 1, { data: Buffer.from([2]) });
    const echo = ["echo", 1, { data: Buffer.from([2]) }];
    assert.deepEqual((await received).slice(0, 3), ["/", client.id, echo]);
    assert.deepEqual((await sent).slice(0, 3), ["/", client.id, echo]);
    const broadcast = next(admin, "event_sent");
    await server().call("broadcast", "hello", 1);
    assert.deepEqual((await broadcast).slice(0, 3), ["/", client.id, ["hello", 1]]);
  });

  it("counts clients, sockets, packets and bytes", async () => {
    const admin = await asAdmin();
    await open({ transports: ["polling"] });
    const busy = await open({}, "/orders");
    const statistics = matching<[Stats]>(admin, "server_stats", ([stats]) => count(stats, "bytesIn") > 1000);
    const echo = next(busy, "echo");
    busy.emit("echo", "x".repeat(1000));
    await echo;
    const [stats] = await statistics;
    const { serverId, clientsCount, pollingClientsCount, namespaces } = stats;
    assert.deepEqual([serverId, clientsCount, pollingClientsCount], ["the server", 3, 1]);
    assert.deepEqual(namespaces, [
      { name: "/", socketsCount: 1 },
      { name: "/admin", socketsCount: 1 },
      { name: "/orders", socketsCount: 1 },
    ]);
    assert.ok(count(stats, "bytesOut") > 1000);
    assert.ok(count(stats, "packetsIn") >= 1 && count(stats, "packetsOut") >= 1);
  });

  it("emits, joins, leaves and disconnects for the administrator", async () => {
    const admin = await asAdmin();
    const client = await open();
    const joined = matching<string[]>(admin, "room_joined", ([, room]) => room === "green");
    admin.emit("join", "/", "green", client.id);
    assert.deepEqual((await joined).slice(0, 3), ["/", "green", client.id]);
    const told = next(client, "hello");
    admin.emit("emit", "/", "green", "hello", "you");
    assert.deepEqual(await told, ["you"]);
    const left = matching<string[]>(admin, "room_left", ([, room]) => room === "green");
    admin.emit("leave", "/", "green", client.id);
    assert.deepEqual((await left).slice(0, 3), ["/", "green", client.id]);
    const gone = next(client, "disconnect");
    admin.emit("_disconnect", "/", false, client.id);
    assert.deepEqual((await gone)[0], "io server disconnect");
    await eventually(
      async () => client.connected,
      (is) => !is,
    );
  });

  describe("with a password", () => {
    const guarded = program("admin", host, () => ({ page: "http://localhost", password: true }));

    it("refuses a wrong password", async () => {
      const admin = connect(`${guarded().url}/admin`, { auth: { username: "admin", password: "wrong" } });
      const [{ message }] = await next<[Error]>(admin, "connect_error");
      assert.equal(message, "invalid credentials");
    });

    it("sends a session id to a client with the password, before CONNECT", async () => {
      const admin = connect(`${guarded().url}/admin`, { auth: { username: "admin", password: "correct" } });
      const session = next<[string]>(admin, "session");
      await connected(admin);
      const [sessionId] = await session;
      await connected(connect(`${guarded().url}/admin`, { auth: { sessionId } }));
    });
  });
});

const FEATURES = [
  "EMIT",
  "JOIN",
  "LEAVE",
  "DISCONNECT",
  "MJOIN",
  "MLEAVE",
  "MDISCONNECT",
  "AGGREGATED_EVENTS",
  "ALL_EVENTS",
];

/** How many events of this type were counted since the last report. */
function count({ aggregatedEvents }: Stats, wanted: string): number {
  const some = aggregatedEvents.filter(({ type }) => type === wanted);
  return some.reduce((sum, { count: one }) => sum + one, 0);
}

/** Resolves with the arguments of the next event that satisfies `holds`. */
function matching<T extends unknown[]>(
  client: Socket,
  event: string,
  holds: (args: T) => boolean,
): Promise<T> {
  return new Promise((resolve) => {
    client.on(event, function listener(...args: unknown[]) {
      if (!holds(args as T)) return;
      client.off(event, listener);
      resolve(args as T);
    });
  });
}
