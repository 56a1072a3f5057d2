import assert from "node:assert/strict";
import type { EventEmitter } from "node:events";
import type { Session } from "../support/engine/types.ts";
import { onEveryHost } from "../support/hosts/on-every-host.ts";
import { engineHosts } from "../support/engine/hosts.ts";
import { openWebSocket, PollingPeer, until } from "../support/engine/peers.ts";

interface Packet {
  type: string;
  data?: string | Buffer;
  options?: { compress?: boolean };
}

const sessionEvents = [
  "packet",
  "packetCreate",
  "data",
  "message",
  "flush",
  "drain",
  "heartbeat",
  "upgrading",
];

/** Every event of the session from now on, in order, as `name` or `name type:data`. */
function record(session: Session, names: readonly string[] = sessionEvents): string[] {
  const events: string[] = [];
  for (const name of names) {
    session.on(name, (value?: unknown) => events.push(value === undefined ? name : `${name} ${show(value)}`));
  }
  return events;
}

function show(value: unknown): string {
  if (Array.isArray(value)) return value.map((each) => show(each)).join(",");
  if (typeof value === "string" || Buffer.isBuffer(value)) return value.toString();
  const { type, data, name } = value as Packet & { name?: string };
  return type === undefined ? String(name) : data === undefined ? type : `${type}:${data.toString()}`;
}

