import assert from "node:assert/strict";
import { closing } from "../support/waiting/closing.ts";
import { onEveryHost } from "../support/hosts/on-every-host.ts";
import { engineHosts } from "../support/engine/hosts.ts";
import { packetsOf, PollingPeer, rawWebSocket, received, until } from "../support/engine/peers.ts";

onEveryHost("engine: upgrade from long-polling to WebSocket", engineHosts, (host) => {
  host.it("answers 2probe with 3probe and takes 5 as the end of the upgrade", async () => {
    await using server = await host.start();
    const { session, websocketPath } = await PollingPeer.open(server);
    const upgraded = new Promise<{ name: string }>((resolve) => session.once("upgrade", resolve));
    const socket = await server.client.websocket(websocketPath);
    assert.equal(session.transport.name, "polling");
    socket.sendText("2probe");
    assert.equal(await socket.next(), "3probe");
    assert.equal(session.upgrading, true);
    assert.equal(session.upgraded, false);
    assert.equal(session.transport.name, "polling");
    socket.sendText("5");
    assert.equal((await upgraded).name, "websocket");
    assert.equal(session.transport.name, "websocket");
    assert.equal(session.upgrading, false);
    assert.equal(session.upgraded, true);
    assert.equal(session.readyState, "open");
    assert.deepEqual(socket.pending, []);
  });

  host.it("emits upgrading when the probe comes", async () => {
    await using server = await host.start();
    const peer = await PollingPeer.open(server);
    const upgrading = new Promise<{ name: string }>((resolve) => peer.session.once("upgrading", resolve));
    await peer.probe();
    assert.equal((await upgrading).name, "websocket");
  });

  host.it("ends a held poll with a noop", async () => {
    await using server = await host.start();
    const peer = await PollingPeer.open(server);
    const { answer } = await peer.park();
    const socket = await peer.probe();
    assert.equal((await answer).body, "6");
    socket.sendText("5");
    await until(() => peer.session.upgraded, "the upgrade");
  });

  host.it("ends every poll that comes during the upgrade with a noop", async () => {
    await using server = await host.start();
    const peer = await PollingPeer.open(server);
    const socket = await peer.probe();
    for (let round = 0; round < 3; round++) {
      assert.equal(await peer.poll(), "6");
    }
    socket.sendText("5");
    await until(() => peer.session.upgraded, "the upgrade");
  });

  host.it("keeps the id, the session and the request", async () => {
    await using server = await host.start();
    const peer = await PollingPeer.open(server);
    const socket = await peer.probe();
    socket.sendText("5");
    await until(() => peer.session.upgraded, "the upgrade");
    assert.equal(server.engine.clients[peer.sid], peer.session);
    assert.equal(server.engine.clientsCount, 1);
    assert.equal(peer.session.request.url, server.path("transport=polling"));
  });

  host.it("loses no message of the server before, during or after", async () => {
    await using server = await host.start();
    const peer = await PollingPeer.open(server);
    let count = 0;
    const send = (): unknown => peer.session.send(`${count++}`);
    const bodies: string[] = [];
    send();
    bodies.push(await peer.poll());
    send();
    send();
    const socket = await peer.probe();
    send();
    bodies.push(await peer.poll());
    send();
    send();
    socket.sendText("5");
    send();
    await until(() => peer.session.upgraded, "the upgrade");
    send();
    const polled = bodies.flatMap(packetsOf);
    const pushed = await socket.take(count - polled.length);
    assert.deepEqual(
      [...polled, ...pushed],
      Array.from({ length: count }, (_, index) => `4${index}`),
    );
  });

  host.it("loses nothing of a steady stream, whenever the upgrade happens", async () => {
    await using server = await host.start();
    const peer = await PollingPeer.open(server);
    const total = 200;
    let count = 0;
    const ticker = setInterval(() => {
      for (let burst = 0; burst < 4 && count < total; burst++) {
        peer.session.send(`${count++}`);
      }
    }, 1);
    using _ticker = closing(() => clearInterval(ticker));
    const packets = await peer.pollPackets(20);
    const socket = await peer.probe();
    packets.push(...packetsOf(await peer.poll()));
    socket.sendText("5");
    packets.push(...((await socket.take(total - packets.length)) as string[]));
    assert.deepEqual(
      packets,
      Array.from({ length: total }, (_, index) => `4${index}`),
    );
  });

  host.it("loses no message of the client before, during or after", async () => {
    await using server = await host.start();
    const peer = await PollingPeer.open(server);
    const messages = received(peer.session);
    await peer.send("4a");
    const socket = await peer.probe();
    await peer.send("4b\x1e4c");
    await peer.send("4d");
    socket.sendText("5");
    socket.sendText("4e");
    socket.sendBinary(Buffer.from([1]));
    await until(() => messages.length === 6, "six messages");
    assert.deepEqual(messages, ["a", "b", "c", "d", "e", Buffer.from([1])]);
  });

  host.it("handles the end of the upgrade and messages of one read", { needs: "tcp" }, async () => {
    await using server = await host.start();
    const peer = await PollingPeer.open(server);
    const messages = received(peer.session);
    const socket = await rawWebSocket(server, peer.websocketPath);
    socket.sendTogether("2probe", "5", "4a", "4b");
    assert.equal(await socket.next(), "3probe");
    await until(() => messages.length === 2, "two messages");
    assert.deepEqual(messages, ["a", "b"]);
    assert.equal(peer.session.transport.name, "websocket");
  });

  host.it("sends what was waiting for a poll over the WebSocket, binary as bytes", async () => {
    await using server = await host.start();
    const peer = await PollingPeer.open(server);
    const socket = await peer.probe();
    peer.session.send("text");
    peer.session.send(Buffer.from([1, 2]));
    socket.sendText("5");
    assert.deepEqual(await socket.take(2), ["4text", Buffer.from([1, 2])]);
  });

  host.it("refuses long-polling once the upgrade is done", async () => {
    await using server = await host.start();
    const peer = await PollingPeer.open(server);
    const socket = await peer.probe();
    socket.sendText("5");
    await until(() => peer.session.upgraded, "the upgrade");
    const response = await peer.get();
    assert.equal(response.status, 400);
    assert.equal(response.body, '{"code":3,"message":"Bad request"}');
    assert.equal((await peer.post("4x")).status, 400);
    assert.equal(peer.session.readyState, "open");
  });

  host.it("ends a poll that is still held when 5 comes", async () => {
    await using server = await host.start();
    const peer = await PollingPeer.open(server);
    const socket = await server.client.websocket(peer.websocketPath);
    const { answer } = await peer.park();
    socket.sendText("2probe");
    socket.sendText("5");
    assert.equal(await socket.next(), "3probe");
    assert.match((await answer).body, /^(6|1)$/);
    assert.equal(peer.session.readyState, "open");
  });
});
