import assert from "node:assert/strict";
import { onEveryHost } from "../support/hosts/on-every-host.ts";
import { engineHosts } from "../support/engine/hosts.ts";
import { openWebSocket, packetsOf, PollingPeer, until } from "../support/engine/peers.ts";

const UNKNOWN = '{"code":1,"message":"Session ID unknown"}';

onEveryHost("engine: close", engineHosts, (host) => {
  describe("by the server, over long-polling", () => {
    host.it("answers a held poll with 1", async () => {
      await using server = await host.start();
      const peer = await PollingPeer.open(server);
      const { answer } = await peer.park();
      peer.session.close();
      assert.equal((await answer).body, "1");
      assert.deepEqual(await server.closed(peer.session), {
        reason: "forced close",
        description: undefined,
      });
      assert.equal((await peer.get()).body, UNKNOWN);
    });

    host.it("waits for the next poll when none is held", async () => {
      await using server = await host.start();
      const peer = await PollingPeer.open(server);
      await until(() => !peer.session.transport.writable, "the first poll to be answered");
      peer.session.close();
      assert.equal(peer.session.readyState, "closing");
      assert.deepEqual(packetsOf(await peer.poll()), ["1"]);
      assert.equal((await server.closed(peer.session)).reason, "forced close");
    });

    host.it("sends what is queued before 1", async () => {
      await using server = await host.start();
      const peer = await PollingPeer.open(server);
      peer.session.send("a");
      peer.session.send("b");
      peer.session.close();
      assert.deepEqual(await peer.pollPackets(3), ["4a", "4b", "1"]);
      assert.equal((await server.closed(peer.session)).reason, "forced close");
    });

    host.it("closes for the message, not for the bad packet behind it", async () => {
      await using server = await host.start();
      const peer = await PollingPeer.open(server);
      peer.session.on("message", () => peer.session.close());
      await peer.send("4bye\x1e9");
      assert.equal(peer.session.readyState, "closing");
      assert.deepEqual(packetsOf(await peer.poll()), ["1"]);
      assert.equal((await server.closed(peer.session)).reason, "forced close");
    });

    host.it("sends what is queued to a held poll before 1", async () => {
      await using server = await host.start();
      const peer = await PollingPeer.open(server);
      const { answer } = await peer.park();
      peer.session.send("a");
      peer.session.close();
      const packets = packetsOf((await answer).body);
      while (!packets.includes("1")) {
        packets.push(...packetsOf(await peer.poll()));
      }
      assert.deepEqual(packets, ["4a", "1"]);
    });

    host.it("closes at once and discards the queue with close(true)", async () => {
      await using server = await host.start();
      const peer = await PollingPeer.open(server);
      await until(() => !peer.session.transport.writable, "the first poll to be answered");
      peer.session.send("lost");
      peer.session.close(true);
      assert.equal((await server.closed(peer.session)).reason, "forced close");
      assert.equal((await peer.get()).body, UNKNOWN);
    });
  });

  describe("by the client, over long-polling", () => {
    host.it("closes on 1 and ends the held poll with a noop", async () => {
      await using server = await host.start();
      const peer = await PollingPeer.open(server);
      const { answer } = await peer.park();
      await peer.send("1");
      assert.deepEqual(await server.closed(peer.session), {
        reason: "transport close",
        description: undefined,
      });
      assert.equal((await answer).body, "6");
      assert.equal((await peer.get()).body, UNKNOWN);
    });

    host.it("closes on 1 when no poll is held", async () => {
      await using server = await host.start();
      const peer = await PollingPeer.open(server);
      await peer.send("1");
      assert.equal((await server.closed(peer.session)).reason, "transport close");
    });

    host.it("delivers what came before 1", async () => {
      await using server = await host.start();
      const peer = await PollingPeer.open(server);
      const log: string[] = [];
      peer.session.on("message", (data: string) => log.push(data));
      peer.session.on("close", (reason: string) => log.push(reason));
      await peer.send("4a\x1e4b\x1e1");
      assert.deepEqual(log, ["a", "b", "transport close"]);
    });
  });

  describe("over a WebSocket", () => {
    host.it("by the server: sends a close frame without a code and no packet", async () => {
      await using server = await host.start();
      const { socket, session } = await openWebSocket(server);
      session.close();
      assert.deepEqual(await socket.closed, { code: 1005, reason: "" });
      assert.deepEqual(socket.pending, []);
      assert.deepEqual(await server.closed(session), { reason: "forced close", description: undefined });
    });

    host.it("by the server: sends what is queued first", async () => {
      await using server = await host.start();
      const { socket, session } = await openWebSocket(server);
      session.send("a");
      session.send(Buffer.from([1]));
      session.close();
      assert.deepEqual(await socket.take(2), ["4a", Buffer.from([1])]);
      assert.equal((await socket.closed).code, 1005);
      assert.equal((await server.closed(session)).reason, "forced close");
    });

    host.it("by the server, from the message listener", async () => {
      await using server = await host.start();
      const { socket, session } = await openWebSocket(server);
      session.on("message", () => {
        session.send("bye");
        session.close();
      });
      socket.sendText("4x");
      assert.equal(await socket.next(), "4bye");
      assert.equal((await socket.closed).code, 1005);
    });

    for (const code of [undefined, 1000, 1001, 4000]) {
      host.it(`by the client, with ${code ?? "no code"}`, async () => {
        await using server = await host.start();
        const { socket, session } = await openWebSocket(server);
        socket.close(code);
        assert.equal((await server.closed(session)).reason, "transport close");
        assert.equal((await socket.closed).code, code ?? 1005);
        assert.equal(server.engine.clientsCount, 0);
      });
    }

    host.it("by a client whose connection drops", async () => {
      await using server = await host.start();
      const { socket, session } = await openWebSocket(server);
      socket.reset();
      assert.equal((await server.closed(session)).reason, "transport close");
    });

    host.it("delivers what came before the close frame", async () => {
      await using server = await host.start();
      const { socket, session } = await openWebSocket(server);
      const log: string[] = [];
      session.on("message", (data: string) => log.push(data));
      session.on("close", (reason: string) => log.push(reason));
      socket.sendText("4a");
      socket.sendText("4b");
      socket.close();
      await server.closed(session);
      assert.deepEqual(log, ["a", "b", "transport close"]);
    });
  });

  describe("during an upgrade", () => {
    host.it("by the server: ends the poll with 1 and closes the WebSocket", async () => {
      await using server = await host.start();
      const peer = await PollingPeer.open(server);
      const socket = await server.client.websocket(peer.websocketPath);
      await until(() => peer.session.upgrading, "the upgrade to begin");
      const { answer } = await peer.park();
      peer.session.close();
      assert.deepEqual(packetsOf((await answer).body), ["1"]);
      assert.equal((await socket.closed).code, 1005);
      assert.equal((await server.closed(peer.session)).reason, "forced close");
    });

    host.it(
      "by the server with messages queued: they arrive over the WebSocket, then it closes",
      async () => {
        await using server = await host.start();
        const peer = await PollingPeer.open(server);
        const socket = await peer.probe();
        await until(() => !peer.session.transport.writable, "no poll to be held");
        peer.session.send("last");
        peer.session.close();
        socket.sendText("5");
        assert.equal(await socket.next(), "4last");
        assert.equal((await socket.closed).code, 1005);
        assert.equal((await server.closed(peer.session)).reason, "forced close");
      },
    );

    host.it("by the client with 1: closes the WebSocket too", async () => {
      await using server = await host.start();
      const peer = await PollingPeer.open(server);
      const socket = await peer.probe();
      await peer.send("1");
      assert.equal((await server.closed(peer.session)).reason, "transport close");
      assert.equal((await socket.closed).code, 1005);
    });
  });

  describe("in any case", () => {
    host.it("removes the session, then emits close once", async () => {
      await using server = await host.start();
      const { socket, session } = await openWebSocket(server);
      const counts: number[] = [];
      session.on("close", () => counts.push(server.engine.clientsCount));
      session.close();
      session.close(true);
      await socket.closed;
      socket.reset();
      await server.closed(session);
      assert.deepEqual(counts, [0]);
      assert.deepEqual(Object.keys(server.engine.clients), []);
      assert.equal(session.readyState, "closed");
    });

    host.it("ignores what is sent to a session that has closed", async () => {
      await using server = await host.start();
      const { session } = await openWebSocket(server);
      session.close();
      await server.closed(session);
      session.send("x");
      session.send(Buffer.from([1]));
      assert.equal(session.readyState, "closed");
    });
  });
});