onEveryHost("engine: events of a session", engineHosts, (host) => {
  host.it("emits packet, data and message for each incoming message, in that order", async () => {
    await using server = await host.start();
    const { socket, session } = await openWebSocket(server);
    const events = record(session);
    socket.sendText("4hello");
    socket.sendBinary(Buffer.from("bytes"));
    await until(() => events.length === 6, "six events");
    assert.deepEqual(events, [
      "packet message:hello",
      "data hello",
      "message hello",
      "packet message:bytes",
      "data bytes",
      "message bytes",
    ]);
  });

  host.it("emits the same for long-polling", async () => {
    await using server = await host.start();
    const peer = await PollingPeer.open(server);
    const events = record(peer.session);
    await peer.send("4one\x1e4two");
    assert.deepEqual(events, [
      "packet message:one",
      "data one",
      "message one",
      "packet message:two",
      "data two",
      "message two",
    ]);
  });

  host.it("emits message with undefined for a message without data", async () => {
    await using server = await host.start();
    const { socket, session } = await openWebSocket(server);
    const received = new Promise<unknown[]>((resolve) => {
      session.on("message", (...values: unknown[]) => resolve(values));
    });
    socket.sendText("4");
    assert.deepEqual(await received, [undefined]);
  });

  host.it("emits packetCreate, then flush, then drain for each outgoing message", async () => {
    await using server = await host.start();
    const { socket, session } = await openWebSocket(server);
    const events = record(session);
    session.send("out");
    assert.equal(await socket.next(), "4out");
    await until(() => events.length === 3, "three events");
    assert.deepEqual(events, ["packetCreate message:out", "flush message:out", "drain"]);
  });

  host.it("emits packetCreate at once, with resolved options", async () => {
    await using server = await host.start();
    const { session } = await openWebSocket(server);
    const packets: Packet[] = [];
    session.on("packetCreate", (packet: Packet) => packets.push(packet));
    session.send("plain");
    session.send("small", { compress: false });
    assert.deepEqual(
      packets.map(({ type, data, options }) => [type, data, options?.compress]),
      [
        ["message", "plain", true],
        ["message", "small", false],
      ],
    );
  });

  host.it("emits flush and drain only once there is a poll", async () => {
    await using server = await host.start();
    const peer = await PollingPeer.open(server);
    const events = record(peer.session, ["flush", "drain"]);
    peer.session.send("a");
    peer.session.send("b");
    await peer.send("4x");
    assert.deepEqual(events, []);
    assert.equal(peer.session.writeBuffer.length, 2);
    assert.equal(await peer.poll(), "4a\x1e4b");
    await until(() => events.length === 2, "flush and drain");
    assert.deepEqual(events, ["flush message:a,message:b", "drain"]);
    assert.equal(peer.session.writeBuffer.length, 0);
  });

  host.it("emits flush and drain on the engine too, with the session", async () => {
    await using server = await host.start();
    const { socket, session } = await openWebSocket(server);
    const events: unknown[] = [];
    server.engine.on("flush", (whose: Session, packets: Packet[]) => {
      if (packets[0]?.data === "out") events.push("flush", whose);
    });
    server.engine.on("drain", (whose: Session) => events.push("drain", whose));
    session.send("out");
    await socket.next();
    await until(() => events.length >= 4, "both events");
    assert.deepEqual(events, ["flush", session, "drain", session]);
  });

  host.it("emits flush on the engine for the open packet, before connection", async () => {
    await using server = await host.start({ initialPacket: "hi" });
    const order: string[] = [];
    server.engine.on("flush", (_session: Session, packets: Packet[]) => order.push(show(packets)));
    server.engine.on("connection", () => order.push("connection"));
    await PollingPeer.open(server);
    assert.match(order[0]!, /^open:\{.*\},message:hi$/);
    assert.deepEqual(order.slice(1), ["connection"]);
  });

  host.it("emits heartbeat and packet for a pong", async () => {
    await using server = await host.start({ pingInterval: 300 });
    const { socket, session } = await openWebSocket(server);
    const events = record(session, ["packet", "packetCreate", "heartbeat"]);
    assert.equal(await socket.next(), "2");
    socket.sendText("3");
    await until(() => events.includes("heartbeat"), "a heartbeat");
    assert.deepEqual(events.slice(0, 3), ["packetCreate ping", "packet pong", "heartbeat"]);
  });

  host.it("emits upgrading and upgrade with the new transport, and updates both flags", async () => {
    await using server = await host.start();
    const peer = await PollingPeer.open(server);
    const { session } = peer;
    const states: unknown[] = [];
    const note = (event: string) => (transport: EventEmitter & { name: string }) =>
      states.push([event, transport.name, session.transport.name, session.upgrading, session.upgraded]);
    session.on("upgrading", note("upgrading"));
    session.on("upgrade", note("upgrade"));
    assert.deepEqual([session.upgrading, session.upgraded], [false, false]);
    const socket = await peer.probe();
    socket.sendText("5");
    await until(() => states.length === 2, "the upgrade");
    assert.deepEqual(states, [
      ["upgrading", "websocket", "polling", true, false],
      ["upgrade", "websocket", "websocket", false, true],
    ]);
  });

  host.it("shows unsent packets to listeners of close", async () => {
    await using server = await host.start();
    const peer = await PollingPeer.open(server);
    peer.session.send("unsent");
    let unsent: unknown[] = [];
    peer.session.on("close", () => (unsent = [...peer.session.writeBuffer]));
    await peer.send("1");
    await server.closed(peer.session);
    assert.deepEqual(show(unsent), "message:unsent");
    await until(() => peer.session.writeBuffer.length === 0, "the buffer to be let go");
  });

  host.it("calls back with the transport once a message has been handed over, in order", async () => {
    await using server = await host.start();
    const peer = await PollingPeer.open(server);
    const called: unknown[] = [];
    const callback = (index: number) => (transport: unknown) => called.push([index, transport]);
    peer.session.send("1", {}, callback(1));
    (peer.session.send as (data: string, callback: unknown) => unknown)("2", callback(2));
    peer.session.send("no callback");
    assert.deepEqual(called, []);
    await peer.poll();
    await until(() => called.length === 2, "both callbacks");
    assert.deepEqual(called, [
      [1, peer.session.transport],
      [2, peer.session.transport],
    ]);
  });

  host.it("emits the events of a transport to its listeners", async () => {
    await using server = await host.start();
    const { socket, session } = await openWebSocket(server);
    const events: string[] = [];
    session.transport.on("packet", (packet: Packet) => events.push(`packet ${show(packet)}`));
    session.transport.on("drain", () => events.push("drain"));
    session.transport.on("close", () => events.push("close"));
    socket.sendText("4in");
    await until(() => events.length === 1, "the packet");
    session.send("out");
    assert.equal(await socket.next(), "4out");
    socket.close();
    await server.closed(session);
    await until(() => events.length === 3, "three events");
    assert.deepEqual(events, ["packet message:in", "drain", "close"]);
  });

  host.it("emits an error of the transport to its listeners", async () => {
    await using server = await host.start({ maxHttpBufferSize: 10 });
    const { socket, session } = await openWebSocket(server);
    const failed = new Promise<Error & { type?: string }>((resolve) => {
      session.transport.on("error", resolve);
    });
    socket.sendText("4 is far too long");
    assert.equal((await failed).type, "TransportError");
    assert.equal((await server.closed(session)).reason, "transport error");
  });
});
