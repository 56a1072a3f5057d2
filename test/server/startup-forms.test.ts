// The ways to start a server, as the official documentation and published packages use them. Those of a port and of an
// HTTP server alone are in lifecycle.test.ts.
import assert from "node:assert/strict";
import { createServer } from "node:http";
import type { Server as HttpServer } from "node:http";
import { createSecureServer } from "node:http2";
import { createServer as createHttpsServer } from "node:https";

import { Server as OfficialEngine } from "engine.io";
import * as uWS from "uWebSockets.js";
import { tls } from "../support/http2/peers.ts";
import { closing } from "../support/waiting/closing.ts";

import { connected, pair, settled, transports } from "../support/server/clients.ts";
import type { Pair } from "../support/server/clients.ts";
import { internals } from "../support/server/internals.ts";
import { serve, serveApp } from "../support/server/serve.ts";
import { StartedServer } from "../support/server/started-server.ts";
import { next } from "../support/waiting/events.ts";
import { onEveryHost } from "../support/hosts/on-every-host.ts";
import { serverHosts } from "../support/server/hosts.ts";
import { socketio } from "../support/server/socketio.ts";
import type { Server } from "../support/server/socketio.ts";

/** The handshake of Engine.IO at the path. */
async function handshake({ url }: StartedServer, path = "/socket.io/"): Promise<Record<string, unknown>> {
  const response = await fetch(`${url}${path}?EIO=4&transport=polling`);
  assert.equal(response.status, 200);
  return JSON.parse((await response.text()).slice(1)) as Record<string, unknown>;
}

async function statusOf({ url }: StartedServer, path: string): Promise<number> {
  return (await fetch(url + path)).status;
}

const secureServers = {
  "an https server": () => createHttpsServer({ ...tls }),
  "an http2 server that allows HTTP/1.1": () =>
    createSecureServer({ ...tls, allowHTTP1: true }) as unknown as HttpServer,
};

describe("a server attached to", () => {
  for (const [what, create] of Object.entries(secureServers)) {
    for (const [name, mode] of Object.entries(transports)) {
      it(`${what} is reached by ${name}`, async () => {
        const secure = create();
        const sockets = new Set<{ destroy(): void }>();
        secure.on("connection", (socket) => sockets.add(socket));
        secure.closeAllConnections = () => {
          for (const socket of sockets) socket.destroy();
        };
        await using server = await serve(new socketio.Server(secure), secure, "https");
        assert.equal(server.io.httpServer, secure);
        const { client, socket } = await pair(server, { ...mode, ca: tls.cert.toString() });
        assert.equal(socket.handshake.secure, true);
        await settled(client, socket);
      });
    }
  }
});

describe("the arguments of new Server()", () => {
  it("may be missing, null or undefined: nothing is attached", () => {
    for (const srv of [undefined, null]) {
      const io = new socketio.Server(srv as never, { path: "/x" });
      assert.deepEqual([io.engine, io.httpServer, io.path()], [undefined, undefined, "/x"]);
    }
    assert.equal(new socketio.Server().engine, undefined);
  });

  it("are kept as io.opts and io._opts, the same object", () => {
    const options = { pingTimeout: 5 };
    const io = new socketio.Server(options);
    assert.equal(Reflect.get(io, "opts"), options);
    assert.equal(io._opts, options);
    assert.equal(Reflect.get(options, "cleanupEmptyChildNamespaces"), false);
  });

  it("are filled in for connection state recovery, in place", () => {
    const options = { connectionStateRecovery: {} };
    new socketio.Server(options);
    assert.deepEqual(options.connectionStateRecovery, {
      maxDisconnectionDuration: 120_000,
      skipMiddlewares: true,
    });
    const given = { connectionStateRecovery: { maxDisconnectionDuration: 1, skipMiddlewares: false } };
    new socketio.Server(given);
    assert.deepEqual(given.connectionStateRecovery, { maxDisconnectionDuration: 1, skipMiddlewares: false });
  });
});

