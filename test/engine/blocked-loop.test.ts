import assert from "node:assert/strict";
import { block, OtherThread } from "../support/process/blocked-loop.ts";
import { onEveryHost } from "../support/hosts/on-every-host.ts";
import { engineHosts } from "../support/engine/hosts.ts";
import { openWebSocket, PollingPeer, until } from "../support/engine/peers.ts";

const pingInterval = 50;
const pingTimeout = 200;

onEveryHost(
  "engine: an event loop that was blocked for longer than the heartbeat allows",
  engineHosts,
  (host) => {
    host.it("reads a WebSocket's pong before it checks the timeout", { needs: "tcp" }, async () => {
      await using server = await host.start({ pingInterval, pingTimeout });
      const { socket, session } = await openWebSocket(server);
      assert.equal(await socket.next(), "2");
      socket.sendText("3");
      block(2 * pingTimeout);
      assert.equal(await socket.next(), "2");
      assert.equal(session.readyState, "open");
    });

    host.it(
      "reads the ping of a protocol 3 client before it checks the timeout",
      { needs: "tcp" },
      async () => {
        await using server = await host.start({ pingInterval, pingTimeout, allowEIO3: true });
        const path = server.path("transport=websocket").replace("EIO=4", "EIO=3");
        const socket = await server.client.websocket(path);
        await socket.next();
        const session = await server.nextSession();
        socket.sendText("2");
        block(2 * (pingInterval + pingTimeout));
        assert.equal(await socket.next(), "3");
        assert.equal(session.readyState, "open");
      },
    );

    host.it(
      "reads a polling client's pong on a new connection before it checks the timeout",
      { needs: "tcp" },
      async () => {
        await using server = await host.start({ pingInterval, pingTimeout });
        await using thread = await OtherThread.start();
        const peer = await PollingPeer.open(server);
        assert.equal(await peer.poll(), "2");
        thread.postWhileBlocked(server.port, peer.path, "3", 2 * pingTimeout);
        assert.equal(await peer.poll(), "2");
        assert.equal(peer.session.readyState, "open");
      },
    );

    host.it("still closes a session whose client sent nothing", { needs: "tcp" }, async () => {
      await using server = await host.start({ pingInterval, pingTimeout });
      const { socket, session } = await openWebSocket(server);
      assert.equal(await socket.next(), "2");
      block(2 * pingTimeout);
      assert.equal((await server.closed(session)).reason, "ping timeout");
    });

    host.it("reads the end of an upgrade before it gives up on it", { needs: "tcp" }, async () => {
      await using server = await host.start({ upgradeTimeout: pingTimeout });
      const peer = await PollingPeer.open(server);
      const socket = await peer.probe();
      socket.sendText("5");
      block(2 * pingTimeout);
      await until(() => peer.session.upgraded, "the upgrade");
      assert.deepEqual(server.errors, []);
    });
  },
);
