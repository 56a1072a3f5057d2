// Everything that the official objects have and applications or published packages touch, ours have too.
import assert from "node:assert/strict";
import { createServer } from "node:http";
import * as official from "socket.io";
import { serve } from "../support/server/serve.ts";
import type { StartedServer } from "../support/server/started-server.ts";
import { onEveryHost } from "../support/hosts/on-every-host.ts";
import { serverHosts } from "../support/server/hosts.ts";
import { socketio } from "../support/server/socketio.ts";
import { pair } from "../support/server/clients.ts";

/** Names on the prototypes of an object, up to EventEmitter. */
function members(thing: object): Set<string> {
  const names = new Set<string>();
  let prototype: unknown = Object.getPrototypeOf(thing);
  while (typeof prototype === "object" && prototype !== null && prototype !== Object.prototype) {
    for (const name of Object.getOwnPropertyNames(prototype)) names.add(name);
    prototype = Object.getPrototypeOf(prototype);
  }
  return names;
}

/** What the official object can do and the other cannot. */
function missing(theirs: object, ours: object): string[] {
  return [...members(theirs)].filter((name) => !(name in ours)).toSorted();
}

async function officialServer(): Promise<StartedServer> {
  const httpServer = createServer();
  return serve(new official.Server(httpServer), httpServer);
}

onEveryHost("the surface of the official objects", serverHosts, (host) => {
  it("Server", async () => {
    await using running = await host.start();
    const { io } = running;
    await using theirs = await officialServer();
    assert.deepEqual(missing(theirs.io, io), []);
    const keys = [
      "_nsps",
      "parentNsps",
      "_parser",
      "encoder",
      "opts",
      "_opts",
      "sockets",
      "eio",
      "engine",
      "httpServer",
    ];
    assert.deepEqual(
      keys.filter((key) => !(key in io)),
      [],
    );
    assert.equal((io as unknown as { eio: unknown }).eio, io.engine);
  });

  it("Namespace", async () => {
    await using running = await host.start();
    const { io } = running;
    await using theirs = await officialServer();
    assert.deepEqual(missing(theirs.io.sockets, io.sockets), []);
    const keys = ["sockets", "_preConnectSockets", "_fns", "_ids", "server", "name", "adapter"];
    assert.deepEqual(
      keys.filter((key) => !(key in io.sockets)),
      [],
    );
  });

  it("ParentNamespace", async () => {
    await using running = await host.start();
    const { io } = running;
    await using theirs = await officialServer();
    assert.deepEqual(missing(theirs.io.of(/x/), io.of(/x/)), []);
  });

  it("BroadcastOperator", async () => {
    await using running = await host.start();
    const { io } = running;
    const operator = io.to("a").except("b").volatile;
    await using theirs = await officialServer();
    assert.deepEqual(missing(theirs.io.to("a"), operator), []);
    const { rooms, exceptRooms, flags } = operator as unknown as Record<string, unknown>;
    assert.deepEqual([rooms, exceptRooms, flags], [new Set(["a"]), new Set(["b"]), { volatile: true }]);
  });

  it("Socket and Client", async () => {
    await using running = await host.start();
    const { socket } = await pair(running);
    await using theirs = await officialServer();
    const { socket: other } = await pair(theirs);
    assert.deepEqual(missing(other, socket), []);
    assert.deepEqual(missing(other.client, socket.client), []);
    const keys = [
      "nsp",
      "client",
      "recovered",
      "data",
      "connected",
      "acks",
      "flags",
      "server",
      "adapter",
      "id",
    ];
    assert.deepEqual(
      keys.filter((key) => !(key in socket)),
      [],
    );
    const clientKeys = ["conn", "id", "server", "encoder", "decoder", "sockets", "nsps"];
    assert.deepEqual(
      clientKeys.filter((key) => !(key in socket.client)),
      [],
    );
  });

  it("conn and its transport", async () => {
    await using running = await host.start();
    const { socket } = await pair(running);
    const conn = [
      "id",
      "server",
      "request",
      "protocol",
      "remoteAddress",
      "transport",
      "readyState",
      "upgrading",
      "upgraded",
    ];
    const can = ["writeBuffer", "send", "write", "close", "on", "once", "emit", "removeListener"];
    assert.deepEqual(
      [...conn, ...can].filter((key) => !(key in socket.conn)),
      [],
    );
    const transport = ["name", "sid", "writable", "protocol", "readyState", "supportsBinary"];
    const does = ["send", "close", "discard", "onRequest", "on", "once", "emit"];
    assert.deepEqual(
      [...transport, ...does].filter((key) => !(key in socket.conn.transport)),
      [],
    );
    assert.equal(Array.isArray((socket.conn as unknown as { writeBuffer: unknown }).writeBuffer), true);
  });

  for (const name of ["polling", "websocket"] as const) {
    it(`the values of conn and its transport by ${name}`, async () => {
      await using running = await host.start();
      const { io } = running;
      const { socket } = await pair(running, { transports: [name] });
      const conn = socket.conn as unknown as Record<string, unknown>;
      const transport = conn["transport"] as Record<string, unknown>;
      assert.deepEqual(
        [conn["protocol"], conn["readyState"], conn["upgrading"], conn["upgraded"], conn["server"]],
        [4, "open", false, false, io.engine],
      );
      assert.deepEqual(
        [transport["name"], transport["protocol"], transport["readyState"], transport["supportsBinary"]],
        [name, 4, "open", true],
      );
      assert.equal(transport["handlesUpgrades"] ?? false, name === "websocket");
      assert.equal(transport["sid"], conn["id"]);
      assert.equal("socket" in transport, name === "websocket");
      const { clients } = io.engine as unknown as { clients: Record<string, unknown> };
      assert.equal(clients[String(conn["id"])], conn);
    });
  }

  it("io.engine", async () => {
    await using running = await host.start();
    const { io } = running;
    const keys = [
      "clients",
      "clientsCount",
      "opts",
      "use",
      "close",
      "generateId",
      "handleRequest",
      "handleUpgrade",
      "onWebTransportSession",
      "upgrades",
      "attach",
      "middlewares",
      "on",
    ];
    assert.deepEqual(
      keys.filter((key) => !(key in io.engine)),
      [],
    );
  });
});

describe("the surface of the module", () => {
  it("has the three classes, under the names of the official ones", () => {
    const { Server, Namespace, Socket } = socketio;
    assert.deepEqual([Server.name, Namespace.name, Socket.name], ["Server", "Namespace", "Socket"]);
  });

  it("makes RemoteSocket for sockets of other servers", async () => {
    const io = new socketio.Server();
    const details = { id: "x", handshake: {}, rooms: ["x", "r"], data: { a: 1 } };
    io.sockets.adapter.fetchSockets = async () => [details] as never;
    const [remote] = await io.fetchSockets();
    assert.ok(remote);
    assert.deepEqual([remote.id, remote.rooms, remote.data], ["x", new Set(["x", "r"]), { a: 1 }]);
    for (const name of ["timeout", "emit", "join", "leave", "disconnect"] as const) {
      assert.equal(typeof remote[name], "function");
    }
  });
});