describe("io.attach() and io.listen()", () => {
  for (const method of ["attach", "listen"] as const) {
    it(`${method}(httpServer) starts later, and returns the server`, async () => {
      const httpServer = createServer();
      const io = new socketio.Server();
      assert.equal(io[method](httpServer), io);
      assert.equal(io.httpServer, httpServer);
      await using running = await serve(io, httpServer);
      await connected(running.client());
    });
  }

  it("take options of the engine, which those of the server override", async () => {
    const io = new socketio.Server({ pingInterval: 1_111 });
    const options = { pingInterval: 2_222, pingTimeout: 3_333 };
    await using server = StartedServer.of(io.attach(0, options));
    const { pingInterval, pingTimeout } = await handshake(server);
    assert.deepEqual([pingInterval, pingTimeout], [1_111, 3_333]);
    assert.equal(options.pingInterval, 1_111);
  });

  it("take a path, unless the server has one", async () => {
    await using server = StartedServer.of(new socketio.Server().attach(0, { path: "/mine" }));
    await handshake(server, "/mine/");
    assert.equal(await statusOf(server, "/socket.io/?EIO=4&transport=polling"), 404);
    await using other = StartedServer.of(
      new socketio.Server({ path: "/first" }).attach(0, { path: "/second" }),
    );
    await handshake(other, "/first/");
  });

  it("use the path that was set meanwhile", async () => {
    await using server = StartedServer.of(new socketio.Server().path("/later/").attach(0));
    await connected(server.client({ path: "/later" }));
    assert.equal(await statusOf(server, "/later/socket.io.js"), 200);
  });

  it("serve the client files or not, as set meanwhile", async () => {
    await using server = StartedServer.of(new socketio.Server().serveClient(false).attach(0));
    assert.equal(await statusOf(server, "/socket.io/socket.io.js"), 400);
    await using other = StartedServer.of(
      new socketio.Server({ serveClient: false }).serveClient(true).attach(0),
    );
    assert.equal(await statusOf(other, "/socket.io/socket.io.js"), 200);
  });

  it("accept more servers: clients of each one can join", async () => {
    const io = new socketio.Server();
    const [first, second] = [createServer(), createServer()];
    io.attach(first).attach(second);
    assert.equal(io.httpServer, second);
    const engines = [io.engine];
    using _closing = closing(() => engines.forEach((engine) => engine.close()));
    await using one = await serve(io, first);
    await using two = await serve(io, second);
    await connected(one.client());
    await connected(two.client());
    assert.equal(io.sockets.sockets.size, 2);
  });

  it("start a server again that was closed, with its namespaces and listeners", async () => {
    const io = new socketio.Server();
    const names: string[] = [];
    io.of("/chat").on("connection", (socket) => names.push(socket.nsp.name));
    for (let round = 0; round < 2; round++) {
      await using running = StartedServer.of(io.attach(0));
      const { client, socket } = await pair(running, {}, "/chat");
      await socket.join("room");
      const heard = next(client, "ev");
      io.of("/chat").to("room").emit("ev", round);
      assert.deepEqual(await heard, [round]);
      await io.close();
      assert.equal(io.of("/chat").sockets.size, 0);
    }
    assert.deepEqual(names, ["/chat", "/chat"]);
  });

  it("refuse a string that is not a port", () => {
    assert.throws(() => new socketio.Server("somewhere" as never), TypeError);
  });
});

onEveryHost("a server that is attached again", serverHosts, (host) => {
  it("to an app and to an HTTP server reaches the clients of all", async () => {
    await using first = await host.start();
    const { io } = first;
    const [app, httpServer] = [uWS.App(), createServer()];
    const { engine: own, httpServer: ownServer } = io;
    using _closing = closing(() => {
      own.close();
      ownServer.close();
    });
    io.attachApp(app);
    const { engine: second } = io;
    using _second = closing(() => second.close());
    io.attach(httpServer);
    await using onApp = serveApp(io, app);
    await using onNode = await serve(io, httpServer);
    const all = [first, onApp, onNode];
    const pairs: Pair[] = [];
    for (const each of all) pairs.push(await pair(each, { transports: ["websocket"] }));
    const heard = Promise.all(pairs.map(({ client }) => next(client, "ev")));
    for (const { socket } of pairs) await socket.join("room");
    io.to("room").emit("ev", 1);
    assert.deepEqual(await heard, [[1], [1], [1]]);
  });
});

describe("io.bind() and io.onconnection()", () => {
  async function bound(bind: (io: Server, engine: OfficialEngine) => void): Promise<StartedServer> {
    const httpServer = createServer();
    const engine = new OfficialEngine();
    engine.attach(httpServer, { path: "/socket.io/" });
    const io = new socketio.Server();
    bind(io, engine);
    const running = await serve(io, httpServer);
    running.closeWith(() => engine.close());
    return running;
  }

  it("bind(engine) takes the connections of another engine", async () => {
    await using server = await bound((io, engine) => {
      assert.equal(io.bind(engine), io);
      assert.equal(io.engine, engine);
    });
    const { client, socket } = await pair(server);
    socket.on("double", (value: number, answer: (value: number) => void) => answer(value * 2));
    assert.equal(await client.emitWithAck("double", 4), 8);
  });

  it("io.close() closes the engine that was bound, and calls back", async () => {
    const io = new socketio.Server();
    let closed = 0;
    io.bind({ on: () => {}, close: () => closed++ });
    const calls: unknown[] = [];
    await io.close((error) => calls.push(error));
    assert.deepEqual([closed, calls], [1, [undefined]]);
  });

  it("onconnection(conn) takes one connection", async () => {
    await using server = await bound((io, engine) => {
      engine.on("connection", (conn) => assert.equal(internals(io).onconnection(conn), io));
    });
    await pair(server);
    assert.equal(server.io.engine, undefined);
  });
});
