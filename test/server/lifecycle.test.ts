import assert from "node:assert/strict";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import express from "express";
import { freePort } from "../support/hosts/free-port.ts";
import { closing } from "../support/waiting/closing.ts";
import { isClosed } from "../support/wire/network-client.ts";
import { connected, pair, upgraded } from "../support/server/clients.ts";
import { serve } from "../support/server/serve.ts";
import { StartedServer } from "../support/server/started-server.ts";
import { next } from "../support/waiting/events.ts";
import { onEveryHost } from "../support/hosts/on-every-host.ts";
import { serverHosts } from "../support/server/hosts.ts";
import { socketio } from "../support/server/socketio.ts";
import { rawPair } from "../support/server/wires.ts";

onEveryHost("io.close()", serverHosts, (host) => {
  it("stops listening: a new connection is refused", async () => {
    await using running = await host.start();
    await pair(running);
    assert.equal(await isClosed(running.port), false);
    await running.io.close();
    assert.equal(await isClosed(running.port), true);
  });

  it("disconnects every socket of every namespace with server shutting down", async () => {
    await using running = await host.start();
    const [a, b] = [await pair(running), await pair(running, {}, "/b")];
    const reasons = Promise.all([next(a.socket, "disconnect"), next(b.socket, "disconnect")]);
    await running.io.close();
    assert.deepEqual(
      (await reasons).map(([reason]) => reason),
      ["server shutting down", "server shutting down"],
    );
    assert.equal(running.io.engine.clientsCount, 0);
  });

  it("ends WebSocket connections", async () => {
    await using running = await host.start();
    const { wire } = await rawPair(running);
    await running.io.close();
    assert.equal((await wire.closed).reason, "");
  });

  it("resolves, and calls back, when everything is closed", async () => {
    await using running = await host.start();
    const { client } = await pair(running, { transports: ["websocket"] });
    const gone = next(client, "disconnect");
    const called = new Promise((resolve) => void running.io.close(resolve));
    assert.equal(await called, undefined);
    await gone;
  });

  it("resolves with polls parked", async () => {
    await using running = await host.start();
    await pair(running, { transports: ["polling"] });
    await running.io.close();
    assert.equal(await isClosed(running.port), true);
  });

  it("closes the adapters", async () => {
    const closed: string[] = [];
    class Adapter extends (await import("socket.io-adapter")).Adapter {
      override close(): void {
        closed.push(this.nsp.name);
      }
    }
    await using running = await host.start({ adapter: Adapter });
    running.io.of("/b");
    await running.io.close();
    assert.deepEqual(closed, ["/", "/b"]);
  });

  it("lets clients reconnect to a server that starts after it on the same port", async () => {
    const port = await freePort();
    const options: object = { host: host.name };
    await using running = new StartedServer(new socketio.Server(port, options), { port });
    const client = running.client({ reconnection: true, reconnectionDelay: 20, reconnectionDelayMax: 40 });
    await connected(client);
    await upgraded(client);
    const gone = next(client, "disconnect");
    await running.io.close();
    await gone;
    // Attempts before the new server listens fail, and are repeated.
    const back = next(client, "connect");
    const again = new socketio.Server(port, options);
    await using _again = new StartedServer(again, { port });
    await back;
    assert.equal(again.engine.clientsCount, 1);
  });

  it("leaves its port to a server that starts at once, whatever connections it had", async () => {
    const options: object = { host: host.name };
    const port = await freePort();
    for (let round = 0; round < 4; round++) {
      await using running = StartedServer.of(new socketio.Server(port, options));
      assert.equal(running.port, port);
      await pair(running, { transports: ["websocket"] });
      await pair(running, { transports: ["polling"] });
      await running.io.close();
    }
  });

  it("can be called twice", async () => {
    await using running = await host.start();
    await running.io.close();
    await running.io
      .close()
      .catch((error: NodeJS.ErrnoException) => assert.equal(error.code, "ERR_SERVER_NOT_RUNNING"));
  });
});

describe("startup", () => {
  it("new Server(port) knows its port at once", async () => {
    const io = new socketio.Server(0);
    const { port } = io.httpServer.address() as AddressInfo;
    await using running = new StartedServer(io, { port });
    assert.ok(port > 0);
    assert.equal(io.httpServer.listening, true);
    await connected(running.client());
  });

  it("new Server('port') takes a string", async () => {
    const io = new socketio.Server("0" as unknown as number);
    await using running = StartedServer.of(io);
    await connected(running.client());
  });

  it("io.listen(port) and io.attach(port) start later", async () => {
    for (const method of ["listen", "attach"] as const) {
      const io = new socketio.Server({ path: "/later" });
      assert.equal(io[method](0), io);
      await using running = StartedServer.of(io);
      await connected(running.client({ path: "/later" }));
    }
  });

  it("new Server(httpServer) leaves other requests to the application", async () => {
    const httpServer = createServer((_req, res) => res.end("application"));
    const io = new socketio.Server(httpServer);
    await using running = await serve(io, httpServer);
    assert.equal(io.httpServer, httpServer);
    await connected(running.client());
    assert.equal(await (await fetch(`${running.url}/hello`)).text(), "application");
    assert.equal(await (await fetch(`${running.url}/socket.iox`)).text(), "application");
  });

  it("new Server(httpServer) beside an express app", async () => {
    const app = express();
    app.get("/hello", (_req, res) => void res.send("express"));
    const httpServer = createServer(app);
    await using running = await serve(new socketio.Server(httpServer), httpServer);
    await connected(running.client());
    assert.equal(await (await fetch(`${running.url}/hello`)).text(), "express");
  });

  it("an express app in place of a server is refused with an explanation", () => {
    const message =
      "You are trying to attach socket.io to an express request handler function. Please pass a http.Server instance.";
    assert.throws(() => new socketio.Server(express() as never), { message });
  });

  it("answers 404 on its own port, outside the path", async () => {
    const io = new socketio.Server(0);
    await using running = StartedServer.of(io);
    assert.equal((await fetch(`${running.url}/`)).status, 404);
    assert.equal((await fetch(`${running.url}/socket.iox/`)).status, 404);
  });

  it("a taken port is reported by the error event of httpServer", async () => {
    const taken = createServer();
    await new Promise<void>((resolve) => taken.listen(0, resolve));
    using _taken = closing(() => taken.close());
    const io = new socketio.Server((taken.address() as AddressInfo).port);
    const [error] = await next<[NodeJS.ErrnoException]>(io.httpServer, "error");
    assert.equal(error.code, "EADDRINUSE");
    await io.close().catch(() => {});
  });

  it("has no engine before it is attached, and io.close() then rejects", async () => {
    const io = new socketio.Server();
    assert.equal(io.engine, undefined);
    await assert.rejects(io.close(), TypeError);
  });

  it("host: 'node' and host: 'uws' choose the host of a port", async () => {
    for (const host of ["node", "uws"]) {
      const io = new socketio.Server(0, { host } as object);
      await using running = StartedServer.of(io);
      await connected(running.client());
      assert.equal(io.httpServer instanceof (await import("node:http")).Server, host === "node");
    }
  });
});
