import assert from "node:assert/strict";
import { closing } from "../support/waiting/closing.ts";
import { onEveryHost } from "../support/hosts/on-every-host.ts";
import { engineHosts } from "../support/engine/hosts.ts";
import { LegacyPeer, openLegacyWebSocket } from "../support/engine/legacy-peers.ts";
import { openWebSocket, received, until } from "../support/engine/peers.ts";
import type { StartedEngine } from "../support/engine/started-engine.ts";
import type { WireSocket } from "../support/wire/client.ts";

const allowEIO3 = true;
const hex = (text: string): Buffer => Buffer.from(text, "hex");

onEveryHost("engine: WebSocket of protocol 3", engineHosts, (host) => {
  host.it("carries text unchanged", async () => {
    await using server = await host.start({ allowEIO3 });
    const { socket, session } = await openLegacyWebSocket(server);
    const messages = received(session);
    socket.sendText("4é€😀");
    await until(() => messages.length === 1, "the message");
    assert.deepEqual(messages, ["é€😀"]);
    session.send("é€😀");
    assert.equal(await socket.next(), "4é€😀");
  });

  host.it("puts the type before binary data, both ways", async () => {
    await using server = await host.start({ allowEIO3 });
    const { socket, session } = await openLegacyWebSocket(server);
    const messages = received(session);
    socket.sendBinary(hex("04010203"));
    socket.sendBinary(hex("04"));
    await until(() => messages.length === 2, "the messages");
    assert.deepEqual(messages, [hex("010203"), Buffer.alloc(0)]);
    session.send(hex("010203"));
    assert.deepEqual(await socket.next(), hex("04010203"));
  });

  host.it("keeps the order of text and binary", async () => {
    await using server = await host.start({ allowEIO3 });
    const { socket, session } = await openLegacyWebSocket(server);
    session.send("a");
    session.send(hex("01"));
    session.send("b");
    assert.deepEqual(await socket.take(3), ["4a", hex("0401"), "4b"]);
  });

  host.it("sends binary as base64 if the client asked for it with b64", async () => {
    await using server = await host.start({ allowEIO3 });
    const { socket, session } = await openLegacyWebSocket(server, "&b64=1");
    const messages = received(session);
    session.send(hex("01020304"));
    assert.equal(await socket.next(), "b4AQIDBA==");
    socket.sendText("b4AQIDBA==");
    await until(() => messages.length === 1, "the message");
    assert.deepEqual(messages, [hex("01020304")]);
  });

  host.it("sends one message to clients of both protocols, each in its own format", async () => {
    await using server = await host.start({ allowEIO3 });
    const old = await openLegacyWebSocket(server);
    const current = await openWebSocket(server);
    const base64 = await openLegacyWebSocket(server, "&b64=1");
    const data = hex("ff00");
    for (const { session } of [old, current, base64, old, current]) session.send(data);
    assert.deepEqual(await old.socket.take(2), [hex("04ff00"), hex("04ff00")]);
    assert.deepEqual(await current.socket.take(2), [data, data]);
    assert.equal(await base64.socket.next(), "b4/wA=");
  });

  for (const [what, send] of [
    ["an unknown type in text", "9"],
    ["an unknown type in binary", hex("0901")],
    ["empty text", ""],
  ] as const) {
    host.it(`closes the session for a parse error on ${what}`, async () => {
      await using server = await host.start({ allowEIO3 });
      const { socket, session } = await openLegacyWebSocket(server);
      if (typeof send === "string") socket.sendText(send);
      else socket.sendBinary(send);
      assert.equal((await server.closed(session)).reason, "parse error");
      assert.equal((await socket.closed).code, 1005);
    });
  }

  host.it("reports a client that disconnects", async () => {
    await using server = await host.start({ allowEIO3 });
    const { socket, session } = await openLegacyWebSocket(server);
    socket.close();
    assert.equal((await server.closed(session)).reason, "transport close");
  });
});

onEveryHost("engine: the heartbeat of protocol 3", engineHosts, (host) => {
  host.it("answers a ping, without its data, and emits heartbeat", async () => {
    await using server = await host.start({ allowEIO3 });
    const { socket, session } = await openLegacyWebSocket(server);
    let heartbeats = 0;
    session.on("heartbeat", () => heartbeats++);
    socket.sendText("2");
    assert.equal(await socket.next(), "3");
    socket.sendText("2data");
    assert.equal(await socket.next(), "3");
    assert.equal(heartbeats, 2);
  });

  host.it("answers a ping over long-polling", async () => {
    await using server = await host.start({ allowEIO3 });
    const peer = await LegacyPeer.open(server);
    const { answer } = await peer.park();
    await peer.post("1:2");
    assert.equal((await answer).body, "1:3");
    await peer.post("6:2probe1:2");
    assert.equal((await peer.poll()).body, "1:31:3");
  });

  host.it("never pings", async () => {
    await using server = await host.start({ allowEIO3, pingInterval: 20, pingTimeout: 300 });
    const { socket, session } = await openLegacyWebSocket(server);
    assert.equal((await server.closed(session)).reason, "ping timeout");
    assert.deepEqual(socket.pending, []);
  });

  host.it("closes a client that is silent for pingInterval plus pingTimeout", async () => {
    await using server = await host.start({ allowEIO3, pingInterval: 60, pingTimeout: 60 });
    const order: string[] = [];
    server.engine.once("connection", () => setTimeout(() => order.push("pingInterval is over"), 60));
    const { socket, session } = await openLegacyWebSocket(server);
    session.on("close", (reason: string) => order.push(reason));
    assert.equal((await server.closed(session)).reason, "ping timeout");
    assert.deepEqual(order, ["pingInterval is over", "ping timeout"]);
    assert.equal((await socket.closed).code, 1005);
    assert.equal(server.engine.clientsCount, 0);
  });

  host.it("ends the poll of a client that sends no ping", async () => {
    await using server = await host.start({ allowEIO3, pingInterval: 40, pingTimeout: 460 });
    const peer = await LegacyPeer.open(server);
    assert.equal((await peer.poll()).body, "1:1");
    assert.equal((await server.closed(peer.session)).reason, "ping timeout");
  });

  host.it("restarts the timeout after each ping", async () => {
    await using server = await host.start({ allowEIO3, pingInterval: 250, pingTimeout: 250 });
    const { socket, session } = await openLegacyWebSocket(server);
    const order: string[] = [];
    session.on("heartbeat", () => {
      // The first deadline is well before this, the second well after.
      setTimeout(() => order.push("still waiting"), 700);
    });
    session.on("close", (reason: string) => order.push(reason));
    server.engine.opts.pingTimeout = 650;
    socket.sendText("2");
    await server.closed(session);
    assert.deepEqual(order, ["still waiting", "ping timeout"]);
  });

  host.it("counts only a ping as a sign of life", async () => {
    await using server = await host.start({ allowEIO3, pingInterval: 50, pingTimeout: 50 });
    const { socket, session } = await openLegacyWebSocket(server);
    const chatter = setInterval(() => socket.sendText("4x"), 10);
    using _chatter = closing(() => clearInterval(chatter));
    assert.equal((await server.closed(session)).reason, "ping timeout");
  });

  host.it("closes a WebSocket whose client sends a pong", async () => {
    await using server = await host.start({ allowEIO3 });
    const { socket, session } = await openLegacyWebSocket(server);
    socket.sendText("3");
    const { reason, description } = await server.closed(session);
    assert.equal(reason, "transport error");
    assert.equal((description as Error).message, "invalid heartbeat direction");
  });
});

