import assert from "node:assert/strict";
import { closing } from "../support/waiting/closing.ts";
import { onEveryHost } from "../support/hosts/on-every-host.ts";
import { engineHosts } from "../support/engine/hosts.ts";
import { openWebSocket, PollingPeer, until } from "../support/engine/peers.ts";

onEveryHost("engine: heartbeat", engineHosts, (host) => {
  host.it("keeps pinging a WebSocket that answers", async () => {
    await using server = await host.start({ pingInterval: 30, pingTimeout: 2_000 });
    const { socket, session } = await openWebSocket(server);
    for (let round = 0; round < 4; round++) {
      assert.equal(await socket.next(), "2");
      socket.sendText("3");
    }
    assert.equal(session.readyState, "open");
  });

  host.it("keeps pinging a long-polling client that answers", async () => {
    await using server = await host.start({ pingInterval: 30, pingTimeout: 2_000 });
    const peer = await PollingPeer.open(server);
    for (let round = 0; round < 4; round++) {
      assert.equal(await peer.poll(), "2");
      await peer.send("3");
    }
    assert.equal(peer.session.readyState, "open");
  });

  host.it("emits heartbeat for every pong", async () => {
    await using server = await host.start({ pingInterval: 30, pingTimeout: 2_000 });
    const { socket, session } = await openWebSocket(server);
    let heartbeats = 0;
    session.on("heartbeat", () => heartbeats++);
    assert.equal(await socket.next(), "2");
    assert.equal(heartbeats, 0);
    socket.sendText("3");
    await until(() => heartbeats === 1, "the heartbeat event");
  });

  host.it("closes a WebSocket that does not answer", async () => {
    await using server = await host.start({ pingInterval: 30, pingTimeout: 40 });
    const { socket, session } = await openWebSocket(server);
    assert.equal(await socket.next(), "2");
    assert.equal((await server.closed(session)).reason, "ping timeout");
    assert.equal((await socket.closed).code, 1005);
    assert.equal(server.engine.clientsCount, 0);
  });

  host.it("closes a long-polling session that does not answer, and ends its poll", async () => {
    await using server = await host.start({ pingInterval: 30, pingTimeout: 500 });
    const peer = await PollingPeer.open(server);
    assert.equal(await peer.poll(), "2");
    const response = await peer.get();
    assert.equal(response.body, "1");
    assert.equal((await server.closed(peer.session)).reason, "ping timeout");
  });

  host.it("closes a session whose client never returns", async () => {
    await using server = await host.start({ pingInterval: 30, pingTimeout: 30 });
    const peer = await PollingPeer.open(server);
    assert.equal((await server.closed(peer.session)).reason, "ping timeout");
    const response = await peer.get();
    assert.equal(response.body, '{"code":1,"message":"Session ID unknown"}');
  });

  host.it("waits longer when another packet comes instead of the pong", async () => {
    await using server = await host.start({ pingInterval: 30, pingTimeout: 500 });
    const { socket, session } = await openWebSocket(server);
    const order: string[] = [];
    session.on("message", () => {
      // The first deadline is well before this, the second well after.
      setTimeout(() => order.push("still waiting"), 700);
    });
    session.on("close", (reason: string) => order.push(reason));
    assert.equal(await socket.next(), "2");
    server.engine.opts.pingTimeout = 900;
    socket.sendText("4x");
    await server.closed(session);
    assert.deepEqual(order, ["still waiting", "ping timeout"]);
  });

  host.it("waits longer once only, however many packets come", async () => {
    await using server = await host.start({ pingInterval: 30, pingTimeout: 80 });
    const { socket, session } = await openWebSocket(server);
    assert.equal(await socket.next(), "2");
    const chatter = setInterval(() => socket.sendText("4x"), 10);
    using _chatter = closing(() => clearInterval(chatter));
    assert.equal((await server.closed(session)).reason, "ping timeout");
  });

  host.it("closes a WebSocket whose client sends a ping", async () => {
    await using server = await host.start();
    const { socket, session } = await openWebSocket(server);
    socket.sendText("2");
    const { reason, description } = await server.closed(session);
    assert.equal(reason, "transport error");
    assert.equal((description as Error).message, "invalid heartbeat direction");
    assert.equal((await socket.closed).code, 1005);
  });

  host.it("closes a long-polling session whose client sends a ping", async () => {
    await using server = await host.start();
    const peer = await PollingPeer.open(server);
    const { answer } = await peer.park();
    await peer.post("2").catch(() => {});
    assert.equal((await server.closed(peer.session)).reason, "transport error");
    assert.equal((await answer).body, "1");
  });

  host.it("continues the heartbeat after an upgrade", async () => {
    await using server = await host.start({ pingInterval: 40, pingTimeout: 2_000 });
    const peer = await PollingPeer.open(server);
    const socket = await peer.probe();
    socket.sendText("5");
    for (let round = 0; round < 3; round++) {
      assert.equal(await socket.next(), "2");
      socket.sendText("3");
    }
    assert.equal(peer.session.transport.name, "websocket");
  });
  host.it("pauses during an upgrade, and continues after it", async () => {
    await using server = await host.start();
    const peer = await PollingPeer.open(server);
    const socket = await peer.probe();
    Object.assign(server.engine.opts, { pingInterval: 20, pingTimeout: 30 });
    // The next ping is due soon after a pong.
    await peer.send("3");
    await new Promise((resolve) => setTimeout(resolve, 200));
    assert.equal(peer.session.readyState, "open");
    server.engine.opts.pingTimeout = 20_000;
    socket.sendText("5");
    assert.equal(await socket.next(), "2");
    socket.sendText("3");
    assert.equal(await socket.next(), "2");
  });
});
