import assert from "node:assert/strict";
import { engineHosts } from "../support/engine/hosts.ts";
import type { EngineHost } from "../support/engine/hosts.ts";
import { onEveryHost } from "../support/hosts/on-every-host.ts";
import { PollingPeer, received, until } from "../support/engine/peers.ts";
import type { StartedEngine } from "../support/engine/started-engine.ts";
import type { WireSocket } from "../support/wire/client.ts";

/** The session must be as if nobody had tried: both directions, the heartbeat's state, and another upgrade. */
async function assertLivesOn(peer: PollingPeer): Promise<void> {
  await until(() => !peer.session.upgrading, "the upgrade to be given up");
  assert.equal(peer.session.upgraded, false);
  assert.equal(peer.session.transport.name, "polling");
  const messages = received(peer.session);
  peer.session.send("down");
  assert.deepEqual(await peer.pollPackets(1), ["4down"]);
  await peer.send("4up");
  assert.deepEqual(messages, ["up"]);
  const { answer } = await peer.park();
  peer.session.send("held");
  assert.equal((await answer).body, "4held");
  const socket = await peer.probe();
  socket.sendText("5");
  await until(() => peer.session.upgraded, "another upgrade");
  peer.session.send("upgraded");
  assert.equal(await socket.next(), "4upgraded");
}

type Abort = (socket: WireSocket, peer: PollingPeer, server: StartedEngine) => Promise<void> | void;

function survives(host: EngineHost, what: string, abort: Abort, upgradeTimeout: number = 10_000): void {
  host.it(`continues over long-polling after ${what}`, async () => {
    await using server = await host.start({ upgradeTimeout });
    const peer = await PollingPeer.open(server);
    const socket = await server.client.websocket(peer.websocketPath);
    await abort(socket, peer, server);
    await socket.closed;
    server.engine.opts.upgradeTimeout = 10_000;
    await assertLivesOn(peer);
  });
}

async function probe(socket: WireSocket): Promise<void> {
  socket.sendText("2probe");
  assert.equal(await socket.next(), "3probe");
}

onEveryHost("engine: abandoned upgrades", engineHosts, (host) => {
  survives(host, "a WebSocket that was closed before the probe", (socket) => socket.close());

  survives(host, "a WebSocket that was cut before the probe", (socket) => socket.reset());

  survives(host, "a WebSocket that was closed after the probe", async (socket) => {
    await probe(socket);
    socket.close(1000);
  });

  survives(host, "a WebSocket that was cut after the probe", async (socket) => {
    await probe(socket);
    socket.reset();
  });

  survives(host, "a message instead of the probe", (socket) => socket.sendText("4early"));

  survives(host, "a ping that is no probe", (socket) => socket.sendText("2"));

  survives(host, "a packet of an unknown type", (socket) => socket.sendText("9"));

  survives(host, "a message instead of 5", async (socket) => {
    await probe(socket);
    socket.sendText("4early");
  });

  survives(host, "a binary message instead of 5", async (socket) => {
    await probe(socket);
    socket.sendBinary(Buffer.from([1]));
  });

  survives(host, "the upgrade timeout, without a probe", () => {}, 50);

  survives(host, "the upgrade timeout, after the probe", probe, 300);

  host.it("delivers nothing that arrives instead of 5", async () => {
    await using server = await host.start();
    const peer = await PollingPeer.open(server);
    const messages = received(peer.session);
    const socket = await peer.probe();
    socket.sendText("4early");
    assert.equal((await socket.closed).code, 1005);
    await until(() => !peer.session.upgrading, "the upgrade to be given up");
    assert.deepEqual(messages, []);
  });

  host.it("answers a held poll normally after an abandoned upgrade", async () => {
    await using server = await host.start();
    const peer = await PollingPeer.open(server);
    const { answer } = await peer.park();
    const socket = await server.client.websocket(peer.websocketPath);
    socket.reset();
    await until(() => !peer.session.upgrading, "the upgrade to be given up");
    peer.session.send("held");
    assert.equal((await answer).body, "4held");
  });

  host.it("sends messages of the upgrade with the next poll", async () => {
    await using server = await host.start();
    const peer = await PollingPeer.open(server);
    const socket = await peer.probe();
    peer.session.send("meanwhile");
    socket.reset();
    await until(() => !peer.session.upgrading, "the upgrade to be given up");
    assert.deepEqual(await peer.pollPackets(1), ["4meanwhile"]);
  });

  host.it("closes a second WebSocket for the session and keeps the first", async () => {
    await using server = await host.start();
    const peer = await PollingPeer.open(server);
    const first = await peer.probe();
    const second = await server.client.websocket(peer.websocketPath);
    assert.equal((await second.closed).code, 1005);
    assert.deepEqual(second.pending, []);
    first.sendText("5");
    await until(() => peer.session.upgraded, "the upgrade");
    peer.session.send("x");
    assert.equal(await first.next(), "4x");
  });

  host.it("closes a WebSocket for a session that is upgraded already", async () => {
    await using server = await host.start();
    const peer = await PollingPeer.open(server);
    const first = await peer.probe();
    first.sendText("5");
    await until(() => peer.session.upgraded, "the upgrade");
    const second = await server.client.websocket(peer.websocketPath);
    assert.equal((await second.closed).code, 1005);
    peer.session.send("x");
    assert.equal(await first.next(), "4x");
  });

  host.it("closes the WebSocket when the session is closed while upgrading", async () => {
    await using server = await host.start();
    const peer = await PollingPeer.open(server);
    const socket = await peer.probe();
    const answer = peer.get();
    await peer.send("1");
    assert.equal((await server.closed(peer.session)).reason, "transport close");
    assert.equal((await socket.closed).code, 1005);
    await answer;
    assert.equal(server.engine.clientsCount, 0);
  });

  host.it("refuses a WebSocket for a session that has closed", async () => {
    await using server = await host.start();
    const peer = await PollingPeer.open(server);
    peer.session.close(true);
    await server.closed(peer.session);
    const response = await server.client.refused(peer.websocketPath);
    assert.equal(response.status, 400);
    assert.equal(response.body, "Session ID unknown");
  });

  host.it("does not accept 5 before the probe as the end of an upgrade", async () => {
    await using server = await host.start();
    const peer = await PollingPeer.open(server);
    const socket = await server.client.websocket(peer.websocketPath);
    socket.sendText("5");
    await until(() => peer.session.upgraded || !peer.session.upgrading, "a decision");
    peer.session.send("x");
    const answer = peer.session.upgraded ? await socket.next() : await peer.poll();
    assert.equal(answer, "4x");
  });
});