onEveryHost("engine: the upgrade of protocol 3", engineHosts, (host) => {
  host.it("answers the probe, releases the parked poll, and switches over", async () => {
    await using server = await host.start({ allowEIO3 });
    const peer = await LegacyPeer.open(server);
    const { answer } = await peer.park();
    const socket = await peer.probe();
    assert.equal((await answer).body, "1:6");
    assert.equal(peer.session.upgrading, true);
    socket.sendText("5");
    await until(() => peer.session.upgraded, "the upgrade");
    peer.session.send("a");
    assert.equal(await socket.next(), "4a");
    assert.equal(peer.session.transport.name, "websocket");
    assert.equal(peer.session.protocol, 3);
  });

  host.it("keeps the order of messages sent before, during and after", async () => {
    await using server = await host.start({ allowEIO3 });
    const peer = await LegacyPeer.open(server);
    peer.session.send("before");
    assert.equal((await peer.poll()).body, "7:4before");
    const socket = await peer.probe();
    peer.session.send("during");
    peer.session.send(hex("01"));
    socket.sendText("5");
    await until(() => peer.session.upgraded, "the upgrade");
    peer.session.send("after");
    assert.deepEqual(await socket.take(3), ["4during", hex("0401"), "4after"]);
  });

  host.it("keeps base64 after it if the WebSocket asked for b64", async () => {
    await using server = await host.start({ allowEIO3 });
    const peer = await LegacyPeer.open(server, "&b64=1");
    const socket = await peer.probe();
    socket.sendText("5");
    peer.session.send(hex("01020304"));
    assert.equal(await socket.next(), "b4AQIDBA==");
  });

  host.it("answers pings after it", async () => {
    await using server = await host.start({ allowEIO3 });
    const peer = await LegacyPeer.open(server);
    const socket = await peer.probe();
    socket.sendText("5");
    socket.sendText("2");
    assert.equal(await socket.next(), "3");
  });

  /** A client in the middle of its upgrade, which has sent its last ping. */
  async function silentProbe(server: StartedEngine): Promise<{ peer: LegacyPeer; socket: WireSocket }> {
    const peer = await LegacyPeer.open(server);
    const socket = await peer.probe();
    Object.assign(server.engine.opts, { pingInterval: 20, pingTimeout: 30 });
    await peer.post("1:2");
    return { peer, socket };
  }

  host.it("detects a client that is silent after it", async () => {
    await using server = await host.start({ allowEIO3 });
    const { peer, socket } = await silentProbe(server);
    socket.sendText("5");
    await until(() => peer.session.upgraded, "the upgrade");
    assert.equal((await server.closed(peer.session)).reason, "ping timeout");
    assert.equal((await socket.closed).code, 1005);
  });
  host.it("expects no ping during it", async () => {
    await using server = await host.start({ allowEIO3 });
    const { peer, socket } = await silentProbe(server);
    const order: string[] = [];
    peer.session.on("upgrade", () => order.push("upgrade"));
    peer.session.on("close", (reason: string) => order.push(reason));
    setTimeout(() => socket.sendText("5"), 200);
    await server.closed(peer.session);
    assert.deepEqual(order, ["upgrade", "ping timeout"]);
  });

  host.it("detects a client that is silent after a failed upgrade", async () => {
    await using server = await host.start({ allowEIO3 });
    const { peer, socket } = await silentProbe(server);
    socket.close();
    assert.equal((await server.closed(peer.session)).reason, "ping timeout");
  });

  host.it("continues over long-polling when the probe fails", async () => {
    await using server = await host.start({ allowEIO3 });
    const peer = await LegacyPeer.open(server);
    const socket = await peer.probe();
    socket.close();
    await until(() => !peer.session.upgrading, "the end of the upgrade");
    peer.session.send("a");
    const bodies: string[] = [];
    while (!bodies.includes("2:4a")) bodies.push((await peer.poll()).body);
    assert.equal(peer.session.readyState, "open");
  });
});
