import assert from "node:assert/strict";
import { onEveryHost } from "../support/hosts/on-every-host.ts";
import { engineHosts } from "../support/engine/hosts.ts";
import { isClosed } from "../support/wire/network-client.ts";
import { openWebSocket, PollingPeer, until } from "../support/engine/peers.ts";
import { within } from "../support/waiting/queue.ts";

onEveryHost("engine: close of the engine", engineHosts, (host) => {
  host.it("closes every session, in whatever state", async () => {
    await using server = await host.start();
    const idle = await PollingPeer.open(server);
    const held = await PollingPeer.open(server);
    const { answer } = await held.park();
    const upgrading = await PollingPeer.open(server);
    const probed = await upgrading.probe();
    const { socket, session } = await openWebSocket(server);
    assert.equal(server.engine.clientsCount, 4);
    server.engine.close();
    for (const closed of [idle.session, held.session, upgrading.session, session]) {
      assert.equal((await server.closed(closed)).reason, "forced close");
    }
    assert.equal((await answer).body, "1");
    assert.equal((await probed.closed).code, 1005);
    await socket.closed;
    assert.equal(server.engine.clientsCount, 0);
    assert.deepEqual(Object.keys(server.engine.clients), []);
  });

  host.it("still accepts clients", async () => {
    await using server = await host.start();
    const { socket } = await openWebSocket(server);
    server.engine.close();
    await socket.closed;
    await PollingPeer.open(server);
    await openWebSocket(server);
    assert.equal(server.engine.clientsCount, 2);
  });

  host.it("may be called twice", async () => {
    await using server = await host.start();
    await openWebSocket(server);
    assert.equal(server.engine.close(), server.engine);
    assert.equal(server.engine.close(), server.engine);
    await until(() => server.engine.clientsCount === 0, "the session to close");
  });

  host.it("leaves no port listening once the server it listens on is closed", { needs: "tcp" }, async () => {
    await using server = await host.start();
    assert.equal(await isClosed(server.port), false);
    assert.equal(server.httpServer?.listening, true);
    const { socket } = await openWebSocket(server);
    const peer = await PollingPeer.open(server);
    const { answer } = await peer.park();
    server.engine.close();
    await socket.closed;
    await answer;
    const closed = new Promise((resolve) => server.httpServer?.close(resolve));
    assert.equal(await within(closed, "the server to close"), undefined);
    assert.equal(server.httpServer.listening, false);
    assert.equal(await isClosed(server.port), true);
  });
});
