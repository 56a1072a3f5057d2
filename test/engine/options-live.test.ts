import assert from "node:assert/strict";
import { createServer } from "node:http";
import type { IncomingMessage } from "node:http";

import { Server as TidewireEngine } from "@tidewire/engine";
import { serve } from "../support/engine/serve.ts";
import { onEveryHost } from "../support/hosts/on-every-host.ts";
import { engineHosts } from "../support/engine/hosts.ts";

import { openWebSocket, PollingPeer, until } from "../support/engine/peers.ts";

onEveryHost("engine: options that change while it runs", engineHosts, (host) => {
  host.it(
    "sends changed values of pingInterval, pingTimeout and maxHttpBufferSize to new clients",
    async () => {
      await using server = await host.start();
      await PollingPeer.open(server);
      Object.assign(server.engine.opts, { pingInterval: 111, pingTimeout: 222, maxHttpBufferSize: 333 });
      const { handshake } = await PollingPeer.open(server);
      const { pingInterval, pingTimeout, maxPayload } = handshake;
      assert.deepEqual(
        { pingInterval, pingTimeout, maxPayload },
        { pingInterval: 111, pingTimeout: 222, maxPayload: 333 },
      );
    },
  );

  host.it("refuses a transport that is no longer among the transports", async () => {
    await using server = await host.start();
    await PollingPeer.open(server);
    server.engine.opts.transports = ["websocket"];
    const { body } = await server.client.get(server.path("transport=polling"));
    assert.equal(body, '{"code":0,"message":"Transport unknown"}');
    await openWebSocket(server);
  });

  host.it("accepts clients of protocol 3 once allowEIO3 is set", async () => {
    await using server = await host.start();
    const path = server.path("transport=polling").replace("EIO=4", "EIO=3");
    assert.equal((await server.client.get(path)).body, '{"code":5,"message":"Unsupported protocol version"}');
    server.engine.opts.allowEIO3 = true;
    assert.match((await server.client.get(path)).body, /^\d+:0\{"sid"/);
  });

  host.it("offers no upgrade once allowUpgrades is false", async () => {
    await using server = await host.start();
    server.engine.opts.allowUpgrades = false;
    assert.deepEqual((await PollingPeer.open(server)).handshake.upgrades, []);
  });
  host.it("closes an upgrade that allowUpgrades forbids, and keeps the session", async () => {
    await using server = await host.start({ allowUpgrades: false });
    const peer = await PollingPeer.open(server);
    const socket = await server.client.websocket(peer.websocketPath);
    socket.sendText("2probe");
    await socket.closed;
    assert.deepEqual([...socket.pending], []);
    peer.session.send("still polling");
    assert.equal(await peer.poll(), "4still polling");
  });

  host.it("ends an upgrade that takes longer than upgradeTimeout, and keeps the session", async () => {
    await using server = await host.start({ upgradeTimeout: 300 });
    const peer = await PollingPeer.open(server);
    const socket = await peer.probe();
    assert.equal(peer.session.upgrading, true);
    await socket.closed;
    await until(() => !peer.session.upgrading, "the upgrade to be given up");
    peer.session.send("still polling");
    assert.deepEqual(await peer.pollPackets(1), ["4still polling"]);
    assert.equal(peer.session.transport.name, "polling");
  });
});

describe("engine: Server", () => {
  it("may be subclassed", async () => {
    const asked: string[] = [];
    class Custom extends TidewireEngine {
      override generateId(req: IncomingMessage): string {
        asked.push(req.method ?? "");
        return "made-by-the-subclass";
      }
    }
    const engine = new Custom();
    const httpServer = createServer();
    engine.attach(httpServer);
    await using server = await serve(engine, httpServer);
    const { body } = await server.client.get("/engine.io/?EIO=4&transport=polling");
    assert.match(body, /^0\{"sid":"made-by-the-subclass"/);
    assert.deepEqual(asked, ["GET"]);
    assert.deepEqual(Object.keys(engine.clients), ["made-by-the-subclass"]);
  });
});
